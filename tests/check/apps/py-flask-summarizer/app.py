import io
import logging
import smtplib
from email.message import EmailMessage

import openai
import PyPDF2
import requests
from bs4 import BeautifulSoup
from flask import Flask, jsonify, redirect, render_template, request, session

import config

app = Flask(__name__)
app.secret_key = "supersecretkey123"
openai.api_key = config.OPENAI_KEY
logging.basicConfig(level=logging.INFO)


def summarize(text, style="bullet points"):
    logging.info("using key %s", openai.api_key)
    resp = openai.ChatCompletion.create(
        model="gpt-3.5-turbo",
        messages=[
            {"role": "system", "content": "You summarize texts. Style: " + style},
            {"role": "user", "content": text},
        ],
    )
    return resp["choices"][0]["message"]["content"]


def title_for(text):
    resp = openai.Completion.create(engine="text-davinci-003", prompt=f"Title for: {text[:500]}", max_tokens=20)
    return resp.choices[0].text.strip()


@app.route("/")
def home():
    return render_template("index.html", name=session.get("name"))


@app.route("/summarize", methods=["POST"])
def summarize_text():
    text = request.form["text"]
    return render_template("result.html", summary=summarize(text, request.form.get("style", "")))


@app.route("/summarize-pdf", methods=["POST"])
def summarize_pdf():
    reader = PyPDF2.PdfReader(io.BytesIO(request.files["pdf"].read()))
    text = "\n".join(page.extract_text() for page in reader.pages)
    summary = summarize(text)
    return jsonify(title=title_for(text), summary=summary)


@app.route("/summarize-url")
def summarize_url():
    url = request.args.get("url")
    html = requests.get(url, timeout=15).text
    text = BeautifulSoup(html, "html.parser").get_text()
    return jsonify(summary=summarize(text[:12000]))


@app.route("/share", methods=["POST"])
def share():
    msg = EmailMessage()
    msg["To"] = request.form["to"]
    msg["Subject"] = "A summary for you"
    msg.set_content(request.form["summary"][:5000])
    with smtplib.SMTP_SSL("smtp.sendgrid.net") as smtp:
        smtp.login("apikey", config.SENDGRID_API_KEY)
        smtp.send_message(msg)
    return redirect("/")


@app.route("/hello")
def hello():
    return f"<h1>Hello {request.args.get('name', 'you')}</h1>"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000, debug=True)
