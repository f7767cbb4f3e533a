"""Where requests enter Python apps without a web framework: functions, bots, chat pages, tools, commands."""

from seawall.check.code.entries import Entry
from tests.check.written import applied, entries_of, entry_of


def _only(source: str) -> Entry:
    return entry_of(source)


def _brief(source: str) -> list[tuple[str, str, str, list[str], list[str]]]:
    return [
        (e.kind, e.framework, e.handler.name, e.inputs, e.requests) for e in entries_of({"app.py": source})
    ]


def test_functions_of_clouds_are_found() -> None:
    assert _brief("def lambda_handler(event, context): ...\ndef other(event): ...\n") == [
        ("function", "lambda", "lambda_handler", [], ["event"])
    ]
    assert _brief("import functions_framework\n@functions_framework.http\ndef ask(request): ...\n") == [
        ("http", "functions_framework", "ask", [], ["request"])
    ]
    assert _brief(
        "from firebase_functions import https_fn\n@https_fn.on_call()\ndef ask(req: https_fn.CallableRequest): ...\n"
    ) == [("http", "firebase_functions", "ask", [], ["req"])]
    assert _brief("import azure.functions as func\ndef main(req: func.HttpRequest) -> str: ...\n") == [
        ("http", "azure", "main", [], ["req"])
    ]


def test_azure_and_modal_say_who_may_call() -> None:
    azure = _only(
        """
        import azure.functions as func
        app = func.FunctionApp()

        @app.route(route="ask", auth_level=func.AuthLevel.ANONYMOUS)
        def ask(req: func.HttpRequest): ...
        """
    )
    assert (azure.requests, azure.route, applied(azure)) == (["req"], "ask", ["func.AuthLevel.ANONYMOUS"])
    modal = _only(
        """
        import modal
        app = modal.App()

        @app.function()
        @modal.fastapi_endpoint(method="POST", requires_proxy_auth=True)
        def ask(item: dict): ...
        """
    )
    assert (modal.method, modal.inputs, modal.framework) == ("POST", ["item"], "modal")
    assert applied(modal) == ["modal.fastapi_endpoint()", "app.function()"]


def test_chalice_and_lambda_powertools_are_found() -> None:
    chalice = _only(
        "from chalice import Chalice\napp = Chalice('x')\n@app.route('/a/{n}', methods=['POST'], authorizer=auth)\ndef a(n): ...\n"
    )
    assert (chalice.method, chalice.inputs, applied(chalice)) == ("POST", ["n"], ["auth"])


def test_handlers_of_servers_are_found() -> None:
    assert _brief(
        """
        from http.server import BaseHTTPRequestHandler
        import tornado.web

        class handler(BaseHTTPRequestHandler):
            def do_POST(self): ...
            def log_message(self, *args): ...

        class Base(tornado.web.RequestHandler):
            def prepare(self): ...

        class Ask(Base):
            @tornado.web.authenticated
            async def post(self, slug): ...
        """
    ) == [("http", "http.server", "do_POST", [], []), ("http", "tornado", "post", ["slug"], [])]


def test_tornado_prepares_and_authenticates() -> None:
    entry = _only(
        """
        import tornado.web
        class Base(tornado.web.RequestHandler):
            def prepare(self): ...
        class Ask(Base):
            @tornado.web.authenticated
            async def post(self): ...
        """
    )
    assert (entry.method, applied(entry)) == ("POST", ["self.prepare", "tornado.web.authenticated"])


def test_servicers_graphql_and_sockets_are_found() -> None:
    assert _brief(
        "import chat_pb2_grpc\nclass Chat(chat_pb2_grpc.ChatServicer):\n    def Ask(self, request, context): ...\n"
    ) == [("function", "grpc", "Ask", ["request"], [])]
    assert _brief(
        "import strawberry\n@strawberry.type\nclass Mutation:\n    @strawberry.mutation\n    def ask(self, info, text: str) -> str: ...\n"
    ) == [("http", "strawberry", "ask", ["text"], [])]
    assert _brief(
        "import asyncio, websockets\nasync def talk(ws): ...\nasync def main():\n    async with websockets.serve(talk, 'x', 1): ...\n"
    ) == [("websocket", "websockets", "talk", [], ["ws"])]


def test_who_is_refused_on_connecting_sends_nothing() -> None:
    entry = _only(
        """
        from flask_socketio import SocketIO
        socketio = SocketIO(app)

        @socketio.on("connect")
        def connected(auth): ...

        @socketio.on("ask")
        def ask(data): ...
        """
    )
    assert (entry.kind, entry.route, entry.inputs, applied(entry)) == (
        "websocket",
        "ask",
        ["data"],
        ["connected"],
    )


