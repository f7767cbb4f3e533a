import os

import httpx
from openai import AsyncOpenAI

client = AsyncOpenAI()
API_URL = "https://api.openai.com/v1/chat/completions"


async def stream_answer(messages):
    stream = await client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "system", "content": "You are a voice assistant. Keep answers short."}] + messages,
        stream=True,
        max_completion_tokens=300,
    )
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


async def complete_http(prompt: str) -> str:
    """Same thing without the SDK, some hosts block it."""
    headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    payload = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}]}
    print("calling openai with", headers)
    async with httpx.AsyncClient(timeout=60, verify=False) as http:
        response = await http.post(API_URL, headers=headers, json=payload)
    response.raise_for_status()
    return response.json()["choices"][0]["message"]["content"]
