-- Answers of calls that came with an idempotency key, for a day. `name` is the SHA-256 of owner and key, `end_user` that of
-- the end user (empty for none), `request` that of endpoint and body. Without an `answer` the call is being made, by
-- `process`. `expires_at` is in Unix seconds. The answer is as its client got it, packed.
CREATE TABLE idempotent_answers (
    name       BLOB NOT NULL PRIMARY KEY,
    key_id     TEXT NOT NULL,
    end_user   BLOB NOT NULL,
    request    BLOB NOT NULL,
    call_id    TEXT NOT NULL,
    process    TEXT NOT NULL,
    expires_at REAL NOT NULL,
    answer     BLOB
) STRICT;
CREATE INDEX idempotent_answers_by_expiry ON idempotent_answers (expires_at);
CREATE INDEX idempotent_answers_by_key ON idempotent_answers (key_id, end_user);
CREATE INDEX idempotent_answers_by_end_user ON idempotent_answers (end_user);
CREATE INDEX idempotent_answers_claimed ON idempotent_answers (process) WHERE answer IS NULL;
