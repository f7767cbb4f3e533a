import os
import re
from collections import defaultdict, deque

import discord
from discord import app_commands
from dotenv import load_dotenv
from openai import AsyncOpenAI

from dice import roll

load_dotenv()
intents = discord.Intents.default()
intents.message_content = True
bot = discord.Client(intents=intents)
tree = app_commands.CommandTree(bot)
openai = AsyncOpenAI()

PERSONA = "You are Gimli, a grumpy dungeon master."
memory = defaultdict(lambda: deque(maxlen=20))  # per channel
npc_lines = {}  # npc name -> all that was said


@bot.event
async def on_message(message):
    if message.author == bot.user or bot.user not in message.mentions:
        return
    history = memory[message.channel.id]
    history.append({"role": "user", "content": message.content[:1500]})
    async with message.channel.typing():
        answer = await openai.chat.completions.create(
            model="gpt-4o-mini",
            max_tokens=350,
            messages=[{"role": "system", "content": PERSONA}, *history],
        )
    text = answer.choices[0].message.content
    history.append({"role": "assistant", "content": text})
    await message.reply(text[:2000])


@tree.command(name="npc", description="Talk to somebody in the tavern")
@app_commands.checks.cooldown(5, 60)
async def npc(interaction: discord.Interaction, name: str, line: str):
    await interaction.response.defer()
    lines = npc_lines.setdefault(name, [])
    lines.append({"role": "user", "content": line})
    answer = await openai.chat.completions.create(
        model="gpt-4o",
        messages=[
            {"role": "system", "content": f"You are {name}, an inhabitant of a fantasy tavern."},
            *lines,
        ],
    )
    lines.append({"role": "assistant", "content": answer.choices[0].message.content})
    await interaction.followup.send(answer.choices[0].message.content[:2000])


@tree.command(name="roll", description="For example 2d6+1")
async def roll_dice(interaction: discord.Interaction, dice: str):
    await interaction.response.send_message(f"{dice}: {roll(dice)}")


@tree.command(name="calc", description="Quick maths")
async def calc(interaction: discord.Interaction, expression: str):
    await interaction.response.send_message(str(eval(expression)))


@bot.event
async def on_ready():
    await tree.sync()
    print(f"Logged in as {bot.user}")


bot.run(os.environ["DISCORD_TOKEN"])
