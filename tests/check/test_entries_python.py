"""Where requests enter apps of Python's web frameworks."""

from tests.check.written import applied, entries_of, entry_of


def _short(files: dict[str, str] | str) -> list[tuple[str | None, str | None, str]]:
    found = entries_of({"app.py": files} if isinstance(files, str) else files)
    return [(entry.method, entry.route, entry.handler.name) for entry in found]


def test_a_fastapi_route_names_what_the_caller_chooses() -> None:
    entry = entry_of(
        """
        from typing import Annotated, Optional
        from fastapi import BackgroundTasks, Body, Depends, FastAPI, Request, Response, UploadFile
        from sqlalchemy.orm import Session

        app = FastAPI()

        @app.post("/chat/{room}")
        async def chat(
            room: str,
            body: ChatRequest,
            request: Request,
            response: Response,
            tasks: BackgroundTasks,
            file: Optional[UploadFile] = None,
            tone: Annotated[str, Body()] = "kind",
            db: Session = Depends(get_db),
            user: Annotated[User, Depends(current_user)] = None,
        ):
            return 1
        """
    )
    assert (entry.kind, entry.method, entry.route, entry.framework) == (
        "http",
        "POST",
        "/chat/{room}",
        "fastapi",
    )
    assert (entry.path, entry.line, entry.handler.name) == ("app.py", 9, "chat")
    assert entry.inputs == ["room", "body", "file", "tone"]
    assert entry.requests == ["request"]
    assert applied(entry) == ["get_db", "current_user"]


def test_dependencies_of_app_router_mount_and_route_apply_from_the_outside_in() -> None:
    files = {
        "main.py": """
            from fastapi import Depends, FastAPI
            from fastapi.middleware.cors import CORSMiddleware
            from routers import chat
            from limits import limiter, RateLimit

            app = FastAPI(dependencies=[Depends(of_app)])
            app.add_middleware(RateLimit, per_minute=3)
            app.include_router(chat.router, prefix="/api", dependencies=[Depends(of_mount)])

            @app.middleware("http")
            async def log(request, call_next): ...
        """,
        "routers/chat.py": """
            from fastapi import APIRouter, Depends
            from limits import limiter

            router = APIRouter(prefix="/chat", dependencies=[Depends(of_router)])

            @router.post("/ask", dependencies=[Depends(of_route)])
            @limiter.limit("5/minute")
            def ask(question: str, user=Depends(of_parameter)): ...
        """,
        "limits.py": "limiter = make()\nclass RateLimit: ...\n",
    }
    entry = entry_of(files)
    assert entry.route == "/api/chat/ask"
    assert applied(entry) == [
        "of_app",
        "RateLimit()",
        "log",
        "of_mount",
        "of_router",
        "of_route",
        "limiter.limit('5/minute')",
        "of_parameter",
    ]
    assert {path for path, _ in entry.applied} == {"main.py", "routers/chat.py"}


def test_a_dependency_of_a_dependency_and_an_alias_in_another_file_apply() -> None:
    entry = entry_of(
        {
            "app/main.py": """
                from fastapi import FastAPI
                from app.api import deps
                from app.api.deps import CurrentUser

                app = FastAPI()

                @app.get("/me")
                def me(user: CurrentUser, admin: deps.Admin, q: str): ...
            """,
            "app/api/deps.py": """
                from typing import Annotated
                from fastapi import Depends

                def token(header: str = Depends(scheme)): ...
                def get_user(t: Annotated[str, Depends(token)]): ...
                CurrentUser = Annotated[User, Depends(get_user)]
                Admin = Annotated[User, Depends(get_admin)]
            """,
        }
    )
    assert applied(entry) == ["scheme", "token", "get_user", "get_admin"]
    assert entry.inputs == ["q"]


