import re

import pandas as pd
import plotly.express as px
import streamlit as st
from openai import OpenAI

st.set_page_config(page_title="CSV Analyst", layout="wide")
st.title("📊 Talk to your CSV")

client = OpenAI(api_key=st.secrets["OPENAI_API_KEY"])

if "messages" not in st.session_state:
    st.session_state.messages = []

uploaded = st.file_uploader("Upload a CSV", type="csv")
if uploaded is None:
    st.info("Upload a file to begin")
    st.stop()

df = pd.read_csv(uploaded)
st.dataframe(df.head())

SYSTEM = f"""You are a data analyst. Write Python code with pandas and plotly.
The dataframe is called df and has these columns: {list(df.columns)}.
Put the code between ```python and ```. Put the figure into `fig`."""


def extract_code(text):
    match = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    return match.group(1) if match else ""


def safe_number(text):
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


threshold = safe_number(st.text_input("Ignore rows below", "0"))

for message in st.session_state.messages:
    with st.chat_message(message["role"]):
        st.markdown(message["content"])

if prompt := st.chat_input("What do you want to know?"):
    st.session_state.messages.append({"role": "user", "content": prompt})
    with st.chat_message("user"):
        st.markdown(prompt)
    with st.spinner("Thinking…"):
        response = client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "system", "content": SYSTEM}] + st.session_state.messages,
        )
    answer = response.choices[0].message.content
    st.session_state.messages.append({"role": "assistant", "content": answer})
    with st.chat_message("assistant"):
        st.markdown(f"<div class='answer'>{answer}</div>", unsafe_allow_html=True)
        code = extract_code(answer)
        if code:
            scope = {"df": df, "pd": pd, "px": px}
            exec(code, scope)
            if "fig" in scope:
                st.plotly_chart(scope["fig"])

with st.sidebar:
    st.markdown("<small>Made with ❤️ in a weekend</small>", unsafe_allow_html=True)
    expression = st.text_input("Quick filter (pandas query)", "")
    if expression:
        st.dataframe(df.query(expression))
    formula = st.text_input("Quick formula", "")
    if formula:
        st.write(eval(formula, {"df": df}))
