-- Those who may open the administrator's page.
CREATE TABLE admin_account (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    -- What makes names the same.
    name_key     TEXT    NOT NULL UNIQUE,
    role         TEXT    NOT NULL CHECK (role IN ('administrator', 'supervisor')),
    -- argon2id in the form of its own, with salt and cost.
    password     TEXT    NOT NULL,
    -- Unix milliseconds.
    created      INTEGER NOT NULL,
    last_sign_in INTEGER
) STRICT;

-- Tokens of programs that use the JSON API; of a token only its SHA-256 is kept.
CREATE TABLE admin_token (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL,
    hash      BLOB    NOT NULL UNIQUE,
    scope     TEXT    NOT NULL CHECK (scope IN ('read', 'write')),
    -- Unix milliseconds, and the name of the account.
    created   INTEGER NOT NULL,
    by        TEXT    NOT NULL,
    last_used INTEGER
) STRICT;

-- Who did what on the administrator's page. Never a secret.
CREATE TABLE admin_audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Unix milliseconds.
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    -- The address it came from.
    origin TEXT    NOT NULL,
    action TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;
