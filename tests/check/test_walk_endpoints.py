"""Who can reach a call of a model: the four shapes of open endpoints, what guards them, and what only looks like it."""

from tests.check.walked import Files, claims, marked, said

ASK = """
client = OpenAI()

def ask(text):
    return client.chat.completions.create(model="m", max_tokens=99, messages=[{"role": "user", "content": text}])
"""
FASTAPI = "from fastapi import APIRouter, Body, Depends, FastAPI, Header, HTTPException, Request, WebSocket\nfrom openai import OpenAI\n"
FLASK = "from functools import wraps\nfrom flask import Flask, abort, g, jsonify, redirect, request, session\nfrom openai import OpenAI\napp = Flask(__name__)\n"
EXPRESS = """import express from "express";
import OpenAI from "openai";
const app = express();
const client = new OpenAI();
const ask = (text) => client.chat.completions.create({ model: "m", max_tokens: 99, messages: [{ role: "user", content: text }] });
"""
HONO = EXPRESS.replace('import express from "express"', 'import { Hono } from "hono"').replace(
    "express()", "new Hono()"
)
NEXT = """import OpenAI from "openai";
const client = new OpenAI();
const ask = (text) => client.chat.completions.create({ model: "m", max_tokens: 99, messages: [{ role: "user", content: text }] });
"""


def fastapi(body: str) -> str:
    """A FastAPI app with a function that asks a model."""
    return FASTAPI + ASK + "app = FastAPI()\n" + body


def flask(body: str) -> str:
    """A Flask app with a function that asks a model."""
    return FLASK + ASK + body


