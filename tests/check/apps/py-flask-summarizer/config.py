import os

OPENAI_KEY = os.environ["OPENAI_API_KEY"]
SENDGRID_API_KEY = os.environ.get("SENDGRID_API_KEY", "")
