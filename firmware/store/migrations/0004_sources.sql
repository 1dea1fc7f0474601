-- A directory that a connector keeps (DIR-4): which connector, and which of its contents is here whole.
ALTER TABLE directory ADD COLUMN source TEXT;
ALTER TABLE directory ADD COLUMN source_generation INTEGER;
CREATE UNIQUE INDEX directory_source ON directory (source) WHERE source IS NOT NULL AND removal IS NULL;

-- The source's own identity of a contact.
ALTER TABLE contact ADD COLUMN source_id TEXT;
CREATE UNIQUE INDEX contact_source ON contact (directory, source_id) WHERE source_id IS NOT NULL;
