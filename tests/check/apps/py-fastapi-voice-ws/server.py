import json
import os
import traceback

import httpx
from fastapi import FastAPI, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from openai import AsyncOpenAI

from llm import stream_answer, complete_http

app = FastAPI()
openai_client = AsyncOpenAI()

PAGE = open("index.html").read()


@app.exception_handler(Exception)
async def on_error(request, exc):
    return JSONResponse(status_code=500, content={"error": str(exc), "trace": traceback.format_exc()})


@app.get("/", response_class=HTMLResponse)
async def index():
    return PAGE


@app.websocket("/ws")
async def voice_socket(ws: WebSocket):
    await ws.accept()
    history = []
    try:
        while True:
            text = await ws.receive_text()
            history.append({"role": "user", "content": text})
            reply = ""
            async for token in stream_answer(history):
                reply += token
                await ws.send_text(json.dumps({"token": token}))
            history.append({"role": "assistant", "content": reply})
            await ws.send_text(json.dumps({"done": True}))
    except WebSocketDisconnect:
        pass


@app.get("/stream")
async def stream(q: str):
    async def events():
        response = await openai_client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": q}],
            stream=True,
        )
        async for chunk in response:
            delta = chunk.choices[0].delta.content
            if delta:
                yield f"data: {json.dumps(delta)}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/transcribe")
async def transcribe(file: UploadFile):
    transcript = await openai_client.audio.transcriptions.create(
        model="whisper-1", file=(file.filename, await file.read())
    )
    return {"text": transcript.text}


@app.get("/read-article")
async def read_article(url: str):
    async with httpx.AsyncClient(follow_redirects=True) as http:
        page = await http.get(url)
    return {"summary": await complete_http(f"Summarise this article:\n\n{page.text[:20000]}")}


@app.get("/voices")
async def voices():
    async with httpx.AsyncClient() as http:
        answer = await http.get("https://api.elevenlabs.io/v1/voices", headers={"xi-api-key": os.environ["ELEVENLABS_API_KEY"]})
    return [v["name"] for v in answer.json()["voices"]]
