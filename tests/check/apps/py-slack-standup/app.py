"""Collects the team's standups and writes the summary at ten."""
import logging
import os
import re

from apscheduler.schedulers.background import BackgroundScheduler
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

from summary import Summary

log = logging.getLogger(__name__)
app = App(token=os.environ["SLACK_BOT_TOKEN"], signing_secret=os.environ["SLACK_SIGNING_SECRET"])
summary = Summary()
CHANNEL = "C0123456789"


@app.message(re.compile("(?i)^standup"))
def collect(message, say):
    summary.add(message["user"], message["text"][:1000])
    say("Noted :white_check_mark:")


@app.command("/summarise")
def summarise(ack, respond, command):
    ack()
    try:
        respond(summary.write())
    except Exception:
        log.exception("No summary")
        respond("That did not work, sorry.")


def at_ten():
    app.client.chat_postMessage(channel=CHANNEL, text=summary.write())


if __name__ == "__main__":
    scheduler = BackgroundScheduler()
    scheduler.add_job(at_ten, "cron", hour=10, day_of_week="mon-fri")
    scheduler.start()
    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start()
