-- The tables and functions of procrastinate, which carries jobs to workers, are made from the files that its package
-- brings along (see `carrier_schema.py`). This says how far that has come: the last of its own migrations.
CREATE TABLE carrier_schema (migration TEXT NOT NULL);
