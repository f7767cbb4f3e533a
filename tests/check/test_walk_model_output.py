"""What a model wrote, and where it must not go: code, commands, SQL, pages, files, addresses."""

from tests.check.walked import Files, claims, marked, said

PY = """import ast, html, json, os, re, shlex, sqlite3, subprocess
from pathlib import Path
import bleach, requests
from openai import OpenAI
client = OpenAI()
db = sqlite3.connect("a.db")

def ask(text):
    r = client.chat.completions.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])
    return r.choices[0].message.content

"""
JS = """import express from "express";
import { exec, execFile, spawn } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import vm from "node:vm";
import OpenAI from "openai";
import pg from "pg";
const app = express();
const client = new OpenAI();
const pool = new pg.Pool();
async function ask(text) {
  const r = await client.chat.completions.create({ model: "m", max_tokens: 9, messages: [{ role: "user", content: text }] });
  return r.choices[0].message.content;
}
"""


@claims(
    "llm-output-exec",
    py={
        "exec": PY + "exec(ask('write code'))  # HERE\n",
        "eval of a part": PY
        + "def calc(q):\n    said = ask(q)\n    return eval(said.split('=')[1])  # HERE\n",
        "through a helper that strips fences": PY
        + "def code_of(text):\n    found = re.search(r'```python(.*?)```', text, re.S)\n    return found.group(1) if found else text\n\ndef work(q):\n    code = code_of(ask(q))\n    exec(code, {})  # HERE\n",
        "an interpreter that gets it as an argument": PY
        + "def work(q):\n    subprocess.run(['python', '-c', ask(q)])  # HERE\n",
        "the arguments of a tool": PY
        + "def run_python(code):\n    exec(code)  # HERE\n\nTOOLS = {'run_python': run_python}\n\ndef work(messages):\n    r = client.chat.completions.create(model='m', max_tokens=9, messages=messages, tools=[])\n    for call in r.choices[0].message.tool_calls:\n        args = json.loads(call.function.arguments)\n        TOOLS[call.function.name](**args)\n",
        "by the name of the tool": PY
        + "def work(messages):\n    r = client.chat.completions.create(model='m', max_tokens=9, messages=messages, tools=[])\n    call = r.choices[0].message.tool_calls[0]\n    if call.function.name == 'python':\n        return eval(json.loads(call.function.arguments)['expression'])  # HERE\n",
        "a method of an agent": PY
        + "class Agent:\n    def think(self, q):\n        self.said = ask(q)\n    def act(self):\n        exec(self.said)  # HERE\n    def run(self, q):\n        self.think(q)\n        self.act()\n\nAgent().run('x')\n",
        "a langchain chain": PY
        + "from langchain_openai import ChatOpenAI\nllm = ChatOpenAI(max_tokens=9)\ndef work(q):\n    exec(llm.invoke(q).content)  # HERE\n",
        "pandas": PY
        + "import pandas as pd\ndef work(df: pd.DataFrame, q):\n    return pd.eval(ask(q))  # HERE\n",
        "put together from a stream": PY
        + "def work(q):\n    whole = ''\n    for part in client.chat.completions.create(model='m', max_tokens=9, stream=True, messages=[]):\n        whole += part.choices[0].delta.content or ''\n    exec(whole)  # HERE\n",
    },
    js={
        "eval": JS + "export const work = async (q) => eval(await ask(q)); // HERE\n",
        "new Function": JS
        + "export async function work(q) {\n  const f = new Function('x', await ask(q)); // HERE\n  return f(1);\n}\n",
        "vm": JS
        + "export async function work(q) {\n  const code = (await ask(q)).replace(/```/g, '');\n  return vm.runInNewContext(code); // HERE\n}\n",
        "the arguments of a tool": JS
        + "const tools = { run: ({ code }) => eval(code) }; // HERE\nexport async function work(messages) {\n  const r = await client.chat.completions.create({ model: 'm', max_tokens: 9, messages });\n  for (const call of r.choices[0].message.tool_calls) {\n    await tools[call.function.name](JSON.parse(call.function.arguments));\n  }\n}\n",
        "a tool of the ai package": {
            "app/api/a/route.ts": "import { streamText, tool } from 'ai';\nimport { z } from 'zod';\nexport async function POST(req) {\n  const { messages } = await req.json();\n  return streamText({ model: 'm', maxOutputTokens: 9, messages, tools: {\n    run: tool({ description: 'runs code', inputSchema: z.object({ code: z.string() }), execute: async ({ code }) => eval(code) }), // HERE\n  } }).toTextStreamResponse();\n}\n"
        },
        "an object that the model filled": JS
        + "import { generateObject } from 'ai';\nexport async function work(q) {\n  const { object } = await generateObject({ model: 'm', maxOutputTokens: 9, prompt: q });\n  return new Function(object.code)(); // HERE\n}\n",
    },
)
def test_a_models_code_is_not_run(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "llm-output-exec",
    py={
        "literal_eval": PY + "def work(q):\n    return ast.literal_eval(ask(q))\n",
        "json": PY + "def work(q):\n    return json.loads(ask(q))\n",
        "a table of functions": PY
        + "def add(a, b):\n    return a + b\nTOOLS = {'add': add}\ndef work(q):\n    call = json.loads(ask(q))\n    return TOOLS[call['name']](**call['args'])\n",
        "code of the app's own": PY + "def work(q):\n    ask(q)\n    exec(open('setup.py').read())\n",
        "an allow list": PY
        + "ALLOWED = {'1 + 1', '2 + 2'}\ndef work(q):\n    said = ask(q)\n    if said not in ALLOWED:\n        return None\n    return eval(said)\n",
        "a pattern of digits": PY
        + "def work(q):\n    said = ask(q)\n    if not re.fullmatch(r'[0-9+*/ -]+', said):\n        raise ValueError(said)\n    return eval(said)\n",
        "written to a file of a fixed name": PY + "def work(q):\n    Path('answer.txt').write_text(ask(q))\n",
        "re.compile": PY + "def work(q):\n    return re.compile('a').findall(ask(q))\n",
        "a regex's exec": PY + "def work(q, cursor):\n    cursor.exec(q)\n    return ask(q)\n",
    },
    js={
        "json": JS + "export const work = async (q) => JSON.parse(await ask(q));\n",
        "exec of a pattern": JS + "export const work = async (q) => /a(.)/.exec(await ask(q));\n",
        "a table of functions": JS
        + "const tools = { add: ({ a, b }) => a + b };\nexport async function work(q) {\n  const call = JSON.parse(await ask(q));\n  return tools[call.name](call.args);\n}\n",
    },
)
def test_a_models_data_may_be_read(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "llm-output-shell",
    py={
        "a shell": PY + "def work(q):\n    subprocess.run(ask(q), shell=True)  # HERE\n",
        "os.system": PY + "def work(q):\n    os.system('ls ' + ask(q))  # HERE\n",
        "split into words": PY + "def work(q):\n    subprocess.run(shlex.split(ask(q)))  # HERE\n",
        "bash -c": PY + "def work(q):\n    subprocess.run(['bash', '-c', ask(q)])  # HERE\n",
        "through two functions": PY
        + "def run(cmd):\n    return subprocess.check_output(cmd, shell=True, text=True)  # HERE\ndef step(plan):\n    return run(plan['command'])\ndef work(q):\n    return step(json.loads(ask(q)))\n",
    },
    js={
        "exec": JS + "export const work = async (q) => exec(await ask(q)); // HERE\n",
        "a template": JS
        + 'export const work = async (q) => exec(`git commit -m "${await ask(q)}"`); // HERE\n',
        "sh -c": JS + "export const work = async (q) => spawn('sh', ['-c', await ask(q)]); // HERE\n",
        "promisified": JS
        + "import { promisify } from 'node:util';\nconst run = promisify(exec);\nexport const work = async (q) => run(await ask(q)); // HERE\n",
    },
)
def test_a_models_command_is_not_run(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "llm-output-shell",
    py={
        "an argument of a fixed program": PY
        + "def work(q):\n    subprocess.run(['git', 'commit', '-m', ask(q)])\n",
        "quoted": PY + "def work(q):\n    os.system('say ' + shlex.quote(ask(q)))\n",
        "standard input": PY + "def work(q):\n    subprocess.run(['sort'], input=ask(q), text=True)\n",
        "a fixed command": PY + "def work(q):\n    subprocess.run('ls -l', shell=True)\n    return ask(q)\n",
    },
    js={
        "an argument of a fixed program": JS
        + "export const work = async (q) => execFile('git', ['commit', '-m', await ask(q)]);\n",
        "a fixed command": JS + "export async function work(q) {\n  exec('ls -l');\n  return ask(q);\n}\n",
    },
)
def test_a_models_words_may_be_an_argument(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "llm-output-sql",
    py={
        "the statement": PY + "def work(q):\n    return db.execute(ask(q)).fetchall()  # HERE\n",
        "a cursor": PY
        + "def work(q):\n    cursor = db.cursor()\n    cursor.execute(ask(q))  # HERE\n    return cursor.fetchall()\n",
        "pandas": PY
        + "import pandas as pd\ndef work(q):\n    return pd.read_sql_query(ask(q).strip('`'), db)  # HERE\n",
        "sqlalchemy": PY
        + "from sqlalchemy import create_engine, text\nengine = create_engine('sqlite://')\ndef work(q):\n    with engine.connect() as c:\n        return c.execute(text(ask(q))).all()  # HERE\n",
        "a part of the statement": PY
        + 'def work(q):\n    return db.execute(f"SELECT * FROM t WHERE {ask(q)}")  # HERE\n',
    },
    js={
        "the statement": JS + "export const work = async (q) => pool.query(await ask(q)); // HERE\n",
        "prisma": JS
        + "import { PrismaClient } from '@prisma/client';\nconst prisma = new PrismaClient();\nexport const work = async (q) => prisma.$queryRawUnsafe(await ask(q)); // HERE\n",
        "better-sqlite3": JS
        + "import Database from 'better-sqlite3';\nconst db = new Database('a.db');\nexport const work = async (q) => db.prepare(await ask(q)).all(); // HERE\n",
    },
)
def test_a_models_statement_is_not_run(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "llm-output-sql",
    py={
        "a parameter": PY
        + "def work(q):\n    db.execute('INSERT INTO notes (text) VALUES (?)', (ask(q),))\n",
        "a model of an ORM": PY
        + "def work(q, session):\n    session.add(Note(text=ask(q)))\n    session.commit()\n",
        "one of a list": PY
        + "COLUMNS = {'name', 'date'}\ndef work(q):\n    column = ask(q)\n    if column not in COLUMNS:\n        raise ValueError(column)\n    return db.execute(f'SELECT * FROM t ORDER BY {column}')\n",
    },
    js={
        "a parameter": JS
        + "export const work = async (q) => pool.query('INSERT INTO notes (text) VALUES ($1)', [await ask(q)]);\n",
        "a tagged template": JS
        + "import postgres from 'postgres';\nconst sql = postgres();\nexport const work = async (q) => sql`INSERT INTO notes (text) VALUES (${await ask(q)})`;\n",
        "prisma's own": JS
        + "import { PrismaClient } from '@prisma/client';\nconst prisma = new PrismaClient();\nexport const work = async (q) => prisma.note.create({ data: { text: await ask(q) } });\n",
    },
)
def test_a_models_words_may_be_stored(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "llm-output-html",
    py={
        "streamlit": PY + "import streamlit as st\nst.markdown(ask('x'), unsafe_allow_html=True)  # HERE\n",
        "Markup": PY + "from markupsafe import Markup\ndef show(q):\n    return Markup(ask(q))  # HERE\n",
        "a page of flask": PY
        + "from flask import Flask, request\napp = Flask(__name__)\n@app.get('/a')\ndef a():\n    return f'<p>{ask(request.args[\"q\"])}</p>'  # HERE\n",
        "mark_safe of markdown": PY
        + "import markdown\nfrom django.utils.safestring import mark_safe\ndef show(q):\n    return mark_safe(markdown.markdown(ask(q)))  # HERE\n",
    },
    js={
        "innerHTML of what the server said": {
            "src/chat.js": "const out = document.querySelector('#out');\nasync function send(q) {\n  const r = await fetch('/api/chat', { method: 'POST', body: q });\n  const data = await r.json();\n  out.innerHTML = data.answer; // HERE\n}\n",
            "server.js": JS
            + "app.post('/api/chat', async (req, res) => { res.json({ answer: await ask(req.body.q) }); });\n",
        },
        "react": {
            "components/message.tsx": "import { useChat } from '@ai-sdk/react';\nexport function Chat() {\n  const { messages } = useChat();\n  return <div>{messages.map((m) => <p key={m.id} dangerouslySetInnerHTML={{ __html: m.content }} />)}</div>; // HERE\n}\n",
            "app/api/chat/route.ts": "import { streamText } from 'ai';\nexport async function POST(req) { return streamText({ model: 'm', maxOutputTokens: 9, messages: [] }).toTextStreamResponse(); }\n",
        },
        "a page of express": JS
        + "app.get('/a', async (req, res) => {\n  res.send(`<p>${await ask(String(req.query.q))}</p>`); // HERE\n});\n",
    },
)
def test_a_models_html_is_not_shown(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "llm-output-html",
    py={
        "escaped": PY
        + "from flask import Flask, request\napp = Flask(__name__)\n@app.get('/a')\ndef a():\n    return f'<p>{html.escape(ask(request.args[\"q\"]))}</p>'\n",
        "cleaned": PY
        + "from markupsafe import Markup\ndef show(q):\n    return Markup(bleach.clean(ask(q)))\n",
        "streamlit without html": PY + "import streamlit as st\nst.markdown(ask('x'))\n",
        "json": PY
        + "from flask import Flask, jsonify, request\napp = Flask(__name__)\n@app.get('/a')\ndef a():\n    return jsonify(answer=ask(request.args['q']))\n",
        "a template that escapes": PY
        + "from flask import Flask, render_template, request\napp = Flask(__name__)\n@app.get('/a')\ndef a():\n    return render_template('a.html', said=ask(request.args['q']))\n",
    },
    js={
        "textContent": {
            "src/chat.js": "async function send(q) {\n  const r = await fetch('/api/chat', { method: 'POST', body: q });\n  const data = await r.json();\n  document.querySelector('#out').textContent = data.answer;\n}\n",
            "server.js": JS
            + "app.post('/api/chat', async (req, res) => { res.json({ answer: await ask(req.body.q) }); });\n",
        },
        "cleaned": {
            "components/message.tsx": "import { useChat } from '@ai-sdk/react';\nimport DOMPurify from 'dompurify';\nexport function Chat() {\n  const { messages } = useChat();\n  return <div>{messages.map((m) => <p key={m.id} dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(m.content) }} />)}</div>;\n}\n",
            "app/api/chat/route.ts": "import { streamText } from 'ai';\nexport async function POST(req) { return streamText({ model: 'm', maxOutputTokens: 9, messages: [] }).toTextStreamResponse(); }\n",
        },
        "a component that escapes": {
            "components/message.tsx": "import { useChat } from '@ai-sdk/react';\nimport Markdown from 'react-markdown';\nexport function Chat() {\n  const { messages } = useChat();\n  return <div>{messages.map((m) => <Markdown key={m.id}>{m.content}</Markdown>)}</div>;\n}\n",
            "app/api/chat/route.ts": "import { streamText } from 'ai';\nexport async function POST(req) { return streamText({ model: 'm', maxOutputTokens: 9, messages: [] }).toTextStreamResponse(); }\n",
        },
        "a constant": {
            "components/theme.tsx": "export const Theme = () => <script dangerouslySetInnerHTML={{ __html: 'document.body.dataset.chat = 1' }} />;\n",
            "app/api/chat/route.ts": "import { streamText } from 'ai';\nexport async function POST(req) { return streamText({ model: 'm', maxOutputTokens: 9, messages: [] }).toTextStreamResponse(); }\n",
        },
        "json": JS
        + "app.get('/a', async (req, res) => { res.json({ said: await ask(String(req.query.q)) }); });\n",
    },
)
def test_a_models_text_may_be_shown(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "llm-output-path",
    py={
        "a name that it chose": PY
        + "def work(q):\n    said = json.loads(ask(q))\n    with open(said['file'], 'w') as f:  # HERE\n        f.write(said['text'])\n",
        "below a folder": PY + "def work(q):\n    (Path('out') / ask(q)).write_text('x')  # HERE\n",
    },
    js={
        "a name that it chose": JS
        + "export async function work(q) {\n  const said = JSON.parse(await ask(q));\n  await fs.writeFile(said.file, said.text); // HERE\n}\n",
        "below a folder": JS
        + "export async function work(q) {\n  await fs.writeFile(path.join('out', await ask(q)), 'x'); // HERE\n}\n",
    },
)
def test_a_model_does_not_choose_files(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "llm-output-path",
    py={
        "only the last part": PY
        + "def work(q):\n    open(os.path.join('out', os.path.basename(ask(q))), 'w')\n",
        "checked to lie inside": PY
        + "ROOT = Path('out').resolve()\ndef work(q):\n    target = (ROOT / ask(q)).resolve()\n    if not target.is_relative_to(ROOT):\n        raise ValueError\n    target.write_text('x')\n",
        "a fixed name": PY + "def work(q):\n    Path('out.txt').write_text(ask(q))\n",
    },
    js={
        "only the last part": JS
        + "export async function work(q) {\n  await fs.writeFile(path.join('out', path.basename(await ask(q))), 'x');\n}\n",
        "checked to lie inside": JS
        + "const ROOT = path.resolve('out');\nexport async function work(q) {\n  const target = path.resolve(ROOT, await ask(q));\n  if (!target.startsWith(ROOT + path.sep)) throw new Error('outside');\n  await fs.writeFile(target, 'x');\n}\n",
        "a fixed name": JS + "export const work = async (q) => fs.writeFile('out.txt', await ask(q));\n",
    },
)
def test_a_model_may_fill_files(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "llm-output-url",
    py={
        "an address that it chose": PY + "def work(q):\n    return requests.get(ask(q)).text  # HERE\n",
        "of a tool": PY
        + "def fetch_page(url):\n    return requests.get(url, timeout=5).text  # HERE\ndef work(messages):\n    r = client.chat.completions.create(model='m', max_tokens=9, messages=messages, tools=[])\n    for call in r.choices[0].message.tool_calls:\n        args = json.loads(call.function.arguments)\n        fetch_page(args['url'])\n",
    },
    js={
        "an address that it chose": JS + "export const work = async (q) => fetch(await ask(q)); // HERE\n",
        "of an object": JS
        + "export async function work(q) {\n  const { url } = JSON.parse(await ask(q));\n  return (await fetch(url)).text(); // HERE\n}\n",
    },
)
def test_a_model_does_not_choose_addresses(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "llm-output-url",
    py={
        "a word in a fixed address": PY
        + "def work(q):\n    return requests.get(f'https://api.example.com/s/{ask(q)}').text\n",
        "a parameter": PY
        + "def work(q):\n    return requests.get('https://api.example.com/s', params={'q': ask(q)}).text\n",
        "a body": PY
        + "def work(q):\n    requests.post('https://hooks.example.com/x', json={'text': ask(q)})\n",
        "a host of a list": PY
        + "from urllib.parse import urlparse\nHOSTS = {'a.example', 'b.example'}\ndef work(q):\n    url = ask(q)\n    if urlparse(url).hostname not in HOSTS:\n        raise ValueError(url)\n    return requests.get(url).text\n",
    },
    js={
        "a word in a fixed address": JS
        + "export const work = async (q) => fetch(`https://api.example.com/s/${await ask(q)}`);\n",
        "a body": JS
        + "export const work = async (q) => fetch('https://hooks.example.com/x', { method: 'POST', body: JSON.stringify({ text: await ask(q) }) });\n",
        "a host of a list": JS
        + "const HOSTS = ['a.example', 'b.example'];\nexport async function work(q) {\n  const url = new URL(await ask(q));\n  if (!HOSTS.includes(url.hostname)) throw new Error('no');\n  return fetch(url);\n}\n",
    },
)
def test_a_models_words_may_be_sent(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "llm-output-exec",
    py={
        "a tool of langchain": "from langchain_core.tools import tool\n@tool\ndef python(code: str) -> str:\n    return str(eval(code))  # HERE\n",
        "a tool of the agents kit": "from agents import Agent, function_tool\n@function_tool\ndef python(code: str) -> str:\n    return str(eval(code))  # HERE\nagent = Agent(name='a', tools=[python])\n",
        "a tool of pydantic-ai with a context": "from pydantic_ai import Agent\nagent = Agent('m')\n@agent.tool\ndef python(ctx, code: str) -> str:\n    return str(eval(code))  # HERE\n",
        "a plain function among the tools": "from langgraph.prebuilt import create_react_agent\ndef python(code: str) -> str:\n    return str(eval(code))  # HERE\nagent = create_react_agent('m', tools=[python])\n",
        "the method of a tool": "from langchain.tools import BaseTool\nclass Python(BaseTool):\n    name = 'python'\n    def _run(self, code: str) -> str:\n        return str(eval(code))  # HERE\n",
        "a function that only the app calls": "def python(code: str) -> str:\n    return str(eval(code))\nprint(python('1'))\n",
    },
    js={
        "a tool of langchain": "import { tool } from '@langchain/core/tools';\nexport const run = tool(async ({ code }) => eval(code), { name: 'run' }); // HERE\n",
        "a dynamic tool": "import { DynamicTool } from '@langchain/core/tools';\nexport const run = new DynamicTool({ name: 'run', func: async (code) => eval(code) }); // HERE\n",
        "an object among the tools": "import { generateText } from 'ai';\nexport const work = (prompt) => generateText({ model: 'm', maxOutputTokens: 9, prompt, tools: {\n  run: { description: 'runs', execute: async ({ code }) => eval(code) }, // HERE\n} });\n",
    },
)
def test_what_a_tool_is_given_was_written_by_a_model(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)
