"""Moves everything that is stored from one home to another: from SQLite to Postgres, and back."""
