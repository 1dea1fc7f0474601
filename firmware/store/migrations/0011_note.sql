-- What the operator writes down.
CREATE TABLE note (
    -- Whose: an operator, or 0 where nobody signs in.
    operator INTEGER PRIMARY KEY,
    saved    TEXT    NOT NULL DEFAULT '',
    -- When, Unix milliseconds; NULL before.
    saved_at INTEGER,
    -- Written since and not saved.
    draft    TEXT
) STRICT;
CREATE TRIGGER note_of_removed_operator AFTER DELETE ON desk_operator
BEGIN
    DELETE FROM note WHERE operator = OLD.id;
END;
