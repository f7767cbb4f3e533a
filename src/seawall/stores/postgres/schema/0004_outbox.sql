-- What is announced to the operator. Times in Unix seconds.

-- What was announced already, so that nothing is announced twice: one line per subject and period.
CREATE TABLE announced (
    subject TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at      DOUBLE PRECISION NOT NULL
);
CREATE INDEX announced_by_age ON announced (at);

-- Events on their way to one channel each. `done_at` and `given_up_at` end one. A delivery belongs to whoever took it
-- until `leased_until`.
CREATE TABLE outbox (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    event_id     TEXT COLLATE "C" NOT NULL,
    at           DOUBLE PRECISION NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    channel      TEXT COLLATE "C" NOT NULL,
    payload      TEXT             NOT NULL,
    tries        INTEGER          NOT NULL DEFAULT 0,
    next_at      DOUBLE PRECISION NOT NULL,
    leased_until DOUBLE PRECISION NOT NULL DEFAULT 0,
    done_at      DOUBLE PRECISION,
    given_up_at  DOUBLE PRECISION,
    why          TEXT
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE done_at IS NULL AND given_up_at IS NULL;
