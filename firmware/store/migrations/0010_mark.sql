-- Minutes of calls that something was wrong with, kept because the operator said so; they go with their call.
CREATE TABLE mark (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    call    INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    -- When it was said, and when the last second ended, in Unix milliseconds.
    at      INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    -- JSON: a list of seconds in the words of the socket. Figures only, no speech.
    seconds TEXT    NOT NULL
) STRICT;
CREATE INDEX mark_call ON mark (call, id);
