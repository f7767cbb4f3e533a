from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse, RedirectResponse

from tutor.history import connect
from tutor.paths import AUDIO
from tutor.security import Student

router = APIRouter()

COLUMNS = "latin, english, lesson"
BY_LESSON = f"SELECT {COLUMNS} FROM words WHERE lesson = ? ORDER BY latin LIMIT ?"
DICTIONARIES = {"lewis": "https://www.perseus.tufts.edu/", "wiki": "https://en.wiktionary.org/wiki/"}


@router.get("/lesson/{lesson}")
async def by_lesson(lesson: int, student: Student, limit: int = Query(50, le=200)):
    async with connect() as db:
        rows = await db.execute_fetchall(BY_LESSON, (lesson, limit))
    return [dict(zip(COLUMNS.split(", "), row)) for row in rows]


@router.get("/search")
async def search(student: Student, q: str = Query(max_length=50), lessons: list[int] = Query([], max_length=20)):
    marks = ",".join("?" for _ in lessons)
    where = f" AND lesson IN ({marks})" if lessons else ""
    async with connect() as db:
        rows = await db.execute_fetchall(f"SELECT latin FROM words WHERE latin LIKE ?{where}", [f"{q}%", *lessons])
    return [row[0] for row in rows]


@router.get("/audio/{name}")
async def audio(name: str):
    path = (AUDIO / name).resolve()
    if not path.is_relative_to(AUDIO) or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path)


@router.get("/look-up/{dictionary}")
async def look_up(dictionary: str):
    if dictionary not in DICTIONARIES:
        raise HTTPException(404)
    return RedirectResponse(DICTIONARIES[dictionary])
