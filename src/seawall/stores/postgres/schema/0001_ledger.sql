-- Accounts, holds, calls and sums. Money in nano-dollars, times in Unix milliseconds or seconds. Texts are compared
-- byte by byte, as SQLite does, so that ids sort by time whatever language the database is set to.

-- One scope in one period ("2026-11-21", "2026-11", "life"); the period is part of the key, so nothing is ever reset.
-- Pages are half empty: the few accounts that every call changes are written anew where they are.
CREATE TABLE accounts (
    scope   TEXT COLLATE "C" NOT NULL,
    period  TEXT COLLATE "C" NOT NULL,
    spent   BIGINT NOT NULL DEFAULT 0 CHECK (spent >= 0),
    held    BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0),
    overage BIGINT NOT NULL DEFAULT 0 CHECK (overage >= 0),
    PRIMARY KEY (scope, period)
) WITH (fillfactor = 50);
CREATE INDEX accounts_by_period ON accounts (period);

-- Money held for calls that are still running; `process` tells whose they are when it dies. `counts` is 0 after a call's
-- first attempt: its settlement adds no call to the sums by hour. `tokens` are for accounts whose period begins with
-- "tokens:"; money is in `amount`. `placed_at` is by the clock of the server: what was placed before its last start belongs
-- to a process that has lost its lock for that reason alone.
CREATE TABLE holds (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    process   TEXT COLLATE "C" NOT NULL,
    amount    BIGINT      NOT NULL CHECK (amount >= 0),
    accounts  TEXT        NOT NULL,
    row       TEXT        NOT NULL,
    counts    SMALLINT    NOT NULL DEFAULT 1,
    tokens    BIGINT      NOT NULL DEFAULT 0,
    placed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- One row per call, whatever became of it. Ids sort by time. `usage`, `decisions` and `attempts` are JSON, the last with
-- one line for each attempt at a provider; `saved` is what an answer from the cache would have cost.
CREATE TABLE calls (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at_ms        BIGINT           NOT NULL,
    endpoint     TEXT COLLATE "C" NOT NULL,
    key_id       TEXT COLLATE "C" NOT NULL,
    end_user     TEXT COLLATE "C",
    model        TEXT COLLATE "C" NOT NULL,
    provider     TEXT COLLATE "C" NOT NULL,
    stream       SMALLINT         NOT NULL,
    status       INTEGER          NOT NULL,
    outcome      TEXT COLLATE "C" NOT NULL,
    code         TEXT COLLATE "C",
    took_ms      DOUBLE PRECISION NOT NULL,
    first_ms     DOUBLE PRECISION,
    usage        TEXT,
    held         BIGINT           NOT NULL,
    cost         BIGINT           NOT NULL,
    overage      BIGINT           NOT NULL,
    listed_cost  BIGINT           NOT NULL,
    decisions    TEXT             NOT NULL,
    attempts     TEXT             NOT NULL DEFAULT '[]',
    saved        BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX calls_by_key ON calls (key_id, id);
CREATE INDEX calls_by_user ON calls (end_user, id) WHERE end_user IS NOT NULL;

-- Sums by hour, kept in the transaction that settles.
CREATE TABLE usage_hourly (
    hour         BIGINT NOT NULL,
    key_id       TEXT COLLATE "C" NOT NULL,
    end_user     TEXT COLLATE "C" NOT NULL,
    model        TEXT COLLATE "C" NOT NULL,
    calls        BIGINT NOT NULL,
    input        BIGINT NOT NULL,
    output       BIGINT NOT NULL,
    cached_read  BIGINT NOT NULL,
    cached_write BIGINT NOT NULL,
    reasoning    BIGINT NOT NULL,
    cost         BIGINT NOT NULL,
    overage      BIGINT NOT NULL,
    PRIMARY KEY (hour, key_id, end_user, model)
) WITH (fillfactor = 70);
CREATE INDEX usage_by_user ON usage_hourly (end_user, hour) WHERE end_user <> '';

-- Written by the readiness check, to know that writing works.
CREATE TABLE checked (times BIGINT NOT NULL);
INSERT INTO checked VALUES (0);
