"""A little coding agent for the terminal.

    python agent.py "rename all my photos by date"
"""
import argparse
import json
import os
import subprocess
import sys

from openai import OpenAI
from rich.console import Console

from tools import SCHEMAS, read_file, write_file

console = Console()
client = OpenAI(base_url=os.environ.get("OPENAI_BASE_URL"))
SYSTEM = "You are a coding agent on the user's own machine. Work step by step. Say DONE when finished."


def run_command(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    return (done.stdout + done.stderr)[-4000:]


def run_python(code: str) -> str:
    try:
        scope: dict = {}
        exec(code, scope)
        return str(scope.get("result"))
    except Exception as error:
        return f"Error: {error}"


HANDLERS = {
    "run_command": lambda a: run_command(a["command"]),
    "run_python": lambda a: run_python(a["code"]),
    "read_file": lambda a: read_file(a["path"]),
    "write_file": lambda a: write_file(a["path"], a["content"]),
}


def work(task: str) -> None:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": task}]
    while True:
        response = client.chat.completions.create(
            model="gpt-4o", messages=messages, tools=SCHEMAS
        )
        message = response.choices[0].message
        messages.append(message)
        for call in message.tool_calls or []:
            console.print(f"[dim]{call.function.name} {call.function.arguments[:200]}[/dim]")
            result = HANDLERS[call.function.name](json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        if message.content:
            console.print(message.content)
        if "DONE" in (message.content or ""):
            return


def ask_back() -> None:
    """Chat until the person leaves."""
    while True:
        line = input("> ").strip()
        if line in {"", "quit", "exit"}:
            return
        answer = client.chat.completions.create(
            model="gpt-4o-mini", max_tokens=300, messages=[{"role": "user", "content": line}]
        )
        console.print(answer.choices[0].message.content)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", nargs="?")
    parser.add_argument("--model", default="gpt-4o")
    args = parser.parse_args()
    if not os.environ.get("OPENAI_API_KEY"):
        sys.exit("Set OPENAI_API_KEY first, for example: export OPENAI_API_KEY=sk-...")
    if args.task:
        work(args.task)
    else:
        ask_back()


if __name__ == "__main__":
    main()
