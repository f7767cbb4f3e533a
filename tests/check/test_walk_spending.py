"""How much a call of a model may cost: loops without a bound, answers without a cap, histories without an end."""

from tests.check.walked import Files, claims, marked, said

PY = """import itertools, json, os, time
from collections import deque
import openai
from openai import OpenAI
client = OpenAI()

def ask(messages):
    return client.chat.completions.create(model="m", max_tokens=9, messages=messages).choices[0].message

"""
JS = """import OpenAI from "openai";
const client = new OpenAI();
async function ask(messages) {
  const r = await client.chat.completions.create({ model: "m", max_tokens: 9, messages });
  return r.choices[0].message;
}
"""


@claims(
    "unbounded-llm-loop",
    py={
        "while True until the model is content": PY
        + """
def work(goal):
    messages = [{"role": "user", "content": goal}]
    while True:  # HERE
        said = ask(messages)
        if "DONE" in said.content:
            return said
        messages.append({"role": "user", "content": "go on"})
""",
        "while not done": PY
        + """
def work(goal):
    done = False
    while not done:  # HERE
        done = "yes" in ask([goal]).content
""",
        "while there are tool calls": PY
        + """
def work(messages):
    said = ask(messages)
    while said.tool_calls:  # HERE
        for call in said.tool_calls:
            messages.append(run(call))
        said = ask(messages)
""",
        "itertools.count": PY + "for step in itertools.count():  # HERE\n    ask([step])\n",
        "a retry without a maximum": PY
        + """
def stubborn(messages):
    while True:  # HERE
        try:
            return ask(messages)
        except openai.RateLimitError:
            time.sleep(2)
""",
        "until the score is good enough": PY
        + """
def polish(text):
    score = 0
    while score < 0.9:  # HERE
        text = ask([text]).content
        score = float(ask(["grade", text]).content)
""",
        "a model that is called two functions below": PY
        + """
def step(state):
    return think(state)
def think(state):
    return ask([state]).content
def main():
    state = "start"
    while state != "end":  # HERE
        state = step(state)
""",
    },
    js={
        "while (true) until the model is content": JS
        + """
export async function work(goal) {
  const messages = [{ role: "user", content: goal }];
  while (true) { // HERE
    const said = await ask(messages);
    if (said.content.includes("DONE")) return said;
    messages.push(said);
  }
}
""",
        "for (;;)": JS
        + "export async function work(m) {\n  for (;;) { // HERE\n    const s = await ask(m);\n    if (!s.tool_calls) break;\n  }\n}\n",
        "do … while": JS
        + """
export async function work(messages) {
  let said;
  do { // HERE
    said = await ask(messages);
    messages.push(said);
  } while (said.tool_calls);
}
""",
        "while not done": JS
        + "export async function work(m) {\n  let done = false;\n  while (!done) { // HERE\n    done = (await ask(m)).content === 'done';\n  }\n}\n",
        "a retry without a maximum": JS
        + """
export async function stubborn(m) {
  while (true) { // HERE
    try { return await ask(m); } catch (e) { await new Promise((r) => setTimeout(r, 500)); }
  }
}
""",
    },
)
def test_loops_without_a_bound_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "unbounded-llm-loop",
    py={
        "a range": PY + "for _ in range(5):\n    ask([])\n",
        "a list": PY + "def all(rows):\n    for row in rows:\n        ask([row])\n",
        "a counter that breaks": PY
        + "def work():\n    n = 0\n    while True:\n        n += 1\n        if n > 9:\n            break\n        ask([])\n",
        "a counter in the condition": PY
        + "def work():\n    done, n = False, 0\n    while not done and n < 9:\n        n += 1\n        done = ask([]).content\n",
        "a counter that runs down": PY
        + "def work(left=5):\n    while left:\n        left -= 1\n        ask([])\n",
        "a deadline": PY
        + "def work():\n    end = time.monotonic() + 60\n    while True:\n        if time.monotonic() > end:\n            raise TimeoutError\n        ask([])\n",
        "a length": PY
        + "def work():\n    found = []\n    while len(found) < 10:\n        found.append(ask(found))\n",
        "a person types": PY + "while True:\n    ask([input('> ')])\n",
        "a queue": PY
        + "def worker(queue):\n    while True:\n        job = queue.get()\n        ask([job])\n",
        "a socket": PY
        + "async def talk(ws):\n    while True:\n        text = await ws.receive_text()\n        ask([text])\n",
        "a retry with a maximum": PY
        + "def careful(m):\n    tries = 0\n    while True:\n        try:\n            return ask(m)\n        except openai.RateLimitError:\n            tries += 1\n            if tries >= 3:\n                raise\n",
        "a shrinking list": PY + "def work(todo):\n    while todo:\n        ask([todo.pop()])\n",
        "a walrus over a file": PY + "def work(f):\n    while chunk := f.read(4096):\n        ask([chunk])\n",
        "pages of another service": PY
        + "def work(api):\n    page = 1\n    while page:\n        got = api.list(page)\n        for row in got.rows:\n            ask([row])\n        page = got.next_page\n",
        "a local model": "import ollama\ndef work(m):\n    while True:\n        ollama.chat(model='m', messages=m)\n",
        "a loop without a model": PY + "def work():\n    while True:\n        time.sleep(1)\n",
        "a stream that is read": PY
        + "async def work(m):\n    async for part in client.chat.completions.create(model='m', max_tokens=9, stream=True, messages=m):\n        print(part)\n",
    },
    js={
        "a counted for": JS
        + "export async function work(m) {\n  for (let i = 0; i < 5; i++) await ask(m);\n}\n",
        "a counter that breaks": JS
        + "export async function work(m) {\n  let n = 0;\n  while (true) {\n    if (n++ >= 8) break;\n    await ask(m);\n  }\n}\n",
        "a maximum in the condition": JS
        + "export async function work(m) {\n  let step = 0, said;\n  do {\n    said = await ask(m);\n    step++;\n  } while (said.tool_calls && step < MAX_STEPS);\n}\n",
        "a deadline": JS
        + "export async function work(m) {\n  const end = Date.now() + 60000;\n  while (Date.now() < end) await ask(m);\n}\n",
        "a person types": JS
        + "export async function work(rl) {\n  while (true) {\n    const q = await rl.question('> ');\n    await ask([q]);\n  }\n}\n",
        "a reader": JS
        + "export async function work(reader) {\n  while (true) {\n    const { done, value } = await reader.read();\n    if (done) break;\n    await ask([value]);\n  }\n}\n",
        "a queue": JS
        + "export async function work(redis) {\n  while (true) {\n    const job = await redis.blpop('jobs', 0);\n    await ask([job]);\n  }\n}\n",
        "a shrinking list": JS
        + "export async function work(todo) {\n  while (todo.length) {\n    await ask([todo.shift()]);\n  }\n}\n",
        "of a list": JS
        + "export async function work(rows) {\n  for (const row of rows) await ask([row]);\n}\n",
        "a retry with a maximum": JS
        + "export async function careful(m) {\n  let tries = 0;\n  while (true) {\n    try { return await ask(m); } catch (e) {\n      if (++tries > 3) throw e;\n    }\n  }\n}\n",
    },
)
def test_loops_with_a_bound_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []


