import json
import os

import httpx
from google import genai
from openai import AsyncOpenAI

deepseek = AsyncOpenAI(base_url="https://api.deepseek.com", api_key=os.environ["DEEPSEEK_API_KEY"])
gemini = genai.Client()


async def quick_tip(city: str) -> str:
    answer = await deepseek.chat.completions.create(
        model="deepseek-chat", max_tokens=120, messages=[{"role": "user", "content": f"One travel tip for {city}"}]
    )
    return answer.choices[0].message.content


async def plan_trip(owner: str, wish: str) -> None:
    plan, done = "", False
    while not done:
        draft = gemini.models.generate_content(
            model="gemini-2.0-flash", contents=f"Plan a trip: {wish}\nPrevious plan: {plan}\nAnswer as JSON: plan, link, done"
        )
        parsed = json.loads(draft.text)
        plan, done = parsed["plan"], parsed["done"]
    async with httpx.AsyncClient() as http:
        page = await http.get(parsed["link"])
    with open(f"plans/{owner}.json", "w") as f:
        json.dump({"plan": plan, "title": page.text[:100]}, f)
