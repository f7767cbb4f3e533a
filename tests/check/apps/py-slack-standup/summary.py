import os

import redis
from openai import AzureOpenAI

client = AzureOpenAI(
    azure_endpoint="https://standup-eu.openai.azure.com",
    api_key="{{hex:32}}",
    api_version="2024-10-21",
)
store = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379/0"), decode_responses=True)


class Summary:
    def add(self, user: str, text: str) -> None:
        store.rpush("standup", f"{user}: {text}")
        store.ltrim("standup", -100, -1)

    def write(self) -> str:
        said = "\n".join(store.lrange("standup", 0, -1))
        response = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[
                {"role": "system", "content": "Summarise the standup. Three bullets at most."},
                {"role": "user", "content": said},
            ],
        )
        return response.choices[0].message.content
