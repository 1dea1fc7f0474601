-- Directories and contacts. AUTOINCREMENT: an identity is never given twice, not even after a removal.
CREATE TABLE directory (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    local    INTEGER NOT NULL CHECK (local IN (0, 1)),
    line     TEXT,
    note     TEXT    NOT NULL
) STRICT;

CREATE TABLE contact (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    directory    INTEGER NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
    last_name    TEXT    NOT NULL,
    first_name   TEXT    NOT NULL,
    company      TEXT    NOT NULL,
    office       TEXT    NOT NULL,
    department   TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    phone        TEXT    NOT NULL,
    mobile       TEXT    NOT NULL,
    home         TEXT    NOT NULL,
    voicemail    TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    xmpp         TEXT    NOT NULL,
    calendar     TEXT    NOT NULL,
    web          TEXT    NOT NULL,
    presence     INTEGER NOT NULL CHECK (presence IN (0, 1)),
    alert        TEXT    NOT NULL,
    -- SHA-256 of everything above and of the picture: finds a contact that is there already.
    digest       BLOB    NOT NULL
) STRICT;
CREATE INDEX contact_digest ON contact (directory, digest);

-- Apart from the contacts, so that reading all of those does not read all faces.
CREATE TABLE picture (
    contact INTEGER PRIMARY KEY REFERENCES contact (id) ON DELETE CASCADE,
    bytes   BLOB    NOT NULL
) STRICT;

-- The call log. Times are Unix milliseconds, durations milliseconds.
CREATE TABLE call (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    direction      TEXT    NOT NULL,
    number         TEXT,
    name           TEXT,
    company        TEXT,
    title          TEXT,
    contact        INTEGER,
    local          INTEGER NOT NULL CHECK (local IN (0, 1)),
    line_number    TEXT    NOT NULL,
    line_name      TEXT    NOT NULL,
    began          INTEGER NOT NULL,
    answered_after INTEGER,
    talk           INTEGER NOT NULL,
    hold           INTEGER NOT NULL,
    outcome        TEXT    NOT NULL,
    -- Everything the search bar looks at, folded.
    search         TEXT    NOT NULL
) STRICT;
CREATE INDEX call_began ON call (began, id);
CREATE INDEX call_missed ON call (id) WHERE outcome = 'missed';

CREATE TABLE transfer (
    call     INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    number   TEXT,
    name     TEXT,
    company  TEXT,
    title    TEXT,
    contact  INTEGER,
    local    INTEGER NOT NULL CHECK (local IN (0, 1)),
    kind     TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    code     INTEGER,
    took     INTEGER NOT NULL,
    PRIMARY KEY (call, position)
) STRICT, WITHOUT ROWID;

-- Whole documents in JSON, by name: settings, preferences, the mark of the missed calls.
CREATE TABLE document (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
