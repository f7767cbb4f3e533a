-- Who there is, and what each may do. Times in Unix seconds.

-- Virtual keys: only the SHA-256 of the key is kept. `owner` is whose key it is, `tier` that of its users, `guard` the
-- profile of the guard that it states; a publishable key has pages and the trial of its visitors. Models, limits, trial
-- and origins are JSON.
CREATE TABLE keys (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name           TEXT COLLATE "C" NOT NULL,
    hash           BYTEA            NOT NULL UNIQUE,
    created_at     DOUBLE PRECISION NOT NULL,
    models         TEXT,
    daily          BIGINT,
    monthly        BIGINT,
    lifetime       BIGINT,
    expires_at     DOUBLE PRECISION,
    revoked_at     DOUBLE PRECISION,
    last_used_at   DOUBLE PRECISION,
    previous_hash  BYTEA            UNIQUE,
    previous_until DOUBLE PRECISION,
    kind           TEXT COLLATE "C" NOT NULL DEFAULT 'key' CHECK (kind IN ('key', 'publishable')),
    owner          TEXT COLLATE "C" NOT NULL DEFAULT '',
    tier           TEXT COLLATE "C",
    limits         TEXT             NOT NULL DEFAULT '[]',
    trial          TEXT,
    origins        TEXT             NOT NULL DEFAULT '[]',
    guard          TEXT COLLATE "C"
);

-- What the operator has decided about a user; whoever is not here has the defaults. Limits, quota and budget are JSON.
CREATE TABLE users (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    created_at DOUBLE PRECISION NOT NULL,
    tier       TEXT COLLATE "C",
    blocked_at DOUBLE PRECISION,
    note       TEXT,
    limits     TEXT,
    quota      TEXT,
    budget     TEXT
);

-- Raised by every change of keys, users and quotas, so that all processes look them up anew.
CREATE TABLE directory_version (number BIGINT NOT NULL);
INSERT INTO directory_version VALUES (0);

-- Random bytes that turn addresses into names that tell nothing: two random UUIDs, since bytes alone take an extension.
CREATE TABLE salt (value BYTEA NOT NULL);
INSERT INTO salt VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
