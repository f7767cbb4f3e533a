# Homelab dashboard with an AI helper. Runs on the mini PC in the closet.
import json
import os
import pickle
import subprocess

import requests
import yaml
from flask import Flask, Response, jsonify, redirect, request, send_file
from openai import OpenAI

from assistant import diagnose, suggest_command
from auth import login_required

app = Flask(__name__)
client = OpenAI()
PROXMOX = "https://192.168.1.20:8006"
PROXMOX_TOKEN = "{{hex:32}}"
HOSTS = {"nas": "192.168.1.10", "printer": "192.168.1.31"}


@app.get("/ping")
def ping():
    host = request.args["host"]
    output = subprocess.check_output(f"ping -c 1 {host}", shell=True)
    return Response(output, mimetype="text/plain")


@app.get("/ping/<name>")
def ping_known(name):
    if name not in HOSTS:
        return jsonify(error="unknown host"), 404
    output = subprocess.check_output(["ping", "-c", "1", HOSTS[name]])
    return Response(output, mimetype="text/plain")


@app.get("/logs")
def logs():
    service = request.args.get("service", "nginx")
    return Response(os.popen("journalctl -n 100 -u " + service).read(), mimetype="text/plain")


@app.get("/uptime")
def uptime():
    return Response(subprocess.check_output("uptime && df -h", shell=True), mimetype="text/plain")


@app.get("/vms")
def vms():
    answer = requests.get(
        f"{PROXMOX}/api2/json/cluster/resources",
        headers={"Authorization": f"PVEAPIToken={PROXMOX_TOKEN}"},
        verify=False,
    )
    return jsonify(answer.json())


@app.get("/weather")
def weather():
    return jsonify(requests.get("http://api.openweathermap.org/data/2.5/weather", params={"q": "Berlin", "appid": os.environ["OWM_KEY"]}).json())


@app.get("/proxy")
def proxy():
    upstream = requests.get(request.args["u"], stream=True)
    return Response(upstream.content, content_type=upstream.headers.get("content-type"))


@app.post("/restore")
def restore():
    state = pickle.loads(request.get_data())
    return jsonify(restored=len(state))


@app.post("/config")
def upload_config():
    config = yaml.load(request.data, Loader=yaml.Loader)
    with open("config.yml", "w") as f:
        yaml.safe_dump(config, f)
    return jsonify(ok=True)


@app.get("/config")
def show_config():
    with open("config.yml") as f:
        return jsonify(yaml.safe_load(f))


@app.get("/backup")
def backup():
    return send_file(os.path.join("/srv/backups", request.args["file"]))


@app.get("/go")
def go():
    return redirect("/dashboard")


@app.post("/ai/fix")
def ai_fix():
    problem = request.json["problem"]
    command = suggest_command(client, problem)
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    return jsonify(command=command, output=result.stdout, error=result.stderr)


@app.post("/ai/diagnose")
@login_required
def ai_diagnose():
    lines = request.json.get("lines", [])[:200]
    return jsonify(json.loads(diagnose(client, "\n".join(line[:300] for line in lines))))


if __name__ == "__main__":
    app.run("0.0.0.0", 8080)