@claims(
    "no-max-tokens",
    py={
        "openai": "from openai import OpenAI\nc = OpenAI()\nc.chat.completions.create(model='m', messages=[])  # HERE\n",
        "openai, the old spelling": "import openai\nopenai.ChatCompletion.create(model='m', messages=[])  # HERE\n",
        "openai, an async client": "from openai import AsyncOpenAI\nc = AsyncOpenAI()\nasync def a():\n    await c.chat.completions.create(model='m', messages=[])  # HERE\n",
        "openai, a parsed answer": "from openai import OpenAI\nc = OpenAI()\nc.beta.chat.completions.parse(model='m', messages=[], response_format=F)  # HERE\n",
        "openai, responses": "from openai import OpenAI\nc = OpenAI()\nc.responses.create(model='m', input='x')  # HERE\n",
        "azure": "from openai import AzureOpenAI\nc = AzureOpenAI()\nc.chat.completions.create(model='m', messages=[])  # HERE\n",
        "gemini": "from google import genai\nc = genai.Client()\nc.models.generate_content(model='m', contents='x')  # HERE\n",
        "gemini, the old library": "import google.generativeai as genai\nm = genai.GenerativeModel('m')\nm.generate_content('x')  # HERE\n",
        "mistral": "from mistralai import Mistral\nc = Mistral()\nc.chat.complete(model='m', messages=[])  # HERE\n",
        "groq": "from groq import Groq\nc = Groq()\nc.chat.completions.create(model='m', messages=[])  # HERE\n",
        "cohere": "import cohere\nc = cohere.ClientV2()\nc.chat(model='m', messages=[])  # HERE\n",
        "together": "from together import Together\nc = Together()\nc.chat.completions.create(model='m', messages=[])  # HERE\n",
        "hugging face": "from huggingface_hub import InferenceClient\nc = InferenceClient()\nc.chat_completion(messages=[])  # HERE\n",
        "litellm": "import litellm\nlitellm.completion(model='m', messages=[])  # HERE\n",
        "litellm by its function": "from litellm import completion\ncompletion(model='m', messages=[])  # HERE\n",
        "langchain": "from langchain_openai import ChatOpenAI\nllm = ChatOpenAI(model='m')\nllm.invoke('x')  # HERE\n",
        "a langchain pipe": "from langchain_openai import ChatOpenAI\nfrom langchain_core.prompts import ChatPromptTemplate\nchain = ChatPromptTemplate.from_template('{x}') | ChatOpenAI(model='m')\nchain.invoke({'x': 1})  # HERE\n",
        "bedrock": "import boto3, json\nc = boto3.client('bedrock-runtime')\nc.converse(modelId='m', messages=[])  # HERE\n",
        "plain http": "import requests\nrequests.post('https://api.openai.com/v1/chat/completions', json={'model': 'm', 'messages': []})  # HERE\n",
        "plain http by an async client": "import httpx\nasync def a():\n    async with httpx.AsyncClient() as c:\n        await c.post('https://openrouter.ai/api/v1/chat/completions', json={'model': 'm', 'messages': []})  # HERE\n",
        "known options without a cap": "from openai import OpenAI\nc = OpenAI()\nOPTIONS = {'model': 'm', 'temperature': 0}\nc.chat.completions.create(messages=[], **OPTIONS)  # HERE\n",
        "pydantic-ai": "from pydantic_ai import Agent\nagent = Agent('openai:m')\nagent.run_sync('x')  # HERE\n",
        "llama-index": "from llama_index.llms.openai import OpenAI\nllm = OpenAI(model='m')\nllm.complete('x')  # HERE\n",
        "a client kept in an object": "from openai import OpenAI\nclass Bot:\n    def __init__(self):\n        self.c = OpenAI()\n    def say(self, t):\n        return self.c.chat.completions.create(model='m', messages=[t])  # HERE\n",
        "a client made by a function": "from openai import OpenAI\ndef client():\n    return OpenAI()\ndef say(t):\n    return client().chat.completions.create(model='m', messages=[t])  # HERE\n",
    },
    js={
        "openai": "import OpenAI from 'openai';\nconst c = new OpenAI();\nawait c.chat.completions.create({ model: 'm', messages: [] }); // HERE\n",
        "openai, required": "const { OpenAI } = require('openai');\nconst c = new OpenAI();\nc.chat.completions.create({ model: 'm', messages: [] }); // HERE\n",
        "openai, version 3": "const { Configuration, OpenAIApi } = require('openai');\nconst c = new OpenAIApi(new Configuration({}));\nc.createChatCompletion({ model: 'm', messages: [] }); // HERE\n",
        "openai, responses": "import OpenAI from 'openai';\nconst c = new OpenAI();\nawait c.responses.create({ model: 'm', input: 'x' }); // HERE\n",
        "the ai package": "import { generateText } from 'ai';\nimport { openai } from '@ai-sdk/openai';\nawait generateText({ model: openai('m'), prompt: 'x' }); // HERE\n",
        "the ai package, streaming": "import { streamText } from 'ai';\nexport const a = (messages) => streamText({ model: 'm', messages }); // HERE\n",
        "gemini": "import { GoogleGenAI } from '@google/genai';\nconst c = new GoogleGenAI({});\nawait c.models.generateContent({ model: 'm', contents: 'x' }); // HERE\n",
        "gemini, the old library": "import { GoogleGenerativeAI } from '@google/generative-ai';\nconst m = new GoogleGenerativeAI('').getGenerativeModel({ model: 'm' });\nawait m.generateContent('x'); // HERE\n",
        "mistral": "import { Mistral } from '@mistralai/mistralai';\nconst c = new Mistral({});\nawait c.chat.complete({ model: 'm', messages: [] }); // HERE\n",
        "groq": "import Groq from 'groq-sdk';\nconst c = new Groq();\nawait c.chat.completions.create({ model: 'm', messages: [] }); // HERE\n",
        "cohere": "import { CohereClient } from 'cohere-ai';\nconst c = new CohereClient({});\nawait c.chat({ model: 'm', message: 'x' }); // HERE\n",
        "langchain": "import { ChatOpenAI } from '@langchain/openai';\nconst llm = new ChatOpenAI({ model: 'm' });\nawait llm.invoke('x'); // HERE\n",
        "bedrock": "import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';\nconst c = new BedrockRuntimeClient({});\nawait c.send(new ConverseCommand({ modelId: 'm', messages: [] })); // HERE\n",
        "plain http": "export const a = () => fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'm', messages: [] }) }); // HERE\n",
        "axios": "import axios from 'axios';\nexport const a = () => axios.post('https://api.groq.com/openai/v1/chat/completions', { model: 'm', messages: [] }); // HERE\n",
        "known options without a cap": "import OpenAI from 'openai';\nconst c = new OpenAI();\nconst options = { model: 'm', temperature: 0 };\nawait c.chat.completions.create({ ...options, messages: [] }); // HERE\n",
    },
)
def test_calls_without_a_cap_are_found(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files)


