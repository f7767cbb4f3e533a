"""What a stranger sent, and where it must not go: SQL, queries, pages, files, commands, code, addresses."""

from tests.check.walked import Files, claims, marked, said

FLASK = """import hashlib, html, json, os, pickle, re, sqlite3, subprocess
from pathlib import Path
import requests, yaml
from flask import Flask, abort, jsonify, render_template, render_template_string, request, send_file, send_from_directory
from markupsafe import Markup, escape
from werkzeug.utils import secure_filename
app = Flask(__name__)
db = sqlite3.connect("a.db")

"""
EXPRESS = """import express from "express";
import { exec, execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import mysql from "mysql2/promise";
import { Pool } from "pg";
const app = express();
const pool = new Pool();
"""


def route(body: str, line: str = "@app.post('/a')") -> str:
    """A Flask app with one handler."""
    return FLASK + line + "\ndef a():\n" + "".join(f"    {row}\n" for row in body.splitlines())


def post(body: str) -> str:
    """An Express app with one handler."""
    return EXPRESS + "app.post('/a', async (req, res) => {\n" + body + "\n});\n"


@claims(
    "sql-injection",
    py={
        "an f-string": route(
            "rows = db.execute(f\"SELECT * FROM t WHERE n = '{request.args['n']}'\")  # HERE\nreturn jsonify(list(rows))"
        ),
        "percent": route(
            "n = request.form['n']\ndb.execute(\"DELETE FROM t WHERE n = '%s'\" % n)  # HERE\nreturn ''"
        ),
        "plus": route(
            "q = 'SELECT * FROM t WHERE n = ' + request.json['n']\ncur = db.cursor()\ncur.execute(q)  # HERE\nreturn ''"
        ),
        "format": route(
            "q = 'SELECT * FROM t ORDER BY {}'.format(request.args.get('by'))\nreturn jsonify(db.execute(q).fetchall())  # HERE"
        ),
        "through a helper": FLASK
        + "def rows(where):\n    return db.execute('SELECT * FROM t WHERE ' + where).fetchall()  # HERE\n@app.get('/a')\ndef a():\n    return jsonify(rows(request.args['w']))\n",
        "text of sqlalchemy": FLASK
        + "from sqlalchemy import text\n@app.get('/a')\ndef a():\n    return jsonify(session.execute(text(f\"SELECT 1 WHERE n = '{request.args['n']}'\")).all())  # HERE\n",
        "raw of django": {
            "views.py": "from django.http import JsonResponse\nfrom models import Note\ndef find(request):\n    rows = Note.objects.raw(\"SELECT * FROM note WHERE title = '\" + request.GET['q'] + \"'\")  # HERE\n    return JsonResponse({'n': len(rows)})\n",
            "urls.py": "from django.urls import path\nimport views\nurlpatterns = [path('find', views.find)]\n",
        },
        "a path parameter": "from fastapi import FastAPI\nimport sqlite3\napp = FastAPI()\ndb = sqlite3.connect('a')\n@app.get('/u/{name}')\ndef user(name: str):\n    return db.execute(f\"SELECT * FROM u WHERE name = '{name}'\").fetchone()  # HERE\n",
    },
    js={
        "a template": post(
            "  const r = await pool.query(`SELECT * FROM t WHERE n = '${req.body.n}'`); // HERE\n  res.json(r.rows);"
        ),
        "plus": post(
            "  const q = 'SELECT * FROM t WHERE n = ' + req.query.n;\n  res.json(await pool.query(q)); // HERE"
        ),
        "mysql": EXPRESS
        + "app.get('/a/:id', async (req, res) => {\n  const db = await mysql.createConnection({});\n  const [rows] = await db.execute(`SELECT * FROM t WHERE id = ${req.params.id}`); // HERE\n  res.json(rows);\n});\n",
        "prisma": EXPRESS
        + "import { PrismaClient } from '@prisma/client';\nconst prisma = new PrismaClient();\napp.get('/a', async (req, res) => {\n  res.json(await prisma.$queryRawUnsafe(`SELECT * FROM t WHERE n = '${req.query.n}'`)); // HERE\n});\n",
        "knex": EXPRESS
        + "import knex from 'knex';\nconst db = knex({});\napp.get('/a', async (req, res) => {\n  res.json(await db('t').whereRaw(`name = '${req.query.n}'`)); // HERE\n});\n",
    },
)
def test_statements_of_a_strangers_words_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "sql-injection",
    py={
        "parameters": route(
            "return jsonify(db.execute('SELECT * FROM t WHERE n = ?', (request.args['n'],)).fetchall())"
        ),
        "a number": route(
            "n = int(request.args['n'])\nreturn jsonify(db.execute(f'SELECT * FROM t LIMIT {n}').fetchall())"
        ),
        "one of a list": route(
            "by = request.args['by']\nif by not in {'name', 'date'}:\n    abort(400)\nreturn jsonify(db.execute(f'SELECT * FROM t ORDER BY {by}').fetchall())"
        ),
        "one of a table": route(
            "column = {'n': 'name', 'd': 'date'}.get(request.args['by'], 'name')\nreturn jsonify(db.execute(f'SELECT * FROM t ORDER BY {column}').fetchall())"
        ),
        "marks for a list": route(
            "ids = request.json['ids']\nmarks = ','.join('?' * len(ids))\nreturn jsonify(db.execute(f'SELECT * FROM t WHERE id IN ({marks})', ids).fetchall())"
        ),
        "bound values of sqlalchemy": FLASK
        + "from sqlalchemy import text\n@app.get('/a')\ndef a():\n    return jsonify(session.execute(text('SELECT 1 WHERE n = :n'), {'n': request.args['n']}).all())\n",
        "the orm": FLASK
        + "@app.get('/a')\ndef a():\n    return jsonify(User.query.filter_by(name=request.args['n']).first().id)\n",
        "a number of the path": "from fastapi import FastAPI\nimport sqlite3\napp = FastAPI()\ndb = sqlite3.connect('a')\n@app.get('/u/{id}')\ndef user(id: int):\n    return db.execute(f'SELECT * FROM u WHERE id = {id}').fetchone()\n",
    },
    js={
        "parameters": post(
            "  const r = await pool.query('SELECT * FROM t WHERE n = $1', [req.body.n]);\n  res.json(r.rows);"
        ),
        "a number": post(
            "  const n = Number(req.query.n);\n  res.json(await pool.query(`SELECT * FROM t LIMIT ${n}`));"
        ),
        "parseInt": post(
            "  const n = parseInt(req.query.n, 10) || 0;\n  res.json(await pool.query(`SELECT * FROM t LIMIT ${n}`));"
        ),
        "one of a list": post(
            "  if (!['name', 'date'].includes(req.query.by)) return res.status(400).end();\n  res.json(await pool.query(`SELECT * FROM t ORDER BY ${req.query.by}`));"
        ),
        "a tagged template": EXPRESS
        + "import postgres from 'postgres';\nconst sql = postgres();\napp.get('/a', async (req, res) => {\n  res.json(await sql`SELECT * FROM t WHERE n = ${req.query.n}`);\n});\n",
        "prisma's tagged template": EXPRESS
        + "import { PrismaClient } from '@prisma/client';\nconst prisma = new PrismaClient();\napp.get('/a', async (req, res) => {\n  res.json(await prisma.$queryRaw`SELECT * FROM t WHERE n = ${req.query.n}`);\n});\n",
    },
)
def test_statements_with_values_apart_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "nosql-injection",
    py={
        "a value of any type": FLASK
        + "from pymongo import MongoClient\nusers = MongoClient().app.users\n@app.post('/a')\ndef a():\n    user = users.find_one({'name': request.json['name'], 'password': request.json['password']})  # HERE\n    return jsonify(bool(user))\n",
        "the whole filter": FLASK
        + "from pymongo import MongoClient\nusers = MongoClient().app.users\n@app.post('/a')\ndef a():\n    return jsonify(list(users.find(request.get_json())))  # HERE\n",
    },
    js={
        "a value of any type": EXPRESS
        + "import User from './user';\nimport mongoose from 'mongoose';\napp.post('/a', async (req, res) => {\n  const user = await User.findOne({ name: req.body.name, password: req.body.password }); // HERE\n  res.json(!!user);\n});\n",
        "the whole filter": EXPRESS
        + "import { MongoClient } from 'mongodb';\nconst db = new MongoClient('').db('a');\napp.post('/a', async (req, res) => {\n  res.json(await db.collection('u').find(req.body).toArray()); // HERE\n});\n",
    },
)
def test_queries_that_a_stranger_can_extend_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "nosql-injection",
    py={
        "made a text": FLASK
        + "from pymongo import MongoClient\nusers = MongoClient().app.users\n@app.post('/a')\ndef a():\n    return jsonify(bool(users.find_one({'name': str(request.json['name'])})))\n",
        "typed": "from fastapi import FastAPI\nfrom pydantic import BaseModel\nfrom pymongo import MongoClient\napp = FastAPI()\nusers = MongoClient().app.users\nclass In(BaseModel):\n    name: str\n@app.post('/a')\ndef a(body: In):\n    return bool(users.find_one({'name': body.name}))\n",
        "a query parameter is always a text": FLASK
        + "from pymongo import MongoClient\nusers = MongoClient().app.users\n@app.get('/a/<name>')\ndef a(name):\n    return jsonify(bool(users.find_one({'name': name})))\n",
        "a list of python": FLASK
        + "@app.post('/a')\ndef a():\n    return jsonify('abc'.find(request.json['q']))\n",
    },
    js={
        "made a text": EXPRESS
        + "import mongoose from 'mongoose';\nimport User from './user';\napp.post('/a', async (req, res) => {\n  res.json(!!(await User.findOne({ name: String(req.body.name) })));\n});\n",
        "checked to be a text": EXPRESS
        + "import mongoose from 'mongoose';\nimport User from './user';\napp.post('/a', async (req, res) => {\n  const { name } = req.body;\n  if (typeof name !== 'string') return res.status(400).end();\n  res.json(!!(await User.findOne({ name })));\n});\n",
        "the find of a list": EXPRESS
        + "import mongoose from 'mongoose';\napp.post('/a', async (req, res) => {\n  res.json([1, 2].find((n) => n === req.body.n));\n});\n",
        "a parameter of the path": EXPRESS
        + "import mongoose from 'mongoose';\nimport User from './user';\napp.get('/a/:name', async (req, res) => {\n  res.json(await User.findOne({ name: req.params.name }));\n});\n",
    },
)
def test_queries_for_a_text_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "xss",
    py={
        "a page put together": route("return f'<h1>{request.args[\"n\"]}</h1>'  # HERE", "@app.get('/a')"),
        "Markup": route(
            "return render_template('a.html', n=Markup(request.args['n']))  # HERE", "@app.get('/a')"
        ),
        "HTMLResponse": "from fastapi import FastAPI\nfrom fastapi.responses import HTMLResponse\napp = FastAPI()\n@app.get('/a')\ndef a(q: str):\n    return HTMLResponse(f'<p>{q}</p>')  # HERE\n",
        "HttpResponse of django": {
            "views.py": "from django.http import HttpResponse\ndef hello(request):\n    return HttpResponse('<h1>' + request.GET['n'] + '</h1>')  # HERE\n",
            "urls.py": "from django.urls import path\nimport views\nurlpatterns = [path('hello', views.hello)]\n",
        },
    },
    js={
        "a page put together": EXPRESS
        + "app.get('/a', (req, res) => {\n  res.send(`<h1>${req.query.n}</h1>`); // HERE\n});\n",
        "the bare value": EXPRESS
        + "app.get('/a', (req, res) => {\n  res.send('Hello ' + req.query.n); // HERE\n});\n",
        "hono": "import { Hono } from 'hono';\nconst app = new Hono();\napp.get('/a', (c) => c.html(`<h1>${c.req.query('n')}</h1>`)); // HERE\n",
        "react": {
            "app/search/page.tsx": "export default function Page({ searchParams }) {\n  return <div dangerouslySetInnerHTML={{ __html: searchParams.q }} />; // HERE\n}\n"
        },
    },
)
def test_pages_of_a_strangers_words_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "xss",
    py={
        "escaped": route("return f'<h1>{escape(request.args[\"n\"])}</h1>'", "@app.get('/a')"),
        "a template": route("return render_template('a.html', n=request.args['n'])", "@app.get('/a')"),
        "json": route("return jsonify(n=request.args['n'])", "@app.get('/a')"),
        "a number": route("return f'<h1>{int(request.args[\"n\"])}</h1>'", "@app.get('/a')"),
        "an api that answers json": "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/a')\ndef a(q: str):\n    return {'html': f'<p>{q}</p>'}\n",
    },
    js={
        "json": EXPRESS + "app.get('/a', (req, res) => {\n  res.json({ n: req.query.n });\n});\n",
        "escaped": EXPRESS
        + "import escapeHtml from 'escape-html';\napp.get('/a', (req, res) => {\n  res.send(`<h1>${escapeHtml(req.query.n)}</h1>`);\n});\n",
        "a template": EXPRESS
        + "app.get('/a', (req, res) => {\n  res.render('a', { n: req.query.n });\n});\n",
        "jsx escapes": {
            "app/search/page.tsx": "export default function Page({ searchParams }) {\n  return <div>{searchParams.q}</div>;\n}\n"
        },
        "plain text": EXPRESS
        + "app.get('/a', (req, res) => {\n  res.type('text/plain').send(String(req.query.n));\n});\n",
    },
)
def test_pages_that_escape_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "path-traversal",
    py={
        "open": route("return open('notes/' + request.args['n']).read()  # HERE", "@app.get('/a')"),
        "joined": route(
            "p = os.path.join('notes', request.args['n'])\nreturn send_file(p)  # HERE", "@app.get('/a')"
        ),
        "pathlib": route("return (Path('notes') / request.args['n']).read_text()  # HERE", "@app.get('/a')"),
        "an upload's own name": route(
            "f = request.files['f']\nf.save(os.path.join('up', f.filename))  # HERE\nreturn ''"
        ),
        "FileResponse": "from fastapi import FastAPI\nfrom fastapi.responses import FileResponse\napp = FastAPI()\n@app.get('/f/{name:path}')\ndef f(name: str):\n    return FileResponse(f'files/{name}')  # HERE\n",
        "an upload of fastapi": "from fastapi import FastAPI, UploadFile\napp = FastAPI()\n@app.post('/f')\nasync def f(file: UploadFile):\n    with open(f'up/{file.filename}', 'wb') as out:  # HERE\n        out.write(await file.read())\n",
    },
    js={
        "readFile": EXPRESS
        + "app.get('/a', (req, res) => {\n  res.send(fs.readFileSync('notes/' + req.query.n)); // HERE\n});\n",
        "joined": EXPRESS
        + "app.get('/a/:n', (req, res) => {\n  const file = path.join(__dirname, 'notes', req.params.n);\n  res.sendFile(file); // HERE\n});\n",
        "a next route": {
            "app/api/f/route.ts": "import fs from 'fs/promises';\nimport path from 'path';\nexport async function GET(req) {\n  const name = new URL(req.url).searchParams.get('name');\n  return new Response(await fs.readFile(path.join('files', name))); // HERE\n}\n"
        },
    },
)
def test_files_that_a_stranger_chooses_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "path-traversal",
    py={
        "only the last part": route(
            "return open(os.path.join('notes', os.path.basename(request.args['n']))).read()"
        ),
        "secure_filename": route(
            "f = request.files['f']\nf.save(os.path.join('up', secure_filename(f.filename)))\nreturn ''"
        ),
        "send_from_directory": route("return send_from_directory('notes', request.args['n'])"),
        "checked to lie inside": route(
            "root = Path('notes').resolve()\np = (root / request.args['n']).resolve()\nif not p.is_relative_to(root):\n    abort(404)\nreturn p.read_text()"
        ),
        "parents are compared": route(
            "root = Path('notes').resolve()\np = (root / request.args['n']).resolve()\nif root not in p.parents:\n    abort(404)\nreturn p.read_text()"
        ),
        "one of a table": route(
            "names = {'a': 'a.txt', 'b': 'b.txt'}\nreturn open(names[request.args['n']]).read()"
        ),
        "a hash": route(
            "name = hashlib.sha256(request.data).hexdigest()\nopen('up/' + name, 'wb').write(request.data)\nreturn ''"
        ),
        "a number": "from fastapi import FastAPI\nfrom fastapi.responses import FileResponse\napp = FastAPI()\n@app.get('/f/{n}')\ndef f(n: int):\n    return FileResponse(f'files/{n}.txt')\n",
        "a pattern": route(
            "n = request.args['n']\nif not re.fullmatch(r'[a-z0-9]+', n):\n    abort(400)\nreturn open(f'notes/{n}.txt').read()"
        ),
    },
    js={
        "only the last part": EXPRESS
        + "app.get('/a', (req, res) => {\n  res.sendFile(path.join(__dirname, 'notes', path.basename(req.query.n)));\n});\n",
        "with a root": EXPRESS
        + "app.get('/a/:n', (req, res) => {\n  res.sendFile(req.params.n, { root: path.join(__dirname, 'notes') });\n});\n",
        "checked to lie inside": EXPRESS
        + "const ROOT = path.resolve('notes');\napp.get('/a', (req, res) => {\n  const file = path.resolve(ROOT, req.query.n);\n  if (!file.startsWith(ROOT + path.sep)) return res.status(400).end();\n  res.sendFile(file);\n});\n",
        "a pattern": EXPRESS
        + "app.get('/a/:n', (req, res) => {\n  if (!/^[a-z0-9]+$/.test(req.params.n)) return res.status(400).end();\n  res.sendFile(path.join(__dirname, 'notes', req.params.n));\n});\n",
        "static files": EXPRESS + "app.use(express.static('public'));\n",
    },
)
def test_files_of_a_checked_name_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "command-injection",
    py={
        "os.system": route("os.system('ping -c 1 ' + request.args['h'])  # HERE\nreturn ''"),
        "a shell": route("return subprocess.check_output(f'ls {request.json[\"d\"]}', shell=True)  # HERE"),
        "bash -c": route("subprocess.run(['bash', '-c', request.form['c']])  # HERE\nreturn ''"),
        "the program itself": route("subprocess.run([request.form['program'], '-v'])  # HERE\nreturn ''"),
    },
    js={
        "exec": post("  exec(`ping -c 1 ${req.body.h}`, () => res.end()); // HERE"),
        "execSync of child_process": "const { execSync } = require('child_process');\nconst app = require('express')();\napp.get('/a', (req, res) => {\n  res.send(execSync('ls ' + req.query.d).toString()); // HERE\n});\n",
    },
)
def test_commands_of_a_strangers_words_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "command-injection",
    py={
        "a list": route("subprocess.run(['ping', '-c', '1', request.args['h']])\nreturn ''"),
        "a fixed command": route("subprocess.run('ls -l', shell=True)\nreturn request.args['h']"),
        "quoted": route("import shlex\nos.system('ping ' + shlex.quote(request.args['h']))\nreturn ''"),
        "one of a list": route(
            "c = request.args['c']\nif c not in ('up', 'down'):\n    abort(400)\nos.system('service ' + c)\nreturn ''"
        ),
    },
    js={
        "a list": post("  execFile('ping', ['-c', '1', req.body.h], () => res.end());"),
        "a fixed command": post("  exec('ls -l', () => res.json(req.body));"),
    },
)
def test_commands_with_arguments_apart_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "code-injection",
    py={
        "eval": route("return str(eval(request.args['x']))  # HERE"),
        "a template": route(
            "return render_template_string('Hello ' + request.args['n'])  # HERE", "@app.get('/a')"
        ),
        "pickle": route("return str(pickle.loads(request.data))  # HERE"),
        "yaml": route("return jsonify(yaml.load(request.data, Loader=yaml.Loader))  # HERE"),
    },
    js={
        "eval": post("  res.json(eval(req.body.x)); // HERE"),
        "new Function": post("  res.json(new Function('return ' + req.body.x)()); // HERE"),
        "vm": EXPRESS
        + "import vm from 'vm';\napp.post('/a', (req, res) => {\n  res.json(vm.runInNewContext(req.body.x)); // HERE\n});\n",
    },
)
def test_code_of_a_strangers_words_is_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "code-injection",
    py={
        "a template with a value": route(
            "return render_template_string('Hello {{ n }}', n=request.args['n'])", "@app.get('/a')"
        ),
        "safe yaml": route("return jsonify(yaml.safe_load(request.data))"),
        "yaml with a safe loader": route("return jsonify(yaml.load(request.data, Loader=yaml.SafeLoader))"),
        "json": route("return jsonify(json.loads(request.data))"),
        "pickle of one's own file": route("return str(pickle.load(open('model.pkl', 'rb')))"),
    },
    js={
        "json": post("  res.json(JSON.parse(req.body.x));"),
        "a timer": post("  setTimeout(() => console.log('later'), Number(req.body.ms));\n  res.end();"),
    },
)
def test_data_of_a_stranger_may_be_read(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "ssrf",
    py={
        "requests": route("return requests.get(request.args['url']).text  # HERE", "@app.get('/a')"),
        "httpx": "from fastapi import FastAPI\nimport httpx\napp = FastAPI()\n@app.get('/a')\nasync def a(url: str):\n    async with httpx.AsyncClient() as c:\n        return (await c.get(url)).text  # HERE\n",
        "the host in a template": route(
            "return requests.get(f\"https://{request.args['host']}/x\").text  # HERE", "@app.get('/a')"
        ),
        "a loader": "from fastapi import FastAPI\nfrom langchain_community.document_loaders import WebBaseLoader\napp = FastAPI()\n@app.get('/a')\ndef a(url: str):\n    return WebBaseLoader(url).load()  # HERE\n",
    },
    js={
        "fetch": post("  const r = await fetch(req.body.url); // HERE\n  res.send(await r.text());"),
        "axios": EXPRESS
        + "import axios from 'axios';\napp.get('/a', async (req, res) => {\n  res.json((await axios.get(req.query.url)).data); // HERE\n});\n",
        "a next route": {
            "app/api/p/route.ts": "export async function GET(req) {\n  const url = new URL(req.url).searchParams.get('url');\n  return fetch(url); // HERE\n}\n"
        },
    },
)
def test_addresses_that_a_stranger_chooses_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "ssrf",
    py={
        "a parameter": route(
            "return requests.get('https://api.example.com', params={'q': request.args['q']}).text"
        ),
        "a part of the path": route(
            "return requests.get(f\"https://api.example.com/u/{request.args['u']}\").text"
        ),
        "a base of the settings": route(
            "base = os.environ['BASE']\nreturn requests.get(f\"{base}/u/{request.args['u']}\").text"
        ),
        "a host of a list": FLASK
        + "from urllib.parse import urlparse\nHOSTS = {'a.example'}\n@app.get('/a')\ndef a():\n    url = request.args['url']\n    if urlparse(url).hostname not in HOSTS:\n        abort(400)\n    return requests.get(url).text\n",
        "a helper that checks": FLASK
        + "from urllib.parse import urlparse\nHOSTS = {'a.example'}\ndef allowed(url):\n    return urlparse(url).hostname in HOSTS\n@app.get('/a')\ndef a():\n    url = request.args['url']\n    if not allowed(url):\n        abort(400)\n    return requests.get(url).text\n",
        "a body": route("return requests.post('https://api.example.com', json=request.json).text"),
    },
    js={
        "a part of the path": post(
            "  const r = await fetch(`https://api.example.com/u/${req.body.u}`);\n  res.send(await r.text());"
        ),
        "a host of a list": post(
            "  const url = new URL(req.body.url);\n  if (!['a.example'].includes(url.hostname)) return res.status(400).end();\n  res.send(await (await fetch(url)).text());"
        ),
        "an address of one's own": post(
            "  const r = await fetch(`${process.env.API}/u/${req.body.u}`);\n  res.send(await r.text());"
        ),
        "in the browser": {
            "src/App.tsx": "import { useState } from 'react';\nexport default function App() {\n  const [url, setUrl] = useState('');\n  const go = async () => (await fetch(url)).text();\n  return <input value={url} onChange={(e) => setUrl(e.target.value)} onBlur={go} />;\n}\n"
        },
    },
)
def test_addresses_of_ones_own_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []
