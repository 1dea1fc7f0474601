-- What the operator wants to be reminded of, and when (REM-1).
CREATE TABLE reminder (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose: an operator, or 0 where nobody signs in.
    operator   INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    -- All times in Unix milliseconds.
    due_at     INTEGER NOT NULL,
    -- Whom to call; empty when nobody is to be called.
    number     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    -- When the operator was told, and when the operator said that it is done; NULL before.
    rang_at    INTEGER,
    done_at    INTEGER,
    -- Removed, and can be brought back; NULL for those that are there.
    removed_at INTEGER
) STRICT;
CREATE INDEX reminder_of_operator ON reminder (operator, due_at);
CREATE TRIGGER reminder_of_removed_operator AFTER DELETE ON desk_operator
BEGIN
    DELETE FROM reminder WHERE operator = OLD.id;
END;
