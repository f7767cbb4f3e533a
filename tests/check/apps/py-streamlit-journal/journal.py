"""Mood journal: write a few lines a day, Gemini reads them back to you."""
import os
import sqlite3
from datetime import date, timedelta

import google.generativeai as genai
import streamlit as st
from dotenv import load_dotenv

from mailer import send_weekly

load_dotenv()
genai.configure(api_key=os.getenv("GOOGLE_API_KEY"))
model = genai.GenerativeModel("gemini-1.5-flash", system_instruction="You are a kind listener.")
conn = sqlite3.connect("journal.db", check_same_thread=False)
conn.execute("CREATE TABLE IF NOT EXISTS entries (day TEXT, author TEXT, body TEXT, mood INTEGER)")

MOODS = ["😢", "🙁", "😐", "🙂", "😀"]
ORDERS = {"Newest first": "day DESC", "Best mood first": "mood DESC"}

name = st.text_input("Your name")
if not name:
    st.stop()

tab_write, tab_read, tab_ask = st.tabs(["Write", "Read", "Ask"])

with tab_write:
    body = st.text_area("How was today?")
    mood = st.select_slider("Mood", MOODS)
    if st.button("Save"):
        conn.execute(
            "INSERT INTO entries VALUES (?, ?, ?, ?)", (date.today().isoformat(), name, body, MOODS.index(mood))
        )
        conn.commit()
        st.success("Saved")

with tab_read:
    word = st.text_input("Find")
    order = ORDERS[st.selectbox("Order", list(ORDERS))]
    rows = conn.execute(f"SELECT day, body FROM entries WHERE author = '{name}' AND body LIKE '%{word}%'").fetchall()
    for day, text in rows:
        st.subheader(day)
        st.write(text)

    recent = conn.execute(f"SELECT day, mood FROM entries WHERE author = ? ORDER BY {order} LIMIT 7", (name,)).fetchall()
    st.bar_chart({"mood": [m for _, m in recent]})

with tab_ask:
    question = st.text_input("Ask about your month")
    if question:
        since = (date.today() - timedelta(days=30)).isoformat()
        entries = conn.execute("SELECT day, body FROM entries WHERE author = ? AND day > ?", (name, since)).fetchall()
        context = "\n".join(f"{d}: {b}" for d, b in entries)
        reply = model.generate_content(f"Entries:\n{context}\n\nQuestion: {question}")
        st.write(reply.text)
    if st.button("Mail me the week"):
        send_weekly(name, rows)
