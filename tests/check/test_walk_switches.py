"""What tells too much or is left open: logs, error texts, debug, TLS, plain http, CORS, cookies, tokens."""

from tests.check.walked import Files, claims, findings_in, marked, said

FASTAPI = """import logging, os, traceback
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
app = FastAPI()
log = logging.getLogger(__name__)
"""
FLASK = "import logging, os, traceback\nfrom flask import Flask, jsonify, request\napp = Flask(__name__)\n"
BROWSER = '{"dependencies": {"react": "19", "react-dom": "19"}, "devDependencies": {"vite": "6"}}'
EXPRESS = "import express from 'express';\nconst app = express();\n"


@claims(
    "secrets-in-logs",
    py={
        "a key of the environment": "import os\nkey = os.environ['OPENAI_API_KEY']\nprint('using', key)  # HERE\n",
        "in a text": "import logging, os\nlogging.info(f\"key={os.getenv('STRIPE_SECRET_KEY')}\")  # HERE\n",
        "a password that somebody typed": FLASK
        + "@app.post('/a')\ndef a():\n    app.logger.info('login %s', request.form['password'])  # HERE\n    return ''\n",
        "through a helper": "import os\nfrom loguru import logger\ndef tell(what):\n    logger.debug(what)  # HERE\ntell(os.environ['DB_PASSWORD'])\n",
    },
    js={
        "a key of the environment": "console.log('key', process.env.OPENAI_API_KEY); // HERE\n",
        "in a template": "const key = process.env.STRIPE_SECRET_KEY;\nconsole.error(`failed with ${key}`); // HERE\n",
        "a password that somebody typed": EXPRESS
        + "app.post('/a', (req, res) => {\n  console.log('login', req.body.email, req.body.password); // HERE\n  res.end();\n});\n",
    },
)
def test_secrets_in_logs_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "secrets-in-logs",
    py={
        "whether it is there": "import os\nprint('key set:', bool(os.environ.get('OPENAI_API_KEY')))\n",
        "its length": "import os\nprint(len(os.environ['OPENAI_API_KEY']))\n",
        "its last letters": "import os\nprint('...' + os.environ['OPENAI_API_KEY'][-4:])\n",
        "its name": "import os\nif not os.environ.get('OPENAI_API_KEY'):\n    print('OPENAI_API_KEY is not set')\n",
        "another variable": "import os\nprint(os.environ['MODEL'], os.environ.get('MAX_TOKENS'))\n",
        "a comparison": "import os\nprint(os.environ['API_KEY'] == '')\n",
    },
    js={
        "whether it is there": "console.log('key set', !!process.env.OPENAI_API_KEY);\n",
        "its name": "if (!process.env.OPENAI_API_KEY) console.warn('OPENAI_API_KEY is not set');\n",
        "another variable": "console.log(process.env.NODE_ENV, process.env.PORT);\n",
        "its first letters": "console.log(process.env.API_KEY.slice(0, 4));\n",
        "one of two words": "console.log(process.env.API_KEY ? 'set' : 'missing');\n",
    },
)
def test_words_about_secrets_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "stack-trace-to-client",
    py={
        "a traceback": FLASK
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except Exception:\n        return jsonify(error=traceback.format_exc()), 500  # HERE\n",
        "the text of the error": FASTAPI
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except Exception as e:\n        raise HTTPException(500, detail=str(e))  # HERE\n",
        "in a text": FASTAPI
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except Exception as exc:\n        return {'error': f'failed: {exc}'}  # HERE\n",
        "an error handler": FASTAPI
        + "@app.exception_handler(Exception)\nasync def failed(request: Request, exc: Exception):\n    return JSONResponse({'error': str(exc)}, status_code=500)  # HERE\n",
        "an error handler of flask": FLASK
        + "@app.errorhandler(Exception)\ndef failed(e):\n    return jsonify(error=str(e), trace=traceback.format_exc()), 500  # HERE\n",
        "a generator": FASTAPI
        + "from fastapi.responses import StreamingResponse\n@app.get('/a')\ndef a():\n    def parts():\n        try:\n            yield work()\n        except Exception as e:\n            yield f'data: {e}'\n    return StreamingResponse(parts())  # HERE\n",
    },
    js={
        "a stack": EXPRESS
        + "app.get('/a', async (req, res) => {\n  try { res.json(await work()); } catch (err) {\n    res.status(500).json({ error: err.stack }); // HERE\n  }\n});\n",
        "the message": EXPRESS
        + "app.get('/a', async (req, res) => {\n  try { res.json(await work()); } catch (e) {\n    res.status(500).send(e.message); // HERE\n  }\n});\n",
        "an error handler": EXPRESS
        + "app.use((err, req, res, next) => {\n  res.status(500).json({ error: err.message }); // HERE\n});\n",
        "in production": EXPRESS
        + "app.use((err, req, res, next) => {\n  if (process.env.NODE_ENV === 'production') return res.status(500).json({ error: err.message }); // HERE\n  res.status(500).end();\n});\n",
        "a next route": {
            "app/api/a/route.ts": "export async function GET() {\n  try { return Response.json(await work()); } catch (error) {\n    return Response.json({ error: String(error) }, { status: 500 }); // HERE\n  }\n}\n"
        },
        "onError of hono": "import { Hono } from 'hono';\nconst app = new Hono();\napp.onError((err, c) => c.json({ error: err.message }, 500)); // HERE\n",
    },
)
def test_errors_that_tell_too_much_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "stack-trace-to-client",
    py={
        "a text of the app's own": FASTAPI
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except Exception as e:\n        log.exception('failed')\n        raise HTTPException(500, detail='Something went wrong') from e\n",
        "a known error": FASTAPI
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except ValueError as e:\n        raise HTTPException(400, detail=str(e))\n",
        "only logged": FLASK
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except Exception as e:\n        app.logger.error('failed: %s', e)\n        return jsonify(error='failed'), 500\n",
        "a script": "import traceback\ntry:\n    work()\nexcept Exception:\n    print(traceback.format_exc())\n",
        "only while debugging": FLASK
        + "@app.errorhandler(Exception)\ndef failed(e):\n    if app.debug:\n        return jsonify(error=traceback.format_exc()), 500\n    return jsonify(error='failed'), 500\n",
        "its class": FASTAPI
        + "@app.get('/a')\ndef a():\n    try:\n        return work()\n    except Exception as e:\n        return {'error': type(e).__name__}\n",
    },
    js={
        "a text of the app's own": EXPRESS
        + "app.get('/a', async (req, res) => {\n  try { res.json(await work()); } catch (err) {\n    console.error(err);\n    res.status(500).json({ error: 'Something went wrong' });\n  }\n});\n",
        "only logged": EXPRESS
        + "app.use((err, req, res, next) => {\n  console.error(err.stack);\n  res.status(500).json({ error: 'failed' });\n});\n",
        "handed on": EXPRESS
        + "app.get('/a', async (req, res, next) => {\n  try { res.json(await work()); } catch (err) { next(err); }\n});\n",
        "only to developers": EXPRESS
        + "const isDev = process.env.NODE_ENV !== 'production';\napp.use((err, req, res, next) => {\n  if (isDev) return res.status(500).json({ error: err.message, stack: err.stack });\n  res.status(500).json({ error: 'failed' });\n});\n",
        "an error that the app knows": EXPRESS
        + "class AppError extends Error {}\napp.use((err, req, res, next) => {\n  if (err instanceof AppError) return res.status(400).json({ error: err.message });\n  res.status(500).json({ error: 'failed' });\n});\n",
        "an error with a status": EXPRESS
        + "app.use((err, req, res, next) => {\n  const status = err.status || 500;\n  res.status(status).json({ error: err.status < 500 ? err.message : 'failed' });\n});\n",
        "after production has left": EXPRESS
        + "app.use((err, req, res, next) => {\n  if (process.env.NODE_ENV === 'production') return res.status(500).end();\n  res.status(500).json({ error: err.message });\n});\n",
        "spread only while developing": EXPRESS
        + "app.use((err, req, res, next) => {\n  res.status(500).json({ error: 'failed', ...(process.env.NODE_ENV === 'development' && { stack: err.stack }) });\n});\n",
        "only while developing": EXPRESS
        + "app.use((err, req, res, next) => {\n  res.status(500).json({ error: process.env.NODE_ENV === 'production' ? 'failed' : err.message });\n});\n",
    },
)
def test_errors_that_tell_nothing_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "debug-on",
    py={
        "flask": FLASK + "app.run(debug=True)  # HERE\n",
        "fastapi": "from fastapi import FastAPI\napp = FastAPI(debug=True)  # HERE\n",
        "django": {"shop/settings.py": "DEBUG = True  # HERE\nALLOWED_HOSTS = []\n"},
        "an attribute": FLASK + "app.debug = True  # HERE\n",
        "a config": FLASK + "app.config['DEBUG'] = True  # HERE\n",
    },
    js={
        "errorhandler": EXPRESS
        + "import errorhandler from 'errorhandler';\napp.use(errorhandler()); // HERE\n"
    },
)
def test_debug_is_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "debug-on",
    py={
        "off": FLASK + "app.run(debug=False)\n",
        "from the environment": FLASK + "app.run(debug=os.environ.get('DEBUG') == '1')\n",
        "settings of developers": {
            "shop/settings/dev.py": "DEBUG = True\n",
            "shop/settings/base.py": "DEBUG = False\n",
        },
        "a flag of something else": "DEBUG = True\nif DEBUG:\n    print('x')\n",
        "a level of logging": "import logging\nlogging.basicConfig(level=logging.DEBUG)\n",
    },
    js={"another option": "start({ debug: true });\n"},
)
def test_debug_that_is_off_is_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "tls-off",
    py={
        "requests": "import requests\nrequests.get('https://a.example', verify=False)  # HERE\n",
        "a session": "import requests\ns = requests.Session()\ns.verify = False  # HERE\n",
        "httpx": "import httpx\nc = httpx.Client(verify=False)  # HERE\n",
        "a context": "import ssl\nctx = ssl.create_default_context()\nctx.check_hostname = False  # HERE\nctx.verify_mode = ssl.CERT_NONE  # HERE\n",
        "the whole process": "import ssl\nssl._create_default_https_context = ssl._create_unverified_context  # HERE\n",
        "aiohttp": "import aiohttp\nconnector = aiohttp.TCPConnector(ssl=False)  # HERE\n",
    },
    js={
        "an agent": "import https from 'https';\nconst agent = new https.Agent({ rejectUnauthorized: false }); // HERE\n",
        "the whole process": "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // HERE\n",
        "a database": "import { Pool } from 'pg';\nconst pool = new Pool({ ssl: { rejectUnauthorized: false } }); // HERE\n",
    },
)
def test_certificates_that_nobody_checks_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "tls-off",
    py={
        "on": "import requests\nrequests.get('https://a.example', verify=True)\n",
        "a bundle": "import requests\nrequests.get('https://a.example', verify='/etc/ca.pem')\n",
        "verify of something else": "import jwt\njwt.decode(t, key, algorithms=['HS256'])\ncheck(verify=None)\n",
    },
    js={
        "on": "import https from 'https';\nconst agent = new https.Agent({ rejectUnauthorized: true });\n",
        "only while developing": "import https from 'https';\nconst agent = new https.Agent({ rejectUnauthorized: process.env.NODE_ENV === 'production' });\n",
    },
)
def test_certificates_that_are_checked_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "http-endpoint",
    py={
        "a call": "import requests\nrequests.post('http://api.shop.com/v1', json={})  # HERE\n",
        "a base address": "import httpx\nc = httpx.Client(base_url='http://api.shop.com')  # HERE\n",
    },
    js={
        "fetch": "export const a = () => fetch('http://api.shop.com/v1'); // HERE\n",
        "axios": "import axios from 'axios';\nconst c = axios.create({ baseURL: 'http://api.shop.com' }); // HERE\n",
    },
)
def test_plain_http_is_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "http-endpoint",
    py={
        "https": "import requests\nrequests.get('https://api.shop.com')\n",
        "this machine": "import requests\nrequests.get('http://localhost:8000')\nrequests.get('http://127.0.0.1:8000/a')\n",
        "a private network": "import requests\nrequests.get('http://10.0.0.5/a')\nrequests.get('http://db.internal/a')\n",
        "a service of compose": "import requests\nrequests.get('http://api:8000/a')\n",
        "a namespace": "NS = 'http://www.w3.org/2000/svg'\nfind('http://www.w3.org/2000/svg')\n",
        "text of a page": "print('see http://shop.com for more')\n",
    },
    js={
        "this machine": "export const a = () => fetch('http://localhost:3000/api');\n",
        "a namespace": "document.createElementNS('http://www.w3.org/2000/svg', 'svg');\n",
    },
)
def test_http_inside_and_names_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "cors-open",
    py={
        "fastapi": FASTAPI
        + "from fastapi.middleware.cors import CORSMiddleware\napp.add_middleware(CORSMiddleware, allow_origins=['*'])  # HERE\n",
        "flask": FLASK + "from flask_cors import CORS\nCORS(app)  # HERE\n",
        "django": {"shop/settings.py": "CORS_ALLOW_ALL_ORIGINS = True  # HERE\n"},
        "a header": FLASK
        + "@app.after_request\ndef allow(response):\n    response.headers['Access-Control-Allow-Origin'] = '*'  # HERE\n    return response\n",
    },
    js={
        "express": EXPRESS + "import cors from 'cors';\napp.use(cors()); // HERE\n",
        "any origin comes back": EXPRESS
        + "import cors from 'cors';\napp.use(cors({ origin: true, credentials: true })); // HERE\n",
        "a header": {
            "app/api/a/route.ts": "export async function GET() {\n  return new Response('x', { headers: { 'Access-Control-Allow-Origin': '*' } }); // HERE\n}\n"
        },
        "setHeader": EXPRESS
        + "app.use((req, res, next) => {\n  res.setHeader('Access-Control-Allow-Origin', '*'); // HERE\n  next();\n});\n",
    },
)
def test_doors_for_all_pages_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "cors-open",
    py={
        "a list": FASTAPI
        + "from fastapi.middleware.cors import CORSMiddleware\napp.add_middleware(CORSMiddleware, allow_origins=['https://a.example'], allow_credentials=True)\n",
        "from the environment": FASTAPI
        + "from fastapi.middleware.cors import CORSMiddleware\napp.add_middleware(CORSMiddleware, allow_origins=os.environ['ORIGINS'].split(','))\n",
        "flask with a list": FLASK
        + "from flask_cors import CORS\nCORS(app, origins=['https://a.example'])\n",
    },
    js={
        "a list": EXPRESS
        + "import cors from 'cors';\napp.use(cors({ origin: ['https://a.example'], credentials: true }));\n",
        "a function that looks": EXPRESS
        + "import cors from 'cors';\napp.use(cors({ origin: (origin, cb) => cb(null, ALLOWED.has(origin)) }));\n",
        "from the environment": EXPRESS
        + "import cors from 'cors';\napp.use(cors({ origin: process.env.ORIGIN }));\n",
    },
)
def test_doors_for_known_pages_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


