"""Recipe buddy: tell it what's in your fridge and it comes up with dinner."""
import os
from datetime import datetime

import uvicorn
from dotenv import load_dotenv
from fastapi import FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from openai import OpenAI
from pydantic import BaseModel

load_dotenv()

app = FastAPI(title="Recipe Buddy")

app.add_middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)

client = OpenAI(api_key=os.getenv("OPENAI_API_KEY"))

SYSTEM_PROMPT = "You are a friendly chef who helps people cook."

# keeps the conversation going
conversation = [{"role": "system", "content": SYSTEM_PROMPT}]


class ChatRequest(BaseModel):
    message: str
    servings: int = 2


class Rating(BaseModel):
    recipe_id: int
    stars: int


ratings: dict[int, list[int]] = {}


@app.get("/")
def index():
    return {"status": "ok", "time": datetime.utcnow().isoformat()}


@app.post("/chat")
def chat(req: ChatRequest):
    conversation.append({"role": "user", "content": f"For {req.servings} people: {req.message}"})
    try:
        completion = client.chat.completions.create(
            model="gpt-4o",
            messages=conversation,
            temperature=0.8,
        )
    except Exception as e:
        raise HTTPException(status_code=500, detail=str(e))
    answer = completion.choices[0].message.content
    conversation.append({"role": "assistant", "content": answer})
    return {"reply": answer}


@app.post("/suggest")
async def suggest(request: Request):
    data = await request.json()
    ingredients = data.get("ingredients", "")
    result = client.responses.create(
        model="gpt-4o-mini",
        input=f"Suggest three dishes using only: {ingredients}",
        max_output_tokens=400,
    )
    return {"dishes": result.output_text.split("\n")}


@app.post("/rate")
def rate(rating: Rating):
    if not 1 <= rating.stars <= 5:
        raise HTTPException(status_code=422, detail="stars must be between 1 and 5")
    ratings.setdefault(rating.recipe_id, []).append(rating.stars)
    return {"average": sum(ratings[rating.recipe_id]) / len(ratings[rating.recipe_id])}


if __name__ == "__main__":
    uvicorn.run("main:app", host="0.0.0.0", port=int(os.getenv("PORT", 8000)), reload=True)
