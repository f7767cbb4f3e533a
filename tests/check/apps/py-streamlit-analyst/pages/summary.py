import streamlit as st
from openai import OpenAI

client = OpenAI(api_key=st.secrets["OPENAI_API_KEY"])
st.title("Summary of a text")
text = st.text_area("Text", max_chars=5000)
if st.button("Summarise") and text:
    stream = client.chat.completions.create(
        model="gpt-4o-mini",
        max_tokens=300,
        stream=True,
        messages=[{"role": "user", "content": f"Summarise in three sentences:\n{text}"}],
    )
    st.write_stream(stream)