def _severities(files: Files) -> list[str]:
    return [f.severity.value for f in findings_in(files) if f.rule == "cors-open"]


def test_an_open_door_is_an_error_with_the_visitors_login() -> None:
    middleware = (
        FASTAPI
        + "from fastapi.middleware.cors import CORSMiddleware\napp.add_middleware(CORSMiddleware, allow_origins=['*']{})\n"
    )
    assert _severities({"app.py": middleware.format("")}) == ["warning"]
    assert _severities({"app.py": middleware.format(", allow_credentials=True")}) == ["error"]
    express = EXPRESS + "import cors from 'cors';\napp.use(cors({{ origin: true{} }}));\n"
    assert _severities({"server.ts": express.format("")}) == ["warning"]
    assert _severities({"server.ts": express.format(", credentials: true")}) == ["error"]


@claims(
    "insecure-cookie",
    py={
        "a session without anything": FASTAPI
        + "@app.post('/login')\ndef login(response: Response):\n    response.set_cookie('session', make())  # HERE\n    return {}\n",
        "httponly is off": FLASK
        + "@app.post('/login')\ndef login():\n    r = jsonify()\n    r.set_cookie('token', make(), secure=True, httponly=False)  # HERE\n    return r\n",
        "django": {"shop/settings.py": "SESSION_COOKIE_SECURE = False  # HERE\n"},
    },
    js={
        "a session without anything": EXPRESS
        + "app.post('/login', (req, res) => {\n  res.cookie('token', make()); // HERE\n  res.end();\n});\n",
        "express-session": EXPRESS
        + "import session from 'express-session';\napp.use(session({ secret: process.env.S, cookie: { secure: false } })); // HERE\n",
        "document.cookie": "export const keep = (token) => { document.cookie = `token=${token}`; }; // HERE\n",
    },
)
def test_cookies_that_anybody_can_read_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "insecure-cookie",
    py={
        "all flags": FASTAPI
        + "@app.post('/login')\ndef login(response: Response):\n    response.set_cookie('session', make(), httponly=True, secure=True, samesite='lax')\n    return {}\n",
        "a theme": FASTAPI
        + "@app.post('/t')\ndef t(response: Response):\n    response.set_cookie('theme', 'dark')\n    return {}\n",
        "options that are kept elsewhere": FASTAPI
        + "@app.post('/login')\ndef login(response: Response):\n    response.set_cookie('session', make(), **COOKIE)\n    return {}\n",
    },
    js={
        "all flags": EXPRESS
        + "app.post('/login', (req, res) => {\n  res.cookie('token', make(), { httpOnly: true, secure: true, sameSite: 'lax' });\n  res.end();\n});\n",
        "a theme": EXPRESS
        + "app.post('/t', (req, res) => {\n  res.cookie('theme', 'dark');\n  res.end();\n});\n",
        "options that are kept elsewhere": EXPRESS
        + "app.post('/login', (req, res) => {\n  res.cookie('token', make(), options);\n  res.end();\n});\n",
    },
)
def test_cookies_with_flags_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "unverified-token",
    py={
        "without a signature": "import jwt\ndef who(t):\n    return jwt.decode(t, options={'verify_signature': False})['sub']  # HERE\n",
        "the algorithm none": "import jwt\ndef who(t):\n    return jwt.decode(t, key, algorithms=['none'])['sub']  # HERE\n",
        "claims of jose": "from jose import jwt\ndef who(t):\n    return jwt.get_unverified_claims(t)['sub']  # HERE\n",
    },
    js={
        "decode": EXPRESS
        + "import jwt from 'jsonwebtoken';\napp.use((req, res, next) => {\n  req.user = jwt.decode(req.headers.authorization); // HERE\n  next();\n});\n",
        "decodeJwt": "import { decodeJwt } from 'jose';\nexport const who = (t) => decodeJwt(t).sub; // HERE\n",
    },
)
def test_tokens_that_nobody_checks_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "unverified-token",
    py={
        "verified": "import jwt\ndef who(t):\n    return jwt.decode(t, key, algorithms=['HS256'])['sub']\n",
        "base64": "import base64\ndef read(t):\n    return base64.b64decode(t)\n",
    },
    js={
        "verified": "import jwt from 'jsonwebtoken';\nexport const who = (t) => jwt.verify(t, process.env.JWT_SECRET).sub;\n",
        "verified by jose": "import { jwtVerify } from 'jose';\nexport const who = async (t) => (await jwtVerify(t, key)).payload.sub;\n",
        "shown in the browser": {
            "src/App.tsx": "import { jwtDecode } from 'jwt-decode';\nimport { useState } from 'react';\nexport default function App({ token }) {\n  const [name] = useState(jwtDecode(token).name);\n  return <p>{name}</p>;\n}\n",
            "src/main.tsx": "import App from './App';\nimport { createRoot } from 'react-dom/client';\ncreateRoot(document.getElementById('root')).render(<App />);\n",
            "package.json": BROWSER,
        },
    },
)
def test_tokens_that_are_checked_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "browser-llm-call",
    js={
        "a client with a key": {
            "src/App.tsx": "import OpenAI from 'openai';\nimport { useState } from 'react';\nconst client = new OpenAI({ apiKey: import.meta.env.VITE_KEY, dangerouslyAllowBrowser: true });\nexport default function App() {\n  const [said, setSaid] = useState('');\n  const go = async () => setSaid((await client.chat.completions.create({ model: 'm', max_tokens: 9, messages: [] })).choices[0].message.content); // HERE\n  return <button onClick={go}>{said}</button>;\n}\n",
            "src/main.tsx": "import App from './App';\nimport { createRoot } from 'react-dom/client';\ncreateRoot(document.getElementById('root')).render(<App />);\n",
            "package.json": BROWSER,
        },
        "fetch from a component": {
            "components/chat.tsx": "'use client';\nexport function Chat() {\n  const go = () => fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'm', max_tokens: 9 }) }); // HERE\n  return <button onClick={go}>Ask</button>;\n}\n"
        },
    },
)
def test_a_model_called_in_the_browser_is_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "browser-llm-call",
    js={
        "the app's own server": {
            "components/chat.tsx": "'use client';\nexport function Chat() {\n  const go = () => fetch('/api/chat', { method: 'POST', body: '{}' });\n  return <button onClick={go}>Ask</button>;\n}\n"
        },
        "a server component": {
            "app/page.tsx": "import OpenAI from 'openai';\nconst client = new OpenAI();\nexport default async function Page() {\n  const r = await client.chat.completions.create({ model: 'm', max_tokens: 9, messages: [] });\n  return <p>{r.choices[0].message.content}</p>;\n}\n",
            "package.json": '{"dependencies": {"next": "15"}}',
        },
        "a script of node": "import OpenAI from 'openai';\nconst client = new OpenAI();\nawait client.chat.completions.create({ model: 'm', max_tokens: 9, messages: [] });\n",
    },
)
def test_a_model_called_on_the_server_is_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []
