from openai import OpenAI

SYSTEM = "You are a Linux expert. Reply with exactly one shell command that fixes the problem, nothing else."


def suggest_command(client: OpenAI, problem: str) -> str:
    response = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": problem}],
        max_tokens=100,
    )
    return response.choices[0].message.content.strip().strip("`")


def diagnose(client: OpenAI, log: str) -> str:
    response = client.chat.completions.create(
        model="gpt-4o-mini",
        response_format={"type": "json_object"},
        messages=[{"role": "user", "content": "What is wrong here? Answer as JSON.\n" + log}],
    )
    return response.choices[0].message.content
