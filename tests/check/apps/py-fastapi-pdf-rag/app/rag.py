import os

from langchain.chains import RetrievalQA
from langchain.prompts import PromptTemplate
from langchain_community.document_loaders import PyPDFLoader
from langchain_community.vectorstores import Chroma
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

embeddings = OpenAIEmbeddings(model="text-embedding-3-small")
llm = ChatOpenAI(model="gpt-4o-mini", temperature=0)

PROMPT = PromptTemplate.from_template(
    "Use the following pieces of context to answer the question at the end.\n\n{context}\n\nQuestion: {question}"
)


def _store(name: str) -> Chroma:
    return Chroma(collection_name=os.path.basename(name), embedding_function=embeddings, persist_directory="chroma")


def index_pdf(path: str) -> int:
    pages = PyPDFLoader(path).load()
    chunks = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=100).split_documents(pages)
    _store(path).add_documents(chunks)
    return len(pages)


def answer_question(name: str, question: str) -> str:
    chain = RetrievalQA.from_chain_type(llm, retriever=_store(name).as_retriever(), chain_type_kwargs={"prompt": PROMPT})
    return chain.invoke({"query": question})["result"]
