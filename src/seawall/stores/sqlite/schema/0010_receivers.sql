-- The webhooks of apps whose last delivery failed. Times in Unix seconds; nothing is sent to one that was disabled.
CREATE TABLE receivers (
    channel       TEXT    NOT NULL PRIMARY KEY,
    failures      INTEGER NOT NULL,
    failing_since REAL    NOT NULL,
    disabled_at   REAL,
    why           TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What is due is asked for by channel: one that is slow keeps no other waiting.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (channel, next_at) WHERE done_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_by_age ON outbox (at);

-- Whether a user may be mailed when a job is done.
ALTER TABLE users ADD COLUMN may_mail INTEGER NOT NULL DEFAULT 1;
