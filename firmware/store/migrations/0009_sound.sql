-- How a call sounded, as JSON in the words of the socket; NULL where nothing is known of it.
ALTER TABLE call ADD COLUMN sound TEXT;
