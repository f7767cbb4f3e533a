import os
import sqlite3
import traceback

import anthropic
from flask import Flask, g, jsonify, make_response, render_template_string, request
from flask_cors import CORS

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY", "dev")
CORS(app)
claude = anthropic.Anthropic()

SCHEMA = open("schema.sql").read()
PAGE = """
<h2>Ask the shop database</h2>
<form><input name=q value="{{ q }}"><button>Ask</button></form>
<pre>{{ rows }}</pre>
"""


def db():
    if "db" not in g:
        g.db = sqlite3.connect("shop.db")
    return g.db


def to_sql(question):
    message = claude.messages.create(
        model="claude-3-5-sonnet-latest",
        max_tokens=500,
        system="Translate the question to one SQLite query. Answer only with SQL.\n\n" + SCHEMA,
        messages=[{"role": "user", "content": question}],
    )
    return message.content[0].text


@app.get("/")
def ask():
    q = request.args.get("q", "")
    rows = []
    if q:
        sql = to_sql(q)
        rows = db().execute(sql).fetchall()
    return render_template_string(PAGE, q=q, rows=rows)


@app.post("/api/ask")
def api_ask():
    try:
        question = request.json["question"]
        query = to_sql(question)
        cursor = db().cursor()
        cursor.execute(query)
        return jsonify(columns=[c[0] for c in cursor.description], rows=cursor.fetchall())
    except Exception:
        return jsonify(error=traceback.format_exc()), 500


@app.get("/orders/<order_id>")
def order(order_id):
    row = db().execute("SELECT * FROM orders WHERE id = '%s'" % order_id).fetchone()
    return jsonify(row)


@app.get("/customers/<int:customer_id>/orders")
def customer_orders(customer_id):
    rows = db().execute("SELECT id, total FROM orders WHERE customer_id = ?", (customer_id,)).fetchall()
    return jsonify(rows)


@app.get("/count/<int:year>")
def count(year):
    return jsonify(db().execute(f"SELECT COUNT(*) FROM orders WHERE year = {year}").fetchone()[0])


@app.get("/welcome")
def welcome():
    name = request.args.get("name", "stranger")
    return render_template_string("<p>Welcome, " + name + "!</p>")


@app.post("/theme")
def theme():
    response = make_response({"ok": True})
    response.set_cookie("theme", "dark")
    return response


@app.post("/login")
def login():
    if request.json.get("password") != os.environ["ADMIN_PASSWORD"]:
        return jsonify(error="wrong password"), 401
    response = make_response({"ok": True})
    response.set_cookie("session_id", os.urandom(16).hex(), httponly=False, secure=False)
    return response


@app.teardown_appcontext
def close(_):
    if "db" in g:
        g.db.close()


if __name__ == "__main__":
    app.run(debug=os.environ.get("FLASK_DEBUG") == "1")