@claims(
    "no-max-tokens",
    py={
        "openai": "from openai import OpenAI\nc = OpenAI()\nc.chat.completions.create(model='m', max_completion_tokens=9, messages=[])\n",
        "openai, responses": "from openai import OpenAI\nc = OpenAI()\nc.responses.create(model='m', input='x', max_output_tokens=9)\n",
        "anthropic demands one": "import anthropic\nc = anthropic.Anthropic()\nc.messages.create(model='m', max_tokens=9, messages=[])\n",
        "gemini by a config": "from google import genai\nfrom google.genai import types\nc = genai.Client()\nc.models.generate_content(model='m', contents='x', config=types.GenerateContentConfig(max_output_tokens=9))\n",
        "gemini by a dict": "from google import genai\nc = genai.Client()\nc.models.generate_content(model='m', contents='x', config={'max_output_tokens': 9})\n",
        "gemini by its model": "import google.generativeai as genai\nm = genai.GenerativeModel('m', generation_config={'max_output_tokens': 9})\nm.generate_content('x')\n",
        "gemini by a config that was made before": "import google.generativeai as genai\nconfig = genai.types.GenerationConfig(max_output_tokens=9)\nm = genai.GenerativeModel('m')\nm.generate_content('x', generation_config=config)\n",
        "langchain by its constructor": "from langchain_openai import ChatOpenAI\nllm = ChatOpenAI(model='m', max_tokens=9)\nllm.invoke('x')\n",
        "a langchain pipe with a capped model": "from langchain_openai import ChatOpenAI\nfrom langchain_core.prompts import ChatPromptTemplate\nchain = ChatPromptTemplate.from_template('{x}') | ChatOpenAI(model='m', max_tokens=9)\nchain.invoke({'x': 1})\n",
        "bedrock by its config": "import boto3\nc = boto3.client('bedrock-runtime')\nc.converse(modelId='m', messages=[], inferenceConfig={'maxTokens': 9})\n",
        "bedrock by a body": "import boto3, json\nc = boto3.client('bedrock-runtime')\nc.invoke_model(modelId='m', body=json.dumps({'max_tokens': 9, 'messages': []}))\n",
        "options that cannot be seen": "from openai import OpenAI\nc = OpenAI()\ndef say(**options):\n    return c.chat.completions.create(**options)\n",
        "options from a file": "from openai import OpenAI\nimport json\nc = OpenAI()\nopts = json.load(open('o.json'))\nc.chat.completions.create(messages=[], **opts)\n",
        "known options with a cap": "from openai import OpenAI\nc = OpenAI()\nOPTIONS = {'model': 'm', 'max_tokens': 9}\nc.chat.completions.create(messages=[], **OPTIONS)\n",
        "options put together": "from openai import OpenAI\nc = OpenAI()\ndef say(m):\n    options = {'model': 'm'}\n    options['max_tokens'] = 9\n    return c.chat.completions.create(messages=m, **options)\n",
        "plain http": "import requests\nrequests.post('https://api.openai.com/v1/chat/completions', json={'model': 'm', 'max_tokens': 9, 'messages': []})\n",
        "plain http with a body made before": "import requests\nbody = {'model': 'm', 'max_tokens': 9, 'messages': []}\nrequests.post('https://api.openai.com/v1/chat/completions', json=body)\n",
        "an embedding": "from openai import OpenAI\nc = OpenAI()\nc.embeddings.create(model='m', input='x')\n",
        "an image": "from openai import OpenAI\nc = OpenAI()\nc.images.generate(prompt='x')\n",
        "a local model": "from openai import OpenAI\nc = OpenAI(base_url='http://localhost:11434/v1')\nc.chat.completions.create(model='m', messages=[])\n",
        "ollama": "import ollama\nollama.chat(model='m', messages=[])\n",
        "pydantic-ai with settings": "from pydantic_ai import Agent\nagent = Agent('openai:m', model_settings={'max_tokens': 9})\nagent.run_sync('x')\n",
        "a partial function": "from functools import partial\nfrom openai import OpenAI\nc = OpenAI()\nsay = partial(c.chat.completions.create, model='m', max_tokens=9)\nsay(messages=[])\n",
        "messages of something else": "import mailer\nmailer.messages.create(to='a', body='b')\n",
    },
    js={
        "openai": "import OpenAI from 'openai';\nconst c = new OpenAI();\nawait c.chat.completions.create({ model: 'm', max_tokens: 9, messages: [] });\n",
        "the ai package": "import { generateText } from 'ai';\nawait generateText({ model: 'm', prompt: 'x', maxOutputTokens: 9 });\n",
        "the ai package, version 4": "import { streamText } from 'ai';\nexport const a = (messages) => streamText({ model: 'm', messages, maxTokens: 9 });\n",
        "gemini by a config": "import { GoogleGenAI } from '@google/genai';\nconst c = new GoogleGenAI({});\nawait c.models.generateContent({ model: 'm', contents: 'x', config: { maxOutputTokens: 9 } });\n",
        "gemini by its model": "import { GoogleGenerativeAI } from '@google/generative-ai';\nconst m = new GoogleGenerativeAI('').getGenerativeModel({ model: 'm', generationConfig: { maxOutputTokens: 9 } });\nawait m.generateContent('x');\n",
        "langchain by its constructor": "import { ChatOpenAI } from '@langchain/openai';\nconst llm = new ChatOpenAI({ model: 'm', maxTokens: 9 });\nawait llm.invoke('x');\n",
        "bedrock": "import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';\nconst c = new BedrockRuntimeClient({});\nawait c.send(new ConverseCommand({ modelId: 'm', messages: [], inferenceConfig: { maxTokens: 9 } }));\n",
        "plain http": "export const a = () => fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model: 'm', max_tokens: 9, messages: [] }) });\n",
        "options that cannot be seen": "import OpenAI from 'openai';\nconst c = new OpenAI();\nexport const a = (options) => c.chat.completions.create({ ...options, messages: [] });\n",
        "options handed through": "import OpenAI from 'openai';\nconst c = new OpenAI();\nexport const a = (params) => c.chat.completions.create(params);\n",
        "an option that is set later": "import OpenAI from 'openai';\nconst c = new OpenAI();\nexport function a(m) {\n  const params = { model: 'm', messages: m };\n  params.max_tokens = 9;\n  return c.chat.completions.create(params);\n}\n",
        "an embedding": "import { embed } from 'ai';\nawait embed({ model: 'm', value: 'x' });\n",
        "a local model": "import OpenAI from 'openai';\nconst c = new OpenAI({ baseURL: 'http://127.0.0.1:1234/v1' });\nawait c.chat.completions.create({ model: 'm', messages: [] });\n",
        "options of a default import": "import Provider from '@langchain/openai';\nimport { ChatOpenAI } from '@langchain/openai';\nconst options = { maxTokens: 9 };\nconst llm = new ChatOpenAI({ ...options, model: 'm' });\nawait llm.invoke('x');\n",
    },
)
def test_capped_calls_are_left_alone(rule: str, files: Files) -> None:
    assert said(rule, files) == marked(files) == []
