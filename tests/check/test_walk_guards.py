"""What guards a call of a model: dependencies, middleware, decorators, wrappers, and checks in the handler."""

from tests.check.test_walk_endpoints import ASK, EXPRESS, FASTAPI, HONO, NEXT, fastapi, flask
from tests.check.walked import Files, claims, marked, said


@claims(
    "unprotected-llm-endpoint",
    py={
        "a dependency that refuses": fastapi("""
def user(request: Request):
    found = lookup(request.headers.get("authorization"))
    if found is None:
        raise HTTPException(status_code=401)
    return found

@app.post("/a")
def a(q: str, who=Depends(user)):
    return ask(q)
"""),
        "a dependency of the security module": fastapi("""
from fastapi.security import HTTPBearer
bearer = HTTPBearer()

@app.post("/a")
def a(q: str, token=Depends(bearer)):
    return ask(q)
"""),
        "an annotated dependency of another file": {
            "deps.py": "from typing import Annotated\nfrom fastapi import Depends, Header, HTTPException\ndef caller(x_key: str = Header()):\n    row = db.find(x_key)\n    if not row:\n        raise HTTPException(403)\n    return row\nCaller = Annotated[dict, Depends(caller)]\n",
            "app.py": "from deps import Caller\n"
            + fastapi("@app.post('/a')\ndef a(q: str, who: Caller):\n    return ask(q)\n"),
        },
        "a dependency of the router": fastapi("""
def user(request: Request):
    if not request.headers.get("x-token"):
        raise HTTPException(401)
router = APIRouter(dependencies=[Depends(user)])
@router.post("/a")
def a(q: str):
    return ask(q)
app.include_router(router)
"""),
        "a dependency where the router is mounted": {
            "routes.py": "from fastapi import APIRouter\n"
            + FASTAPI
            + ASK
            + "router = APIRouter()\n@router.post('/a')\ndef a(q: str):\n    return ask(q)\n",
            "app.py": "from fastapi import Depends, FastAPI, HTTPException, Request\nimport routes\ndef user(r: Request):\n    if not r.headers.get('t'):\n        raise HTTPException(401)\napp = FastAPI()\napp.include_router(routes.router, dependencies=[Depends(user)])\n",
        },
        "a middleware function": fastapi("""
from fastapi.responses import JSONResponse
@app.middleware("http")
async def gate(request: Request, call_next):
    if request.headers.get("x-key") not in KEYS:
        return JSONResponse({"error": "no"}, status_code=401)
    return await call_next(request)
@app.post("/a")
def a(q: str):
    return ask(q)
"""),
        "a middleware class": fastapi("""
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import Response
class Gate(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if not valid(request.headers.get("x-key")):
            return Response(status_code=401)
        return await call_next(request)
app.add_middleware(Gate)
@app.post("/a")
def a(q: str):
    return ask(q)
"""),
        "a decorator of the app's own": flask("""
def members(f):
    @wraps(f)
    def inner(*args, **kwargs):
        if "uid" not in session:
            return redirect("/login")
        return f(*args, **kwargs)
    return inner

@app.post("/a")
@members
def a():
    return jsonify(str(ask(request.json["q"])))
"""),
        "a check inside the handler": flask("""
@app.post("/a")
def a():
    if not session.get("uid"):
        abort(401)
    return jsonify(str(ask(request.json["q"])))
"""),
        "a check before all requests": flask("""
@app.before_request
def gate():
    if request.headers.get("X-Key") != app.config["KEY"]:
        return jsonify(error="no"), 401

@app.post("/a")
def a():
    return jsonify(str(ask(request.json["q"])))
"""),
        "a helper two files away refuses": {
            "app.py": "from gate import entering\n"
            + flask(
                "@app.post('/a')\ndef a():\n    entering(request)\n    return str(ask(request.json['q']))\n"
            ),
            "gate.py": "from tokens import owner\ndef entering(r):\n    return owner(r.headers.get('Authorization', ''))\n",
            "tokens.py": "from flask import abort\ndef owner(token):\n    row = rows.get(token)\n    if row is None:\n        abort(403)\n    return row\n",
        },
        "slowapi on the route": fastapi("""
from slowapi import Limiter
limiter = Limiter(key_func=lambda r: r.client.host)
@app.post("/a")
@limiter.limit("5/minute")
def a(request: Request, q: str):
    return ask(q)
"""),
        "flask-login": flask("""
from flask_login import login_required
@app.post("/a")
@login_required
def a():
    return jsonify(str(ask(request.json["q"])))
"""),
        "permission classes": {
            "views.py": "from rest_framework.views import APIView\nfrom rest_framework.permissions import IsAuthenticated\nfrom rest_framework.response import Response\nfrom openai import OpenAI\n"
            + ASK
            + "class Ask(APIView):\n    permission_classes = [IsAuthenticated]\n    def post(self, request):\n        return Response(str(ask(request.data['q'])))\n",
            "urls.py": "from django.urls import path\nfrom views import Ask\nurlpatterns = [path('ask', Ask.as_view())]\n",
        },
        "a quota of the app's own": flask("""
def spend(ip):
    used[ip] = used.get(ip, 0) + 1
    if used[ip] > 20:
        abort(429)

@app.post("/a")
def a():
    spend(request.remote_addr)
    return jsonify(str(ask(request.json["q"])))
"""),
        "the caller brings the key": flask("""
@app.post("/a")
def a():
    own = OpenAI(api_key=request.headers["X-Key"])
    return jsonify(str(own.chat.completions.create(model="m", max_tokens=9, messages=[])))
"""),
        "a websocket that closes on strangers": fastapi("""
@app.websocket("/ws")
async def talk(ws: WebSocket, token: str = ""):
    if not known(token):
        await ws.close(code=1008)
        return
    await ws.accept()
    while True:
        await ws.send_text(str(ask(await ws.receive_text())))
"""),
    },
    js={
        "middleware on the route": EXPRESS
        + """
const members = (req, res, next) => { if (!req.session.uid) return res.status(401).json({}); next(); };
app.post("/a", members, async (req, res) => { res.json(await ask(req.body.q)); });
""",
        "middleware on the app": EXPRESS
        + """
app.use(async (req, res, next) => {
  const found = await db.key(req.get("x-key"));
  if (!found) return res.sendStatus(403);
  next();
});
app.post("/a", async (req, res) => { res.json(await ask(req.body.q)); });
""",
        "middleware where the router is mounted": {
            "routes.ts": EXPRESS
            + "export const router = express.Router();\nrouter.post('/a', async (req, res) => { res.json(await ask(req.body.q)); });\n",
            "server.ts": "import express from 'express';\nimport { router } from './routes';\nimport { gate } from './gate';\nconst app = express();\napp.use('/api', gate, router);\n",
            "gate.ts": "export function gate(req, res, next) {\n  if (!req.headers.authorization) { res.status(401).end(); return; }\n  next();\n}\n",
        },
        "a limiter on the path": EXPRESS
        + """
import rateLimit from "express-rate-limit";
app.use("/api/", rateLimit({ windowMs: 60_000, max: 10 }));
app.post("/api/a", async (req, res) => { res.json(await ask(req.body.q)); });
""",
        "a wrapper around the handler": {
            "lib/with-user.ts": "import { getUser } from './session';\nexport const withUser = (handler) => async (req) => {\n  const user = await getUser(req);\n  if (!user) return new Response('no', { status: 401 });\n  return handler(req, user);\n};\n",
            "app/api/a/route.ts": NEXT
            + "import { withUser } from '../../../lib/with-user';\nexport const POST = withUser(async (req) => {\n  const { q } = await req.json();\n  return Response.json(await ask(q));\n});\n",
        },
        "auth() in the handler": {
            "app/api/a/route.ts": 'import { auth } from "@/auth";\n'
            + NEXT
            + "export async function POST(req) {\n  const session = await auth();\n  if (!session?.user) return new Response(null, { status: 401 });\n  return Response.json(await ask('x'));\n}\n"
        },
        "a helper that throws": {
            "app/api/a/route.ts": "import { owner } from './owner';\n"
            + NEXT
            + "export async function POST(req) {\n  const who = await owner(req);\n  return Response.json(await ask('x'));\n}\n",
            "app/api/a/owner.ts": "import { find } from './find';\nexport async function owner(req) {\n  const row = await find(req.headers.get('authorization'));\n  return row.id;\n}\n",
            "app/api/a/find.ts": "export async function find(token) {\n  const row = await db.tokens.findOne({ token: String(token) });\n  if (!row) throw new HTTPError(401);\n  return row;\n}\n",
        },
        "a middleware file with a matcher": {
            "middleware.ts": "import { NextResponse } from 'next/server';\nexport function middleware(req) {\n  if (!req.cookies.get('session')) return NextResponse.redirect(new URL('/login', req.url));\n  return NextResponse.next();\n}\nexport const config = { matcher: ['/api/:path*'] };\n",
            "app/api/a/route.ts": NEXT
            + "export async function POST(req) {\n  return Response.json(await ask('x'));\n}\n",
        },
        "bearerAuth of hono": HONO
        + """
import { bearerAuth } from "hono/bearer-auth";
app.use("/api/*", bearerAuth({ token: process.env.TOKEN }));
app.post("/api/a", async (c) => c.json(await ask((await c.req.json()).q)));
""",
        "a limiter asked in the handler": {
            "app/api/a/route.ts": 'import { Ratelimit } from "@upstash/ratelimit";\n'
            + NEXT
            + "const ratelimit = new Ratelimit({});\nexport async function POST(req) {\n  const { success } = await ratelimit.limit(req.headers.get('x-forwarded-for'));\n  if (!success) return new Response('slow down', { status: 429 });\n  return Response.json(await ask('x'));\n}\n"
        },
        "a guard of nest": {
            "ask.controller.ts": "import { Body, Controller, Post, UseGuards } from '@nestjs/common';\nimport { KeyGuard } from './key.guard';\n"
            + NEXT
            + "@Controller('ask')\n@UseGuards(KeyGuard)\nexport class AskController {\n  @Post()\n  async a(@Body() body: any) { return ask(body.q); }\n}\n",
            "key.guard.ts": "export class KeyGuard implements CanActivate {\n  canActivate(ctx) { return ctx.switchToHttp().getRequest().headers['x-key'] === this.key; }\n}\n",
        },
        "a server action that asks who": {
            "app/actions.ts": '"use server";\nimport { auth } from "@/auth";\nimport { redirect } from "next/navigation";\n'
            + NEXT
            + "export async function answer(form: FormData) {\n  const s = await auth();\n  if (!s) redirect('/login');\n  return ask('x');\n}\n"
        },
        "a socket that refuses strangers": """import { Server } from "socket.io";
import OpenAI from "openai";
const client = new OpenAI();
const io = new Server(3000);
io.use((socket, next) => { const u = users.get(socket.handshake.auth.token); if (!u) return next(new Error("unauthorized")); next(); });
io.on("connection", (socket) => {
  socket.on("ask", async (q) => {
    socket.emit("said", await client.chat.completions.create({ model: "m", max_tokens: 9, messages: [] }));
  });
});
""",
        "a local model costs nothing": EXPRESS.replace(
            "new OpenAI()", 'new OpenAI({ baseURL: "http://localhost:11434/v1" })'
        )
        + "app.post('/a', async (req, res) => { res.json(await ask(req.body.q)); });\n",
    },
)
def test_guarded_endpoints_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []
