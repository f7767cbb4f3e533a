-- What an answer from the cache would have cost.
ALTER TABLE calls ADD COLUMN saved INTEGER NOT NULL DEFAULT 0;
