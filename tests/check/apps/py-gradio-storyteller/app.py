import os
import random

import gradio as gr
import ollama
from huggingface_hub import InferenceClient
from openai import OpenAI

from pictures import paint

client = OpenAI()
hf = InferenceClient(token="{{key:huggingface}}")
story_so_far = []  # everybody writes the same story, oops

GENRES = ["fairy tale", "science fiction", "crime"]


def continue_story(text, genre, temperature):
    story_so_far.append({"role": "user", "content": text})
    result = client.chat.completions.create(
        model="gpt-4o-mini",
        temperature=temperature,
        messages=[{"role": "system", "content": f"Continue the {genre}."}] + story_so_far,
    )
    piece = result.choices[0].message.content
    story_so_far.append({"role": "assistant", "content": piece})
    return piece, f"<div class='page'>{piece}</div>"


def name_hero(kind):
    reply = ollama.chat(model="llama3.2", messages=[{"role": "user", "content": f"One name for a {kind}"}])
    return reply["message"]["content"]


def translate(text):
    out = hf.chat_completion(messages=[{"role": "user", "content": f"To French: {text}"}], model="Qwen/Qwen2.5-72B-Instruct", max_tokens=500)
    return out.choices[0].message.content


def lucky():
    return random.choice(GENRES)


with gr.Blocks() as demo:
    gr.HTML("<h1>Storyteller</h1>")
    genre = gr.Dropdown(GENRES, value="fairy tale", label="Genre")
    heat = gr.Slider(0, 1.5, value=0.9, label="Wildness")
    box = gr.Textbox(label="Your turn", lines=3)
    out = gr.Textbox(label="Next piece")
    page = gr.HTML()
    picture = gr.Image()
    gr.Button("Continue").click(continue_story, [box, genre, heat], [out, page])
    gr.Button("Paint it").click(paint, [out], [picture])
    gr.Button("To French").click(translate, [out], [out])
    gr.Button("I feel lucky").click(lucky, None, [genre])

if __name__ == "__main__":
    demo.launch(share=True, server_name="0.0.0.0")