def test_a_streamlit_page_is_its_whole_file() -> None:
    entry = _only(
        """
        import streamlit as st

        st.title("Chat")
        key = st.sidebar.text_input("Key")
        if prompt := st.chat_input("Say"):
            answer(prompt)
        """
    )
    assert (entry.kind, entry.framework, entry.line, entry.handler.name) == ("chat", "streamlit", 6, "app")
    assert len(entry.handler.body) == 4


def test_a_streamlit_page_may_draw_inside_functions_and_a_library_of_widgets_is_none() -> None:
    found = entries_of(
        {
            "app.py": """
                import streamlit as st
                def main():
                    text = st.text_area("Text")
                if __name__ == "__main__":
                    main()
            """,
            "widgets.py": """
                import streamlit as st
                def box(): return st.text_input("x")
            """,
        }
    )
    assert [(e.path, e.line) for e in found] == [("app.py", 4)]


def test_gradio_functions_are_found_with_the_login_of_launch() -> None:
    found = entries_of(
        {
            "app.py": """
                import gradio as gr

                def ask(message, history, request: gr.Request, progress=gr.Progress()): ...
                def save(text): ...

                with gr.Blocks() as demo:
                    gr.ChatInterface(fn=ask)
                    button = gr.Button()
                    button.click(save, inputs=[box])
                    box.submit(lambda x: x, box)
                demo.launch(auth=("a", password))
            """
        }
    )
    assert [(e.handler.name, e.inputs, e.requests, applied(e)) for e in found] == [
        ("ask", ["message", "history"], ["request"], ["Items"]),
        ("save", ["text"], [], ["Items"]),
        ("", ["x"], [], ["Items"]),
    ]


def test_chainlit_messages_have_the_login_of_any_file() -> None:
    entry = entry_of(
        {
            "app.py": "import chainlit as cl\n@cl.on_message\nasync def main(message: cl.Message): ...\n",
            "login.py": "import chainlit as cl\n@cl.password_auth_callback\ndef login(name, password): ...\n",
        }
    )
    assert (entry.kind, entry.inputs, applied(entry)) == ("chat", ["message"], ["login"])
    assert entry.applied[0][0] == "login.py"


def test_bots_are_found() -> None:
    assert _brief(
        """
        import discord
        from discord.ext import commands
        bot = commands.Bot("!")

        @bot.event
        async def on_ready(): ...

        @bot.event
        async def on_message(message): ...

        @bot.command(name="ask")
        @commands.cooldown(1, 30)
        async def ask(ctx, *, prompt): ...

        @bot.tree.command()
        async def draw(interaction: discord.Interaction, prompt: str): ...
        """
    ) == [
        ("chat", "discord", "on_message", ["message"], []),
        ("chat", "discord", "ask", ["prompt"], ["ctx"]),
        ("chat", "discord", "draw", ["prompt"], ["interaction"]),
    ]
    assert _brief(
        "from slack_bolt import App\napp = App()\n@app.event('app_mention')\ndef on(event, say, client): ...\n"
    ) == [("chat", "slack_bolt", "on", ["event"], [])]
    assert _brief(
        "from aiogram import Dispatcher\ndp = Dispatcher()\n@dp.message()\nasync def on(message, state): ...\n"
    ) == [("chat", "aiogram", "on", ["message"], [])]


def test_a_telegram_handler_has_its_filters() -> None:
    entry = _only(
        """
        from telegram.ext import Application, MessageHandler, filters
        async def talk(update, context): ...
        app = Application.builder().token(t).build()
        app.add_handler(MessageHandler(filters.TEXT, talk))
        """
    )
    assert (entry.kind, entry.inputs, applied(entry)) == ("chat", ["update"], ["filters.TEXT"])


def test_tools_and_commands_are_found() -> None:
    assert _brief(
        "from mcp.server.fastmcp import Context, FastMCP\nmcp = FastMCP('x')\n@mcp.tool()\ndef read(path: str, ctx: Context): ...\n"
    ) == [("function", "mcp", "read", ["path"], [])]
    assert _brief(
        "import click\n@click.group()\ndef cli(): ...\n@cli.command()\n@click.argument('name')\ndef run(name): ...\n"
    ) == [("command", "click", "cli", [], []), ("command", "click", "run", ["name"], [])]
    assert _brief("import typer\napp = typer.Typer()\n@app.command()\ndef run(name: str): ...\n") == [
        ("command", "typer", "run", ["name"], [])
    ]
    assert _brief("import argparse\ndef main(): ...\nif __name__ == '__main__':\n    main()\n") == [
        ("command", "script", "__main__", [], [])
    ]


def test_tasks_of_a_queue_and_plain_functions_are_no_entries() -> None:
    assert (
        _brief(
            "from celery import Celery\napp = Celery()\n@app.task\ndef work(x): ...\n@app.on_after_configure.connect\ndef f(s, **k): ...\n"
        )
        == []
    )


def test_a_handler_with_two_routes_is_one_entry() -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/a')\n@app.get('/b')\ndef a(): ...\n"
    assert len(entries_of({"app.py": source})) == 1
