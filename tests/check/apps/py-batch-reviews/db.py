import sqlite3
from pathlib import Path

COLUMNS = ("text", "score", "tags")


class Database:
    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS reviews (id INTEGER PRIMARY KEY, text TEXT, score INTEGER, tags TEXT, topic TEXT)"
        )

    def add(self, *values: object) -> None:
        marks = ", ".join("?" * len(COLUMNS))
        with self.connection:
            self.connection.execute(f"INSERT INTO reviews ({', '.join(COLUMNS)}) VALUES ({marks})", values)

    def unclassified(self, limit: int) -> list[tuple[int, str]]:
        return self.connection.execute("SELECT id, text FROM reviews WHERE topic IS NULL LIMIT ?", (limit,)).fetchall()

    def save(self, rows: list[tuple[str, int]]) -> None:
        with self.connection:
            self.connection.executemany("UPDATE reviews SET topic = ? WHERE id = ?", rows)

    def by_topic(self, operation: str) -> list[tuple[str, float]]:
        return self.connection.execute(f"SELECT topic, {operation} FROM reviews GROUP BY topic").fetchall()
