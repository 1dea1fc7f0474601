-- Who is signed in at the desk; no row while nobody is.
CREATE TABLE signed_in (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    operator INTEGER NOT NULL,
    -- When, Unix milliseconds.
    since    INTEGER NOT NULL,
    locked   INTEGER NOT NULL DEFAULT 0
) STRICT;
-- How each operator wants the screen, as JSON. That of a desk where nobody signs in is a document.
CREATE TABLE operator_preferences (
    operator INTEGER PRIMARY KEY,
    body     TEXT    NOT NULL
) STRICT;
CREATE TRIGGER desk_of_removed_operator AFTER DELETE ON desk_operator
BEGIN
    DELETE FROM signed_in WHERE operator = OLD.id;
    DELETE FROM operator_preferences WHERE operator = OLD.id;
END;
