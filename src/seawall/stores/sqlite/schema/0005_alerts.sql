-- What was announced already, so that nothing is announced twice: one line per subject and period.
CREATE TABLE announced (
    subject TEXT NOT NULL PRIMARY KEY,
    at      REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX announced_by_age ON announced (at);

-- Events on their way to one channel each. Times in Unix seconds; `done_at` and `given_up_at` end one. A delivery
-- belongs to whoever took it until `leased_until`.
CREATE TABLE outbox (
    id           TEXT    NOT NULL PRIMARY KEY,
    event_id     TEXT    NOT NULL,
    at           REAL    NOT NULL,
    kind         TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    payload      TEXT    NOT NULL,
    tries        INTEGER NOT NULL DEFAULT 0,
    next_at      REAL    NOT NULL,
    leased_until REAL    NOT NULL DEFAULT 0,
    done_at      REAL,
    given_up_at  REAL,
    why          TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (next_at) WHERE done_at IS NULL AND given_up_at IS NULL;
