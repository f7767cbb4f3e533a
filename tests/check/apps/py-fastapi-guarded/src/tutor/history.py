import aiosqlite

from tutor.settings import settings


def connect():
    return aiosqlite.connect(settings.database)


async def last_messages(student: str, count: int) -> list[dict[str, str]]:
    async with connect() as db:
        rows = await db.execute_fetchall(
            "SELECT role, content FROM messages WHERE student = ? ORDER BY id DESC LIMIT ?", (student, count)
        )
    return [{"role": role, "content": content} for role, content in reversed(rows)]


async def remember(student: str, question: str, answer: str) -> None:
    async with connect() as db:
        await db.executemany(
            "INSERT INTO messages (student, role, content) VALUES (?, ?, ?)",
            [(student, "user", question), (student, "assistant", answer)],
        )
        await db.commit()
