from fastapi import APIRouter, Depends, Query
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database import get_db

router = APIRouter()

SORTABLE = {"name": "name", "pages": "pages", "newest": "created_at DESC"}


@router.get("/")
def search(q: str, db: Session = Depends(get_db)):
    rows = db.execute(text(f"SELECT id, name FROM documents WHERE name LIKE '%{q}%'"))
    return [dict(r._mapping) for r in rows]


@router.get("/sorted")
def sorted_documents(order: str = Query("name"), limit: int = Query(20, le=100), db: Session = Depends(get_db)):
    column = SORTABLE.get(order, "name")
    rows = db.execute(text(f"SELECT id, name, pages FROM documents ORDER BY {column} LIMIT :n"), {"n": limit})
    return [dict(r._mapping) for r in rows]
