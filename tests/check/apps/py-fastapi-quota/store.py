import sqlite3

TABLE = "jobs"


class Store:
    def __init__(self, path: str):
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (id TEXT PRIMARY KEY, owner TEXT, answer TEXT)")

    def start(self, job: str, owner: str) -> None:
        self.db.execute(f"INSERT INTO {TABLE} (id, owner) VALUES (?, ?)", (job, owner))
        self.db.commit()

    def finish(self, job: str, answer: str) -> None:
        self.db.execute(f"UPDATE {TABLE} SET answer = ? WHERE id = ?", (answer, job))
        self.db.commit()

    def read(self, job: str, owner: str) -> dict | None:
        row = self.db.execute("SELECT answer FROM jobs WHERE id = :job AND owner = :owner", {"job": job, "owner": owner}).fetchone()
        return {"done": row[0] is not None, "answer": row[0]} if row else None
