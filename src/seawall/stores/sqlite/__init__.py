"""The embedded home: one SQLite file, one writer thread per process."""
