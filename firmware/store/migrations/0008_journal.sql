-- Finished calls that a customer database does not have yet (CRM-3): one row for each connector that keeps a
-- journal, made with the row of the call log, gone when the connector has said that it is there.
CREATE TABLE journal (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    call     INTEGER NOT NULL,
    -- The connector.
    plugin   TEXT    NOT NULL,
    -- JSON: the finished call in the words of the plugin host.
    body     TEXT    NOT NULL,
    -- Unix milliseconds.
    added    INTEGER NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL
) STRICT;
CREATE INDEX journal_due ON journal (plugin, next_try, id);
