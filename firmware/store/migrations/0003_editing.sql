-- How a directory is shown: JSON, empty for the defaults.
ALTER TABLE directory ADD COLUMN look TEXT NOT NULL DEFAULT '{}';

-- What was removed stays for a while, so that it can be brought back.
CREATE TABLE removal (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Unix milliseconds.
    at   INTEGER NOT NULL,
    -- JSON: what the operator is told.
    what TEXT    NOT NULL,
    -- The name of the directory removed; it is free for another one meanwhile.
    name TEXT
) STRICT;
ALTER TABLE directory ADD COLUMN removal INTEGER REFERENCES removal (id) ON DELETE CASCADE;
ALTER TABLE contact ADD COLUMN removal INTEGER REFERENCES removal (id) ON DELETE CASCADE;
CREATE INDEX contact_removal ON contact (removal) WHERE removal IS NOT NULL;
CREATE INDEX directory_removal ON directory (removal) WHERE removal IS NOT NULL;

-- An alert that is told once (PRE-7).
ALTER TABLE contact ADD COLUMN alert_once INTEGER NOT NULL DEFAULT 0 CHECK (alert_once IN (0, 1));

-- What was changed by hand, by whom. Stays when the contact goes: a removal is a change.
CREATE TABLE contact_change (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    contact INTEGER NOT NULL,
    -- Unix milliseconds.
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    -- JSON.
    what    TEXT    NOT NULL
) STRICT;
-- Who called with this number lately.
CREATE INDEX call_number ON call (number, began);
CREATE INDEX call_contact ON call (contact, began);

CREATE INDEX contact_change_contact ON contact_change (contact, id);