def test_a_dependency_that_only_hands_on_is_input() -> None:
    entry = entry_of(
        """
        from fastapi import Depends, FastAPI
        app = FastAPI()

        def page(skip: int = 0, limit: int = 10):
            return {"skip": skip, "limit": min(limit, 100)}

        def user(token: str):
            return decode(token)

        class Filter:
            def __init__(self, q: str): self.q = q

        @app.get("/")
        def items(p=Depends(page), u=Depends(user), f: Filter = Depends()): ...
        """
    )
    assert entry.inputs == ["p", "f"]
    assert applied(entry) == ["page", "user", "Filter"]


def test_routers_that_are_mounted_in_a_loop_a_factory_or_by_another_function_have_their_app() -> None:
    files = {
        "main.py": """
            from fastapi import FastAPI, Depends
            from .setup import register
            from .a import router as first
            from . import b

            def create_app():
                app = FastAPI(dependencies=[Depends(guard)])
                for router in [first, b.router]:
                    app.include_router(router, prefix="/v1")
                register(app)
                return app

            app = create_app()

            @app.get("/here")
            def here(): ...
        """,
        "setup.py": """
            from . import c
            def register(app):
                app.include_router(c.router, prefix="/c")
        """,
        "a.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/a')\ndef a(): ...\n",
        "b.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/b')\ndef b(): ...\n",
        "c.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/c')\ndef c(): ...\n",
    }
    found = entries_of(files)
    assert [(entry.route, applied(entry)) for entry in found] == [
        ("/v1/a", ["guard"]),
        ("/v1/b", ["guard"]),
        ("/c/c", ["guard"]),
        ("/here", ["guard"]),
    ]


def test_fastapi_routes_in_classes_websockets_and_calls_are_found() -> None:
    assert _short(
        """
        from fastapi import FastAPI, WebSocket
        from starlette.routing import Route, WebSocketRoute

        class Service:
            def __init__(self):
                self.app = FastAPI()
                self.app.add_api_route("/run/{id}", self.run, methods=["POST"])

                @self.app.get("/inner")
                def inner(): ...

            def run(self, id: str): ...

        app = FastAPI()

        @app.websocket("/ws")
        async def talk(websocket: WebSocket, room: str): ...

        @app.api_route("/both", methods=["GET", "POST"])
        def both(): ...

        async def home(request): ...
        routes = [Route("/home", home, methods=["GET"])]
        """
    ) == [
        ("GET", "/inner", "inner"),
        ("POST", "/run/{id}", "run"),
        (None, "/ws", "talk"),
        ("POST", "/both", "both"),
        ("GET", "/home", "home"),
    ]


def test_a_websocket_holds_the_whole_request() -> None:
    entry = entry_of(
        """
        import fastapi
        app = fastapi.FastAPI()

        @app.websocket("/ws/{room}")
        async def talk(sock: fastapi.WebSocket, room: str): ...
        """
    )
    assert (entry.kind, entry.requests, entry.inputs) == ("websocket", ["sock"], ["room"])


def test_flask_routes_have_their_path_names_decorators_and_hooks() -> None:
    entry = entry_of(
        {
            "app.py": """
                from flask import Flask, request
                from flask_limiter import Limiter
                from views import bp

                app = Flask(__name__)
                limiter = Limiter(get_remote_address, app=app, default_limits=["5 per minute"])
                limiter.limit("3/minute")(bp)
                app.register_blueprint(bp, url_prefix="/api")

                @app.before_request
                def check(): ...
            """,
            "views.py": """
                from flask import Blueprint
                from auth import token_required

                bp = Blueprint("bp", __name__, url_prefix="/v1")

                @bp.before_request
                def known(): ...

                @bp.route("/ask/<int:room>", methods=["GET", "POST"])
                @token_required
                def ask(current_user, room): ...
            """,
        }
    )
    assert (entry.method, entry.route, entry.inputs) == ("POST", "/api/v1/ask/<int:room>", ["room"])
    assert applied(entry) == [
        "Limiter(get_remote_address)",
        "check",
        "limiter.limit('3/minute')",
        "known",
        "token_required",
    ]


