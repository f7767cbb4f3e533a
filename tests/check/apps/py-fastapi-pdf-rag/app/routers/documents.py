import os
import shutil
from pathlib import Path

from fastapi import APIRouter, Depends, File, HTTPException, UploadFile
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session

from app.database import get_db
from app.models import Document
from app.rag import answer_question, index_pdf

router = APIRouter()
UPLOAD_DIR = Path("uploads")
UPLOAD_DIR.mkdir(exist_ok=True)


@router.post("/upload")
async def upload(file: UploadFile = File(...), db: Session = Depends(get_db)):
    if not file.filename.endswith(".pdf"):
        raise HTTPException(400, "Only PDF files")
    path = os.path.join("uploads", file.filename)
    with open(path, "wb") as out:
        shutil.copyfileobj(file.file, out)
    pages = index_pdf(path)
    doc = Document(name=file.filename, pages=pages)
    db.add(doc)
    db.commit()
    return {"id": doc.id, "pages": pages}


@router.get("/{doc_id}/download")
def download(doc_id: int, db: Session = Depends(get_db)):
    doc = db.query(Document).filter(Document.id == doc_id).first()
    if doc is None:
        raise HTTPException(404)
    return FileResponse(UPLOAD_DIR / f"{doc.id}.pdf")


@router.get("/raw/{name:path}")
def raw(name: str):
    return FileResponse(f"uploads/{name}")


@router.post("/{doc_id}/ask")
def ask(doc_id: int, question: str, db: Session = Depends(get_db)):
    doc = db.get(Document, doc_id)
    if doc is None:
        raise HTTPException(404, "No such document")
    return {"answer": answer_question(doc.name, question)}
