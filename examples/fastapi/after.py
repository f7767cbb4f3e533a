"""The same wrapper behind Seawall: it says for whom it asks, and passes on why it was told to wait.

    pip install fastapi uvicorn openai
    seawall serve
    OPENAI_BASE_URL=http://127.0.0.1:8787/v1 OPENAI_API_KEY=sw-... uvicorn after:app

The provider's key is Seawall's now. What changed is marked.
"""

from typing import Annotated

from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse
from openai import APIStatusError, AsyncOpenAI
from pydantic import BaseModel

app = FastAPI()
client = AsyncOpenAI(max_retries=0)  # a person waits: tell at once
MODEL = "gpt-5-mini"


class Question(BaseModel):
    text: str


@app.post("/ask", response_model=None)
async def ask(
    question: Question,
    user: Annotated[str, Header(alias="x-user")],  # in your app: who is logged in
) -> dict[str, str | None] | JSONResponse:
    try:
        answer = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question.text}],
            extra_headers={"seawall-user": user},  # changed: for whom
            max_tokens=500,  # changed: how long an answer may be
        )
    except APIStatusError as error:  # changed: limits, quotas and budgets explain themselves
        details = (error.body or {}).get("details", {}) if isinstance(error.body, dict) else {}
        wait = (
            {"retry-after": error.response.headers["retry-after"]}
            if error.status_code == 429 and ("retry-after" in error.response.headers)
            else {}
        )
        return JSONResponse(
            {"problem": details.get("say", "Please try again later.")}, error.status_code, wait
        )
    return {"answer": answer.choices[0].message.content}
