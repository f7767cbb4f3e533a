import os

from langchain_openai import OpenAIEmbeddings
from pinecone import Pinecone

pc = Pinecone(api_key="{{key:pinecone}}")
index = pc.Index("tenancy-law")
embeddings = OpenAIEmbeddings(api_key=os.environ["OPENAI_API_KEY"])

os.environ["LANGCHAIN_TRACING_V2"] = "true"
os.environ["LANGCHAIN_API_KEY"] = "{{key:langsmith}}"


def retriever(question: str) -> str:
    found = index.query(vector=embeddings.embed_query(question), top_k=5, include_metadata=True)
    return "\n\n".join(match["metadata"]["text"] for match in found["matches"])
