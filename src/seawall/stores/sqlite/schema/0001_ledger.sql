-- Accounts, holds, calls, sums and keys. Money in nano-dollars, times in Unix milliseconds or seconds.

-- One scope in one period ("2026-11-21", "2026-11", "life"); the period is part of the key, so nothing is ever reset.
CREATE TABLE accounts (
    scope   TEXT    NOT NULL,
    period  TEXT    NOT NULL,
    spent   INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
    held    INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    overage INTEGER NOT NULL DEFAULT 0 CHECK (overage >= 0),
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

-- Money held for calls that are still running; `process` tells whose they are when it dies.
CREATE TABLE holds (
    id       TEXT    NOT NULL PRIMARY KEY,
    process  TEXT    NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount >= 0),
    accounts TEXT    NOT NULL,
    row      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per call, whatever became of it. Ids sort by time.
CREATE TABLE calls (
    id           TEXT    NOT NULL PRIMARY KEY,
    at_ms        INTEGER NOT NULL,
    endpoint     TEXT    NOT NULL,
    key_id       TEXT    NOT NULL,
    end_user     TEXT,
    model        TEXT    NOT NULL,
    provider     TEXT    NOT NULL,
    stream       INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    code         TEXT,
    took_ms      REAL    NOT NULL,
    first_ms     REAL,
    usage        TEXT,
    held         INTEGER NOT NULL,
    cost         INTEGER NOT NULL,
    overage      INTEGER NOT NULL,
    listed_cost  INTEGER NOT NULL,
    decisions    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_by_key ON calls (key_id, id);

-- Sums by hour, kept in the transaction that settles.
CREATE TABLE usage_hourly (
    hour         INTEGER NOT NULL,
    key_id       TEXT    NOT NULL,
    end_user     TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    calls        INTEGER NOT NULL,
    input        INTEGER NOT NULL,
    output       INTEGER NOT NULL,
    cached_read  INTEGER NOT NULL,
    cached_write INTEGER NOT NULL,
    reasoning    INTEGER NOT NULL,
    cost         INTEGER NOT NULL,
    overage      INTEGER NOT NULL,
    PRIMARY KEY (hour, key_id, end_user, model)
) STRICT, WITHOUT ROWID;

-- Virtual keys: only the SHA-256 of the key is kept.
CREATE TABLE keys (
    id             TEXT NOT NULL PRIMARY KEY,
    name           TEXT NOT NULL,
    hash           BLOB NOT NULL UNIQUE,
    created_at     REAL NOT NULL,
    models         TEXT,
    daily          INTEGER,
    monthly        INTEGER,
    lifetime       INTEGER,
    expires_at     REAL,
    revoked_at     REAL,
    last_used_at   REAL,
    previous_hash  BLOB UNIQUE,
    previous_until REAL
) STRICT, WITHOUT ROWID;

-- Written by the readiness check, to know that writing works.
CREATE TABLE checked (times INTEGER NOT NULL) STRICT;
INSERT INTO checked VALUES (0);
