-- Who may sit at the desk.
CREATE TABLE desk_operator (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    -- What makes names the same.
    name_key   TEXT    NOT NULL UNIQUE,
    -- argon2id in the form of its own, with salt and cost.
    pin        TEXT    NOT NULL,
    language   TEXT    NOT NULL CHECK (language IN ('en', 'fr')),
    locked     INTEGER NOT NULL DEFAULT 0,
    -- Wrong PINs since the last right one, and until when no other is looked at, Unix milliseconds.
    failures   INTEGER NOT NULL DEFAULT 0,
    wait_until INTEGER NOT NULL DEFAULT 0,
    -- Unix milliseconds.
    created    INTEGER NOT NULL
) STRICT;
