import base64
import os
import time

from openai import OpenAI, RateLimitError

client = OpenAI()
CACHE = "pictures"


def paint(text):
    prompt = f"Children's book illustration of: {text[:900]}"
    for wait in (1, 2, 4):
        try:
            image = client.images.generate(model="gpt-image-1", prompt=prompt, size="1024x1024", n=1)
            break
        except RateLimitError:
            time.sleep(wait)
    else:
        return None
    title = client.responses.create(model="gpt-4o-mini", input=f"A file name for this picture: {text[:200]}", max_output_tokens=16)
    path = os.path.join(CACHE, title.output_text + ".png")
    with open(path, "wb") as f:
        f.write(base64.b64decode(image.data[0].b64_json))
    return path
