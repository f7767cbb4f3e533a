import os

import boto3
import pymysql

AWS_ACCESS_KEY_ID = "{{key:aws-id}}"
AWS_SECRET_ACCESS_KEY = "{{key:aws-secret}}"

s3 = boto3.client("s3", aws_access_key_id=AWS_ACCESS_KEY_ID, aws_secret_access_key=AWS_SECRET_ACCESS_KEY)


def connect():
    return pymysql.connect(host=os.environ["DB_HOST"], user="app", password=os.environ["DB_PASSWORD"], database="answers")


def save_answer(question, answer):
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO answers (question, answer) VALUES (%s, %s)", (question, answer))
    connection.commit()


def find_answers(term):
    with connect().cursor() as cursor:
        cursor.execute("SELECT question, answer FROM answers WHERE question LIKE '%{}%' LIMIT 200".format(term))
        return cursor.fetchall()