def test_flask_factories_class_views_and_resources_are_found() -> None:
    found = entries_of(
        {
            "app.py": """
                from flask import Flask
                from flask.views import MethodView
                from flask_restful import Api, Resource

                def create_app():
                    app = Flask(__name__)

                    @app.get("/inside")
                    def inside(): ...

                    app.add_url_rule("/view/<name>", view_func=View.as_view("view"))
                    app.add_url_rule("/plain", "plain", login_required(plain))
                    return app

                class View(MethodView):
                    decorators = [login_required]
                    def get(self, name): ...
                    def post(self, name): ...

                def plain(): ...

                api = Api(create_app())

                class Chat(Resource):
                    method_decorators = [token_required]
                    def post(self): ...

                api.add_resource(Chat, "/chat")
            """,
            "rest.py": """
                from flask_restx import Namespace, Resource
                ns = Namespace("chat")

                @ns.route("/rest/<id>")
                class Rest(Resource):
                    @ns.doc("x")
                    def get(self, id): ...
            """,
        }
    )
    assert [(e.method, e.route, e.handler.name, e.inputs, applied(e)[:1]) for e in found] == [
        ("GET", "/inside", "inside", [], []),
        ("GET", "/view/<name>", "get", ["name"], ["login_required"]),
        ("POST", "/view/<name>", "post", ["name"], ["login_required"]),
        (None, "/plain", "plain", [], ["login_required"]),
        ("POST", "/chat", "post", [], ["token_required"]),
        ("GET", "/rest/<id>", "get", ["id"], ["ns.doc('x')"]),
    ]


def test_decorators_that_are_no_routes_are_none() -> None:
    assert (
        _short(
            """
            import responses
            from unittest import mock
            from fastapi import FastAPI

            @responses.get("/x")
            def a(): ...

            @mock.patch("app.client")
            def b(): ...

            @cache.get("/x")
            def c(): ...

            @app_context.route
            def d(): ...
            """
        )
        == []
    )


def test_an_app_that_comes_from_somewhere_unknown_still_has_routes() -> None:
    assert _short(
        """
        from framework_of_ours import app, api_router

        @app.post("/ask")
        def ask(body): ...

        @api_router.get("/x")
        def x(): ...
        """
    ) == [("POST", "/ask", "ask"), ("GET", "/x", "x")]


def test_aiohttp_routes_are_found_with_their_middlewares() -> None:
    found = entries_of(
        {
            "app.py": """
                from aiohttp import web
                routes = web.RouteTableDef()

                @routes.post("/a/{id}")
                async def a(request): ...

                async def b(request): ...
                async def c(request): ...

                app = web.Application(middlewares=[auth])
                app.add_routes(routes)
                app.add_routes([web.get("/b", b)])
                app.router.add_post("/c", c)
            """
        }
    )
    assert [(e.method, e.route, e.requests, applied(e)) for e in found] == [
        ("POST", "/a/{id}", ["request"], ["auth"]),
        ("GET", "/b", ["request"], ["auth"]),
        ("POST", "/c", ["request"], ["auth"]),
    ]


def test_sanic_bottle_quart_litestar_and_starlette_are_found() -> None:
    assert _short(
        {
            "sanic_app.py": "from sanic import Sanic\napp = Sanic('x')\n@app.post('/s/<id:int>')\nasync def s(request, id): ...\n",
            "bottle_app.py": "from bottle import route, run\n@route('/b', method='POST')\ndef b(): ...\n",
            "quart_app.py": "from quart import Quart\napp = Quart(__name__)\n@app.websocket('/q')\nasync def q(): ...\n",
            "litestar_app.py": "from litestar import Litestar, post\n@post('/l')\nasync def handle(data: dict): ...\napp = Litestar([handle])\n",
            "star.py": "from starlette.applications import Starlette\nfrom starlette.endpoints import HTTPEndpoint\nfrom starlette.routing import Route\nclass E(HTTPEndpoint):\n    async def post(self, request): ...\napp = Starlette(routes=[Route('/e', E)])\n",
        }
    ) == [
        ("POST", "/b", "b"),
        ("POST", "/l", "handle"),
        (None, "/q", "q"),
        ("POST", "/s/<id:int>", "s"),
        ("POST", "/e", "post"),
    ]