@claims(
    "unprotected-llm-endpoint",
    py={
        "the handler asks itself": FASTAPI
        + """app = FastAPI()
client = OpenAI()
@app.post("/ask")
def answer(text: str = Body(max_length=99)):  # HERE
    return client.chat.completions.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])
""",
        "a nested generator asks": FASTAPI
        + """app = FastAPI()
from fastapi.responses import StreamingResponse
client = OpenAI()
@app.post("/ask")
async def answer(text: str = Body(max_length=99)):  # HERE
    async def events():
        for part in client.chat.completions.create(model="m", max_tokens=9, stream=True, messages=[]):
            yield part.choices[0].delta.content
    return StreamingResponse(events())
""",
        "two modules away": {
            "app.py": "from fastapi import FastAPI\nfrom service import answer\napp = FastAPI()\n@app.get('/a')\ndef a(q: str):  # HERE\n    return answer(q)\n",
            "service.py": "from llm import complete\ndef answer(q):\n    return complete(q).strip()\n",
            "llm.py": "import anthropic\nclient = anthropic.Anthropic()\ndef complete(q):\n    return client.messages.create(model='m', max_tokens=5, messages=[{'role': 'user', 'content': q}]).content[0].text\n",
        },
        "a loop over a websocket": fastapi("""
@app.websocket("/ws")
async def talk(ws: WebSocket):  # HERE
    await ws.accept()
    while True:
        await ws.send_text(str(ask(await ws.receive_text())))
"""),
        "flask, with a key of the app's own that is only checked to be set": flask("""
import os
@app.route("/a", methods=["POST"])
def a():  # HERE
    if not os.environ.get("OPENAI_API_KEY"):
        return jsonify(error="no key"), 401
    return jsonify(str(ask(request.json["q"])))
"""),
        "a check after the call": fastapi("""
@app.post("/a")
def a(request: Request, q: str):  # HERE
    said = ask(q)
    if not request.headers.get("x-token"):
        raise HTTPException(401)
    return said
"""),
        "an optional user": fastapi("""
def user_or_none(request: Request):
    return request.headers.get("x-user")

@app.post("/a")
def a(q: str, user=Depends(user_or_none)):  # HERE
    return ask(q)
"""),
        "cors and a session": fastapi("""
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.sessions import SessionMiddleware
app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
app.add_middleware(SessionMiddleware, secret_key=load())
@app.post("/a")
def a(q: str):  # HERE
    return ask(q)
"""),
        "a limiter that no route uses": fastapi("""
from slowapi import Limiter
limiter = Limiter(key_func=lambda r: r.client.host)
app.state.limiter = limiter
@app.post("/a")
def a(q: str):  # HERE
    return ask(q)
"""),
        "a refusal of an empty question": fastapi("""
@app.post("/a")
def a(q: str):  # HERE
    if not q:
        raise HTTPException(400, "say something")
    return ask(q)
"""),
        "a decorator that only logs": flask("""
def logged(f):
    @wraps(f)
    def inner(*args, **kwargs):
        print("called")
        return f(*args, **kwargs)
    return inner

@app.post("/a")
@logged
def a():  # HERE
    return jsonify(str(ask(request.json["q"])))
"""),
        "a dependency that gives the database": fastapi("""
def database():
    yield connect()

@app.post("/a")
def a(q: str, db=Depends(database)):  # HERE
    return ask(q)
"""),
        "a session without a login": flask("""
@app.post("/a")
def a():  # HERE
    session["count"] = session.get("count", 0) + 1
    return jsonify(str(ask(request.json["q"])))
"""),
    },
    js={
        "the handler asks itself": EXPRESS
        + """
app.post("/ask", async (req, res) => { // HERE
  const said = await client.chat.completions.create({ model: "m", max_tokens: 9, messages: [] });
  res.json(said);
});
""",
        "a nested stream asks": {
            "app/api/chat/route.ts": NEXT
            + """
export async function POST(req: Request) { // HERE
  const { q } = await req.json();
  const stream = new ReadableStream({
    async start(controller) {
      for await (const part of await ask(q)) controller.enqueue(part);
      controller.close();
    },
  });
  return new Response(stream);
}
"""
        },
        "two modules away": {
            "server.js": "const express = require('express');\nconst { answer } = require('./service');\nconst app = express();\napp.post('/a', async (req, res) => { // HERE\n  res.json(await answer(req.body.q));\n});\n",
            "service.js": "const llm = require('./llm');\nexports.answer = async (q) => (await llm.complete(q)).trim();\n",
            "llm.js": "const Anthropic = require('@anthropic-ai/sdk');\nconst client = new Anthropic();\nasync function complete(q) {\n  const m = await client.messages.create({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: q }] });\n  return m.content[0].text;\n}\nmodule.exports = { complete };\n",
        },
        "a socket": """import { Server } from "socket.io";
import OpenAI from "openai";
const client = new OpenAI();
const io = new Server(3000);
io.on("connection", (socket) => {
  socket.on("ask", async (q) => { // HERE
    socket.emit("said", await client.chat.completions.create({ model: "m", max_tokens: 9, messages: [{ role: "user", content: q }] }));
  });
});
""",
        "a key of the app's own that is only checked to be set": {
            "app/api/ask/route.ts": NEXT
            + """
export async function POST(req: Request) { // HERE
  if (!process.env.OPENAI_API_KEY) return new Response("no key", { status: 401 });
  const { q } = await req.json();
  return Response.json(await ask(q));
}
"""
        },
        "a check after the call": EXPRESS
        + """
app.post("/a", async (req, res) => { // HERE
  const said = await ask(req.body.q);
  if (!req.headers["x-token"]) return res.status(401).end();
  res.json(said);
});
""",
        "cors, helmet, a session": EXPRESS
        + """
import cors from "cors"; import helmet from "helmet"; import session from "express-session";
app.use(cors({ origin: "https://a.example" })); app.use(helmet()); app.use(express.json());
app.use(session({ secret: process.env.SESSION_SECRET, resave: false }));
app.post("/a", async (req, res) => { // HERE
  res.json(await ask(req.body.q));
});
""",
        "a limiter that no route uses": EXPRESS
        + """
import rateLimit from "express-rate-limit";
const limiter = rateLimit({ windowMs: 60_000, max: 10 });
app.post("/a", async (req, res) => { // HERE
  res.json(await ask(req.body.q));
});
""",
        "middleware of another path": EXPRESS
        + """
import { requireAuth } from "@clerk/express";
app.use("/admin", requireAuth());
app.post("/a", async (req, res) => { // HERE
  res.json(await ask(req.body.q));
});
""",
        "middleware that comes after the route": EXPRESS
        + """
app.post("/a", async (req, res) => { // HERE
  res.json(await ask(req.body.q));
});
app.use((req, res, next) => { if (!req.headers.authorization) return res.sendStatus(401); next(); });
""",
        "middleware that reads a user and lets everybody through": EXPRESS
        + """
import jwt from "jsonwebtoken";
app.use((req, res, next) => {
  try { req.user = jwt.verify(req.headers.authorization, process.env.JWT_SECRET); } catch {}
  next();
});
app.post("/a", async (req, res) => { // HERE
  res.json(await ask(req.body.q));
});
""",
        "a refusal of an empty question": HONO
        + """
app.post("/a", async (c) => { // HERE
  const { q } = await c.req.json();
  if (!q) return c.json({ error: "say something" }, 400);
  return c.json(await ask(q));
});
""",
        "a server action": {
            "app/actions.ts": '"use server";\n'
            + NEXT
            + "export async function answer(form: FormData) { // HERE\n  return ask(String(form.get('q')).slice(0, 99));\n}\n"
        },
    },
)
def test_open_endpoints_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)
