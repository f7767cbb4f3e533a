"""The wrapper as tutorials have it: whoever finds the address spends your money, as fast as they can type.

pip install fastapi uvicorn openai
OPENAI_API_KEY=... uvicorn before:app
"""

from fastapi import FastAPI
from openai import AsyncOpenAI
from pydantic import BaseModel

app = FastAPI()
client = AsyncOpenAI()
MODEL = "gpt-5-mini"


class Question(BaseModel):
    text: str


@app.post("/ask")
async def ask(question: Question) -> dict[str, str | None]:
    answer = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": question.text}]
    )
    return {"answer": answer.choices[0].message.content}
