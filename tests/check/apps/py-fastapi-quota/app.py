"""Plain-language explanations of letters from the authorities."""
import logging
import os
import secrets
import subprocess
from pathlib import Path

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

from explain import explain_letter
from quota import needs_api_key, within_quota
from store import Store

logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"))
log = logging.getLogger("letters")
app = FastAPI(debug=os.environ.get("APP_DEBUG") == "1")
store = Store(os.environ.get("LETTERS_DB", "letters.db"))
LETTERS = Path("letters").resolve()
LANGUAGES = ["de", "en", "tr", "uk"]
if not os.environ.get("SESSION_SECRET"):
    raise SystemExit("Set SESSION_SECRET first")


class Letter(BaseModel):
    text: str = Field(max_length=8000)
    language: str = Field("en", pattern="^(de|en|tr|uk)$")


@app.post("/explain")
@needs_api_key
@within_quota(per_day=20)
async def explain(request: Request, letter: Letter, tasks: BackgroundTasks):
    job = secrets.token_urlsafe(16)
    store.start(job, request.state.owner)
    tasks.add_task(run_job, job, letter)
    return {"job": job}


@app.get("/jobs/{job}")
@needs_api_key
async def job_result(request: Request, job: str):
    found = store.read(job, request.state.owner)
    if found is None:
        raise HTTPException(404, "No such job")
    return found


@app.get("/letters/{name}")
@needs_api_key
async def letter_file(request: Request, name: str):
    path = (LETTERS / name).resolve()
    if not path.is_relative_to(LETTERS) or not path.exists():
        raise HTTPException(404)
    return Response(path.read_bytes(), media_type="application/pdf")


@app.post("/login")
async def login(response: Response):
    response.set_cookie("session", secrets.token_urlsafe(32), httponly=True, secure=True, samesite="lax", max_age=3600)
    return {"ok": True}


@app.get("/version")
def version():
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {"version": commit.stdout.strip()}


def run_job(job: str, letter: Letter) -> None:
    try:
        store.finish(job, explain_letter(letter.text, letter.language))
    except Exception:
        log.exception("Job %s failed", job)
        store.finish(job, "Sorry, that did not work.")
