"""What is sent to a model again: one list for all callers, conversations without an end."""

from tests.check.walked import Files, claims, marked, said

PY = """from collections import defaultdict, deque
from flask import Flask, jsonify, request, session
from openai import OpenAI
app = Flask(__name__)
client = OpenAI()

def ask(messages):
    return client.chat.completions.create(model="m", max_tokens=9, messages=messages).choices[0].message.content

"""
JS = """import express from "express";
import OpenAI from "openai";
const app = express();
const client = new OpenAI();
async function ask(messages) {
  const r = await client.chat.completions.create({ model: "m", max_tokens: 9, messages });
  return r.choices[0].message.content;
}
"""


@claims(
    "shared-conversation-state",
    py={
        "a list at the top of the module": PY
        + """
history = []
@app.post("/chat")
def chat():
    history.append({"role": "user", "content": request.json["q"]})  # HERE
    said = ask(history)
    history.append({"role": "assistant", "content": said})
    return jsonify(said)
""",
        "a list with a system prompt in it": PY
        + """
messages = [{"role": "system", "content": "You are a cook."}]
@app.post("/chat")
def chat():
    global messages
    messages += [{"role": "user", "content": request.json["q"]}]  # HERE
    return jsonify(ask(messages))
""",
        "a list of another file": {
            "memory.py": "turns = []\ndef remember(role, text):\n    turns.append({'role': role, 'content': text})  # HERE\n",
            "app.py": "import memory\n"
            + PY
            + "@app.post('/chat')\ndef chat():\n    memory.remember('user', request.json['q'])\n    return jsonify(ask(memory.turns))\n",
        },
        "a list in a bot that is made once": PY
        + """
class Bot:
    def __init__(self):
        self.turns = []
    def say(self, text):
        self.turns.append({"role": "user", "content": text})  # HERE
        return ask(self.turns)

bot = Bot()
@app.post("/chat")
def chat():
    return jsonify(bot.say(request.json["q"]))
""",
        "a copy is sent, the list is one": PY
        + """
history = []
@app.post("/chat")
def chat():
    history.append({"role": "user", "content": request.json["q"]})  # HERE
    return jsonify(ask([{"role": "system", "content": "s"}, *history]))
""",
    },
    js={
        "a list at the top of the module": JS
        + """
const history = [];
app.post("/chat", async (req, res) => {
  history.push({ role: "user", content: req.body.q }); // HERE
  res.json(await ask(history));
});
""",
        "a list that is made anew": JS
        + """
let history = [];
app.post("/chat", async (req, res) => {
  history = [...history, { role: "user", content: req.body.q }]; // HERE
  res.json(await ask(history));
});
""",
        "a list of another file": {
            "memory.ts": "export const turns = [];\nexport function remember(role, text) {\n  turns.push({ role, content: text }); // HERE\n}\n",
            "server.ts": 'import { turns, remember } from "./memory";\n'
            + JS
            + 'app.post("/chat", async (req, res) => {\n  remember("user", req.body.q);\n  res.json(await ask(turns));\n});\n',
        },
        "spread into the request": JS
        + """
const turns = [];
app.post("/chat", async (req, res) => {
  turns.push({ role: "user", content: req.body.q }); // HERE
  res.json(await ask([{ role: "system", content: "s" }, ...turns]));
});
""",
    },
)
def test_one_history_for_all_callers_is_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "shared-conversation-state",
    py={
        "a history for each user": PY
        + """
histories = {}
@app.post("/chat")
def chat():
    turns = histories.setdefault(session["uid"], [])
    turns.append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(turns[-20:]))
""",
        "a history for each user, whole": PY
        + """
histories = {}
@app.post("/chat")
def chat():
    histories.setdefault(session["uid"], []).append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(histories[session["uid"]]))
""",
        "a history for each user, by a default": PY
        + """
histories = defaultdict(list)
@app.post("/chat")
def chat():
    histories[session["uid"]].append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(histories[session["uid"]][-20:]))
""",
        "a list of the request": PY
        + """
@app.post("/chat")
def chat():
    messages = []
    messages.append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(messages))
""",
        "a constant list that is copied": PY
        + """
START = [{"role": "system", "content": "s"}]
@app.post("/chat")
def chat():
    messages = list(START)
    messages.append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(messages))
""",
        "a list that is put together": PY
        + """
START = [{"role": "system", "content": "s"}]
@app.post("/chat")
def chat():
    return jsonify(ask(START + [{"role": "user", "content": request.json["q"]}]))
""",
        "a log that no model sees": PY
        + """
asked = []
@app.post("/chat")
def chat():
    asked.append(request.json["q"])
    return jsonify(ask([{"role": "user", "content": request.json["q"]}]))
""",
        "a bot for each request": PY
        + """
class Bot:
    def __init__(self):
        self.turns = []
    def say(self, text):
        self.turns.append({"role": "user", "content": text})
        return ask(self.turns)

@app.post("/chat")
def chat():
    return jsonify(Bot().say(request.json["q"]))
""",
    },
    js={
        "a history for each user": JS
        + """
const histories = new Map();
app.post("/chat", async (req, res) => {
  const turns = histories.get(req.session.id) ?? [];
  turns.push({ role: "user", content: req.body.q });
  histories.set(req.session.id, turns);
  res.json(await ask(turns.slice(-20)));
});
""",
        "a record for each user": JS
        + """
const histories: Record<string, any[]> = {};
app.post("/chat", async (req, res) => {
  histories[req.session.id] ||= [];
  histories[req.session.id].push({ role: "user", content: req.body.q });
  res.json(await ask(histories[req.session.id].slice(-20)));
});
""",
        "a constant list that is copied": JS
        + """
const START = [{ role: "system", content: "s" }];
app.post("/chat", async (req, res) => {
  const messages = [...START];
  messages.push({ role: "user", content: req.body.q });
  res.json(await ask(messages));
});
""",
        "a list that is put together": JS
        + """
const START = [{ role: "system", content: "s" }];
app.post("/chat", async (req, res) => {
  res.json(await ask(START.concat([{ role: "user", content: req.body.q }])));
});
""",
        "a log that no model sees": JS
        + """
const asked = [];
app.post("/chat", async (req, res) => {
  asked.push(req.body.q);
  res.json(await ask([{ role: "user", content: req.body.q }]));
});
""",
    },
)
def test_a_history_of_ones_own_is_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "unbounded-history",
    py={
        "a page sends its whole conversation": PY
        + "@app.post('/chat')\ndef chat():\n    return jsonify(ask(request.json['messages']))  # HERE\n",
        "a list of each user grows": PY
        + """
histories = {}
@app.post("/chat")
def chat():
    turns = histories.setdefault(session["uid"], [])
    turns.append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(turns))  # HERE
""",
        "a conversation at the terminal": PY
        + """
def main():
    messages = []
    while True:
        messages.append({"role": "user", "content": input("> ")})
        said = client.chat.completions.create(model="m", max_tokens=9, messages=messages)  # HERE
        messages.append(said.choices[0].message)
""",
        "streamlit's state": """import streamlit as st
from openai import OpenAI
client = OpenAI()
if "messages" not in st.session_state:
    st.session_state.messages = []
if q := st.chat_input("?"):
    st.session_state.messages.append({"role": "user", "content": q})
    client.chat.completions.create(model="m", max_tokens=9, messages=st.session_state.messages)  # HERE
""",
        "streamlit's state, rewritten for the model": """import streamlit as st
from openai import OpenAI
client = OpenAI()
if "messages" not in st.session_state:
    st.session_state["messages"] = []
if q := st.chat_input("?"):
    st.session_state["messages"].append({"role": "user", "content": q})
    client.chat.completions.create(  # HERE
        model="m", max_tokens=9, messages=[{"role": m["role"], "content": m["content"]} for m in st.session_state["messages"]]
    )
""",
    },
    js={
        "a page sends its whole conversation": JS
        + "app.post('/chat', async (req, res) => {\n  const { messages } = req.body;\n  res.json(await ask(messages)); // HERE\n});\n",
        "converted by the ai package": {
            "app/api/chat/route.ts": "import { convertToModelMessages, streamText } from 'ai';\nexport async function POST(req: Request) {\n  const { messages } = await req.json();\n  const r = streamText({ model: 'm', maxOutputTokens: 9, messages: convertToModelMessages(messages) }); // HERE\n  return r.toUIMessageStreamResponse();\n}\n"
        },
        "a list of each user grows": JS
        + """
const histories = {};
app.post("/chat", async (req, res) => {
  const turns = (histories[req.session.id] ||= []);
  turns.push({ role: "user", content: req.body.q });
  res.json(await ask(turns)); // HERE
});
""",
    },
)
def test_a_history_without_an_end_is_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "unbounded-history",
    py={
        "a slice": PY
        + "@app.post('/chat')\ndef chat():\n    return jsonify(ask(request.json['messages'][-20:]))\n",
        "a deque with a maximum": PY
        + """
histories = defaultdict(lambda: deque(maxlen=20))
@app.post("/chat")
def chat():
    turns = histories[session["uid"]]
    turns.append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(list(turns)))
""",
        "a length that is refused": PY
        + """
@app.post("/chat")
def chat():
    messages = request.json["messages"]
    if len(messages) > 30:
        return jsonify(error="too long"), 413
    return jsonify(ask(messages))
""",
        "the oldest are dropped": PY
        + """
histories = {}
@app.post("/chat")
def chat():
    turns = histories.setdefault(session["uid"], [])
    turns.append({"role": "user", "content": request.json["q"]})
    while len(turns) > 20:
        turns.pop(0)
    return jsonify(ask(turns))
""",
        "one question and a system prompt": PY
        + """
@app.post("/chat")
def chat():
    messages = [{"role": "system", "content": "s"}]
    messages.append({"role": "user", "content": request.json["q"]})
    return jsonify(ask(messages))
""",
        "documents that are found": PY
        + """
@app.post("/chat")
def chat():
    parts = []
    for document in search(request.json["q"], limit=5):
        parts.append(document.text)
    return jsonify(ask([{"role": "user", "content": "\\n".join(parts)}]))
""",
        "streamlit's state, cut": """import streamlit as st
from openai import OpenAI
client = OpenAI()
if "messages" not in st.session_state:
    st.session_state.messages = []
if q := st.chat_input("?"):
    st.session_state.messages.append({"role": "user", "content": q})
    client.chat.completions.create(model="m", max_tokens=9, messages=st.session_state.messages[-10:])
""",
        "a body whose list has a maximum": """from fastapi import FastAPI
from pydantic import BaseModel, Field
from openai import OpenAI
app = FastAPI()
client = OpenAI()
class Body(BaseModel):
    messages: list[dict] = Field(max_length=30)
@app.post("/chat")
def chat(body: Body):
    return client.chat.completions.create(model="m", max_tokens=9, messages=body.messages)
""",
    },
    js={
        "a slice": JS
        + "app.post('/chat', async (req, res) => {\n  res.json(await ask(req.body.messages.slice(-20)));\n});\n",
        "a slice of the list of each user": JS
        + """
const histories = {};
app.post("/chat", async (req, res) => {
  const turns = (histories[req.session.id] ||= []);
  turns.push({ role: "user", content: req.body.q });
  res.json(await ask(turns.slice(-20)));
});
""",
        "a length that is refused": JS
        + """
app.post("/chat", async (req, res) => {
  const { messages } = req.body;
  if (!Array.isArray(messages) || messages.length > 30) return res.status(413).end();
  res.json(await ask(messages));
});
""",
        "the oldest are dropped": JS
        + """
const histories = {};
app.post("/chat", async (req, res) => {
  const turns = (histories[req.session.id] ||= []);
  turns.push({ role: "user", content: req.body.q });
  if (turns.length > 20) turns.splice(0, turns.length - 20);
  res.json(await ask(turns));
});
""",
        "a schema with a maximum": JS
        + """
import { z } from "zod";
const Body = z.object({ messages: z.array(z.object({ role: z.string(), content: z.string().max(999) })).max(30) });
app.post("/chat", async (req, res) => {
  const { messages } = Body.parse(req.body);
  res.json(await ask(messages));
});
""",
    },
)
def test_a_history_with_an_end_is_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []
