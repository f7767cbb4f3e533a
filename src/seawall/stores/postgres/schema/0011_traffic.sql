-- What advice is made from: what requests looked like, sums of calls by hour, and what people say of answers.

-- What the request looked like, without its text: see core.traffic.Shape. JSON.
ALTER TABLE calls ADD COLUMN shape TEXT;

-- Sums of the calls of an hour, counted from 1970, as JSON: see core.traffic.Hour. Every hour before `until` is summed up.
CREATE TABLE traffic_hourly (
    hour BIGINT NOT NULL PRIMARY KEY,
    data TEXT   NOT NULL
);
CREATE TABLE traffic_summed (until BIGINT NOT NULL);
INSERT INTO traffic_summed VALUES (0);

-- What is said of an answer, by whoever got it; the newest word counts. Times in Unix seconds.
CREATE TABLE feedback (
    call_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at       DOUBLE PRECISION NOT NULL,
    key_id   TEXT COLLATE "C" NOT NULL,
    end_user TEXT COLLATE "C" NOT NULL,
    model    TEXT COLLATE "C" NOT NULL,
    rating   TEXT             NOT NULL CHECK (rating IN ('up', 'down')),
    comment  TEXT
);
CREATE INDEX feedback_by_age ON feedback (at);
CREATE INDEX feedback_by_user ON feedback (end_user) WHERE end_user <> '';
