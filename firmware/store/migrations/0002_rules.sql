-- The rules of automatic handling that were applied to a call: a JSON list of their names.
ALTER TABLE call ADD COLUMN rules TEXT NOT NULL DEFAULT '[]';
