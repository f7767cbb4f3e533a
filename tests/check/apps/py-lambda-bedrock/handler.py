import json
import logging
import os

import boto3

from storage import find_answers, save_answer

logger = logging.getLogger()
logger.setLevel("INFO")
bedrock = boto3.client("bedrock-runtime", region_name="eu-central-1")
MODEL = os.environ.get("MODEL_ID", "anthropic.claude-3-haiku-20240307-v1:0")
HEADERS = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}


def respond(status, body):
    return {"statusCode": status, "headers": HEADERS, "body": json.dumps(body)}


def ask(event, context):
    logger.info("event: %s", json.dumps(event))
    body = json.loads(event["body"])
    question = body["question"]
    payload = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 500,
        "messages": [{"role": "user", "content": question}],
    }
    try:
        response = bedrock.invoke_model(modelId=MODEL, body=json.dumps(payload))
    except Exception as e:
        return respond(500, {"message": "Bedrock failed: " + str(e)})
    answer = json.loads(response["body"].read())["content"][0]["text"]
    save_answer(question, answer)
    return respond(200, {"answer": answer})


def converse(event, context):
    """Behind the JWT authorizer of the API."""
    user = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    text = json.loads(event["body"]).get("text", "")
    if not isinstance(text, str) or len(text) > 1000:
        return respond(400, {"message": "text has at most 1000 characters"})
    response = bedrock.converse(
        modelId=MODEL,
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": 400},
    )
    logger.info("answered %s", user)
    return respond(200, {"answer": response["output"]["message"]["content"][0]["text"]})


def search(event, context):
    term = (event.get("queryStringParameters") or {}).get("q", "")
    return respond(200, {"answers": find_answers(term)})


def tidy(event, context):
    """Runs every night: one summary of the day's questions."""
    questions = "\n".join(q for q, _ in find_answers("")[:200])
    response = bedrock.converse(
        modelId=MODEL,
        messages=[{"role": "user", "content": [{"text": "Summarise:\n" + questions}]}],
    )
    save_answer("daily summary", response["output"]["message"]["content"][0]["text"])