def test_routes_and_guards_that_a_function_adds_belong_to_what_it_is_given() -> None:
    found = entries_of(
        {
            "main.py": """
                from flask import Blueprint, Flask
                from api import register
                from guards import protect

                app = Flask(__name__)
                chat_bp = Blueprint("chat", __name__, url_prefix="/chat")
                open_bp = Blueprint("open", __name__)
                register(chat_bp)
                protect(chat_bp)
                app.register_blueprint(chat_bp)
                app.register_blueprint(open_bp)

                @open_bp.get("/free")
                def free(): ...
            """,
            "api.py": """
                def ask(): ...

                def register(bp):
                    bp.add_url_rule("/ask", view_func=ask, methods=["POST"])

                    @bp.route("/inner")
                    def inner(): ...
            """,
            "guards.py": """
                def check(): ...

                def protect(blueprint):
                    blueprint.before_request(check)
            """,
        }
    )
    assert [(e.route, applied(e)) for e in found] == [
        ("/chat/ask", ["check"]),
        ("/chat/inner", ["check"]),
        ("/free", []),
    ]


def test_the_guards_of_one_app_are_not_those_of_its_neighbour() -> None:
    found = entries_of(
        {
            "a/main.py": """
                from fastapi import FastAPI
                from a.setup import guard
                app = FastAPI()
                guard(app)

                @app.get("/a")
                def a(): ...
            """,
            "a/setup.py": "def guard(app):\n    app.add_middleware(Auth)\n",
            "b/main.py": """
                from fastapi import FastAPI
                app = FastAPI()

                @app.get("/b")
                def b(): ...
            """,
        }
    )
    assert [applied(e) for e in found] == [["Auth()"], []]


def test_what_a_test_mounts_does_not_count() -> None:
    entry = entry_of(
        {
            "main.py": "from fastapi import Depends, FastAPI\nfrom chat import router\napp = FastAPI()\napp.include_router(router, dependencies=[Depends(user)])\n",
            "chat.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.post('/ask')\ndef ask(): ...\n",
            "tests/test_chat.py": "from fastapi import FastAPI\nfrom chat import router\napp = FastAPI()\napp.include_router(router)\n",
        }
    )
    assert applied(entry) == ["user"]


def test_circles_and_deep_nesting_end() -> None:
    deep = "".join(" " * at + f"def f{at}(a=lambda: 1):\n" for at in range(95)) + " " * 95 + "pass\n"
    blocks = "".join(" " * at + "if a:\n" for at in range(95)) + " " * 95 + "pass\n"
    found = entries_of(
        {
            "a.py": "from b import router as other, x\nfrom fastapi import APIRouter\nrouter = APIRouter()\nrouter.include_router(other)\ny = x\n@router.get('/a')\ndef a(p: x): ...\n",
            "b.py": "from a import router as other, y\nfrom fastapi import APIRouter\nrouter = APIRouter()\nrouter.include_router(other)\nx = y\nclass A(B): ...\nclass B(A): ...\ndef d(u=Depends(d)): ...\n@router.get('/b')\ndef b(p=Depends(d), q: A = None): ...\n",
            "urls.py": "from django.urls import include, path\nurlpatterns = [path('x', include('more')), path('v', v)]\ndef v(request): ...\n",
            "more.py": "from django.urls import include, path\nurlpatterns = [path('y', include('urls'))]\n",
            "deep.py": "from fastapi import FastAPI\n" + deep + blocks,
            "call.py": "import flask\napp = f(app)\napp = make()\ndef make():\n    return app\n@app.route('/c')\ndef c(): ...\n",
        }
    )
    assert [entry.handler.name for entry in found] == ["a", "b", "c", "v"]
