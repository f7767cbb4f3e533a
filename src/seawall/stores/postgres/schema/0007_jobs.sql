-- Jobs: calls and tasks that were accepted and are done later. Times in Unix seconds.

-- `lane` says whose turn a job takes. `hold` is JSON: the money of a job that waits, which lies in `holds` under the
-- process "jobs", on the accounts of `hold_day`. A job with `is_timed` waits for `due_at`. `carrier` is the number under
-- which it is with the engine, `worker` the process that is at it, `frames` how many pieces its stream has so far.
-- `delivery` is the schedule and moment of a job that nobody asked for.
CREATE TABLE jobs (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind            TEXT COLLATE "C" NOT NULL,
    key_id          TEXT COLLATE "C" NOT NULL,
    end_user        TEXT COLLATE "C" NOT NULL,
    lane            TEXT COLLATE "C" NOT NULL,
    endpoint        TEXT COLLATE "C" NOT NULL,
    model           TEXT COLLATE "C" NOT NULL,
    stream          SMALLINT         NOT NULL,
    priority        SMALLINT         NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    stage           TEXT COLLATE "C" NOT NULL,
    accepted_at     DOUBLE PRECISION NOT NULL,
    due_at          DOUBLE PRECISION NOT NULL,
    expires_at      DOUBLE PRECISION NOT NULL,
    started_at      DOUBLE PRECISION,
    ended_at        DOUBLE PRECISION,
    run             INTEGER          NOT NULL,
    failures        INTEGER          NOT NULL,
    caller          TEXT             NOT NULL,
    hold            TEXT,
    hold_day        TEXT COLLATE "C",
    is_cancelling   SMALLINT         NOT NULL,
    notify          SMALLINT         NOT NULL,
    status          INTEGER          NOT NULL,
    code            TEXT COLLATE "C",
    why             TEXT,
    is_timed        SMALLINT         NOT NULL,
    carrier         BIGINT,
    worker          TEXT COLLATE "C",
    frames          INTEGER          NOT NULL,
    request_hash    BYTEA            NOT NULL,
    idempotency_key TEXT COLLATE "C",
    delivery        TEXT COLLATE "C"
);
-- Whose turn it is in a lane.
CREATE INDEX jobs_waiting ON jobs (lane, priority DESC, accepted_at, id) WHERE state = 'waiting' AND is_timed = 0;
CREATE INDEX jobs_timed ON jobs (due_at) WHERE is_timed = 1;
CREATE INDEX jobs_with_engine ON jobs (carrier, state, priority) WHERE carrier IS NOT NULL;
CREATE INDEX jobs_running ON jobs (worker) WHERE state = 'running';
CREATE INDEX jobs_with_money ON jobs (hold_day) WHERE hold_day IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (state, id) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_by_owner ON jobs (end_user, key_id, id);
CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (key_id, end_user, endpoint, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_delivery ON jobs (delivery) WHERE delivery IS NOT NULL;

-- What a worker needs to do a job, and what its owner gets of it: beside the job, which changes often.
CREATE TABLE job_bodies (
    job             TEXT COLLATE "C" NOT NULL,
    part            TEXT COLLATE "C" NOT NULL CHECK (part IN ('request', 'answer')),
    data            BYTEA            NOT NULL,
    PRIMARY KEY (job, part)
);

-- The pieces of a job's stream.
CREATE TABLE job_frames (
    job             TEXT COLLATE "C" NOT NULL,
    number          INTEGER          NOT NULL,
    data            BYTEA            NOT NULL,
    PRIMARY KEY (job, number)
);

-- How many jobs of a lane are in each state but at their end, and the money held for those that have not begun; the lane
-- '' is all of them together, with the mean time of the last hundred runs.
CREATE TABLE job_lanes (
    lane            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    timed           INTEGER          NOT NULL CHECK (timed >= 0),
    waiting         INTEGER          NOT NULL CHECK (waiting >= 0),
    handed          INTEGER          NOT NULL CHECK (handed >= 0),
    running         INTEGER          NOT NULL CHECK (running >= 0),
    held            BIGINT           NOT NULL CHECK (held >= 0),
    took_s          DOUBLE PRECISION
) WITH (fillfactor = 50);

-- How many jobs of a kind have ever come to one end, and how long they had waited and run, in seconds.
CREATE TABLE job_sums (
    kind     TEXT COLLATE "C" NOT NULL,
    state    TEXT COLLATE "C" NOT NULL,
    jobs     BIGINT           NOT NULL,
    waited_s DOUBLE PRECISION NOT NULL,
    ran_s    DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (kind, state)
);

-- Holds that a process may have left behind: looking for them passes over those of a hundred thousand jobs that wait.
CREATE INDEX holds_of_processes ON holds (process) WHERE process <> 'jobs';
