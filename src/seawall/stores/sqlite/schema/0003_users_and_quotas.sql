-- End users, what keys say of theirs, and quotas. Times in Unix seconds.

-- Whose key it is, the tier of its users, its own limits, and for a publishable key its pages and the trial of its
-- visitors. Limits and trial are JSON.
ALTER TABLE keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'key' CHECK (kind IN ('key', 'publishable'));
ALTER TABLE keys ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN tier TEXT;
ALTER TABLE keys ADD COLUMN limits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN trial TEXT;
ALTER TABLE keys ADD COLUMN origins TEXT NOT NULL DEFAULT '[]';

-- What the operator has decided about a user; whoever is not here has the defaults. Limits, quota and budget are JSON.
CREATE TABLE users (
    id         TEXT NOT NULL PRIMARY KEY,
    created_at REAL NOT NULL,
    tier       TEXT,
    blocked_at REAL,
    note       TEXT,
    limits     TEXT,
    quota      TEXT,
    budget     TEXT
) STRICT, WITHOUT ROWID;

-- Random bytes that turn addresses into names that tell nothing.
CREATE TABLE salt (value BLOB NOT NULL) STRICT;
INSERT INTO salt VALUES (randomblob(32));

-- The tokens of a hold, for accounts whose period begins with "tokens:"; money is in `amount`.
ALTER TABLE holds ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;

CREATE INDEX calls_by_user ON calls (end_user, id) WHERE end_user IS NOT NULL;
CREATE INDEX usage_by_user ON usage_hourly (end_user, hour) WHERE end_user <> '';
