#!/bin/sh
set -eu
export SLACK_BOT_TOKEN={{key:slack}}
ssh standup@bots.example.com "cd standup && git pull && systemctl --user restart standup"
