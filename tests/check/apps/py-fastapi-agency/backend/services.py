import json
import time

import litellm

from backend.tools import TOOLS, call_tool

litellm.drop_params = True


class CopyService:
    def write(self, brief: str, model: str, base_url: str | None, persona: str) -> str:
        response = litellm.completion(
            model=model,
            api_base=base_url,
            messages=[
                {"role": "system", "content": f"You are {persona}. Write marketing copy."},
                {"role": "user", "content": brief},
            ],
        )
        return response.choices[0].message.content


class ResearchAgent:
    """Searches until it is happy with what it found."""

    def __init__(self, user: str):
        self.user = user
        self.messages = [
            {"role": "system", "content": "You are a research agent. Use the tools, then answer."},
        ]

    def run(self, topic: str) -> str:
        self.messages.append({"role": "user", "content": f"Research: {topic}"})
        while True:
            response = litellm.completion(model="claude-sonnet-4-5", messages=self.messages, tools=TOOLS, max_tokens=2048)
            message = response.choices[0].message
            self.messages.append(message)
            if not message.tool_calls:
                return message.content
            for call in message.tool_calls:
                result = call_tool(call.function.name, json.loads(call.function.arguments))
                self.messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def classify(self, text: str) -> str:
        for attempt in range(3):
            try:
                answer = litellm.completion(
                    model="gpt-4o-mini",
                    messages=[{"role": "user", "content": f"One word, topic of: {text}"}],
                    max_tokens=5,
                )
                return answer.choices[0].message.content
            except litellm.RateLimitError:
                time.sleep(2**attempt)
        return "unknown"
