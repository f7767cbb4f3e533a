import os

os.environ["SECRET_KEY"] = "only-for-tests"
os.environ["OPENAI_API_KEY"] = "sk-fake-key-for-tests-000000000000000000000000"
os.environ["DATABASE_URL"] = "sqlite://"
