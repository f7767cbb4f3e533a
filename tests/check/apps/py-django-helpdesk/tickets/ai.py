from openai import OpenAI

SYSTEM = "You are the support bot of Acme Routers."


def draft_reply(body: str) -> str:
    response = OpenAI().chat.completions.create(
        model="gpt-4o",
        max_tokens=700,
        messages=[
            {"role": "system", "content": "Write a polite HTML reply to this support ticket."},
            {"role": "user", "content": body},
        ],
    )
    return response.choices[0].message.content


def answer_chat(messages: list[dict]) -> str:
    response = OpenAI().chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "system", "content": SYSTEM}, *messages],
    )
    return response.choices[0].message.content
