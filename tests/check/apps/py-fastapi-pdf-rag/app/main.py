from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import models
from app.database import engine
from app.routers import documents, search

models.Base.metadata.create_all(bind=engine)

app = FastAPI(title="AskMyPDF", debug=True)
app.include_router(documents.router, prefix="/documents", tags=["documents"])
app.include_router(search.router, prefix="/search", tags=["search"])
app.mount("/static", StaticFiles(directory="static"), name="static")
