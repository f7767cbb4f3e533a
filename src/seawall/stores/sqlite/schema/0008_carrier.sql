-- What procrastinate needs to carry jobs to workers: its own names, and of its columns those that are used here. A
-- carrier knows the id of a job (in `args`, and as `lock`, so that a job is never run twice at once) and nothing else.
-- A worker has it while `status` is 'doing'; at its end it is deleted. Its number is never given again.
CREATE TABLE procrastinate_jobs (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_name    TEXT    NOT NULL,
    task_name     TEXT    NOT NULL,
    priority      INTEGER NOT NULL DEFAULT 0,
    lock          TEXT    NOT NULL,
    args          TEXT    NOT NULL,
    status        TEXT    NOT NULL DEFAULT 'todo' CHECK (status IN ('todo', 'doing')),
    worker_id     INTEGER
) STRICT;
CREATE INDEX procrastinate_jobs_next ON procrastinate_jobs (priority DESC, id, queue_name) WHERE status = 'todo';
CREATE UNIQUE INDEX procrastinate_jobs_doing ON procrastinate_jobs (lock) WHERE status = 'doing';

-- Workers, with the moment (Unix seconds) at which each was last heard of.
CREATE TABLE procrastinate_workers (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    last_heartbeat REAL    NOT NULL
) STRICT;

-- The last tick (Unix seconds) of each schedule that somebody has seen to: nobody else does it again.
CREATE TABLE procrastinate_periodic_defers (
    task_name       TEXT    NOT NULL,
    periodic_id     TEXT    NOT NULL,
    defer_timestamp INTEGER NOT NULL,
    PRIMARY KEY (task_name, periodic_id)
) STRICT, WITHOUT ROWID;
