"""Where requests enter Django apps."""

from tests.check.written import applied, entries_of, entry_of

SETTINGS = """
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "chat.middleware.Quota",
        "axes.middleware.AxesMiddleware",
    ]
    REST_FRAMEWORK = {
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_THROTTLE_CLASSES": ["chat.limits.Slow"],
    }
"""


def test_a_function_view_is_found_through_includes_with_its_middleware_and_decorators() -> None:
    entry = entry_of(
        {
            "site1/settings.py": SETTINGS,
            "site1/urls.py": """
                from django.urls import include, path
                urlpatterns = [path("api/", include("chat.urls"))]
            """,
            "chat/urls.py": """
                from django.urls import path
                from . import views
                app_name = "chat"
                urlpatterns = [path("ask/<int:room>/", cache_page(60)(views.ask), name="ask")]
            """,
            "chat/views.py": """
                from django.contrib.auth.decorators import login_required

                @login_required
                @require_POST
                def ask(request, room): ...
            """,
            "chat/middleware.py": "class Quota: ...\n",
        }
    )
    assert (entry.path, entry.line, entry.method, entry.route) == (
        "chat/views.py",
        6,
        "POST",
        "/api/ask/<int:room>/",
    )
    assert (entry.requests, entry.inputs, entry.framework) == (["request"], ["room"], "django")
    assert applied(entry) == [
        "Quota",
        "'axes.middleware.AxesMiddleware'",
        "cache_page(60)",
        "login_required",
        "require_POST",
    ]
    assert [path for path, _ in entry.applied][:2] == ["chat/middleware.py", "site1/settings.py"]


def test_class_based_views_have_mixins_and_decorators() -> None:
    found = entries_of(
        {
            "urls.py": """
                from django.urls import path
                from views import Ask, Wrapped
                urlpatterns = [path("ask/<slug>", Ask.as_view()), path("w", login_required(Wrapped.as_view()))]
            """,
            "views.py": """
                from django.contrib.auth.mixins import LoginRequiredMixin
                from django.utils.decorators import method_decorator
                from django.views import View
                from django.views.generic import FormView

                class Ask(LoginRequiredMixin, View):
                    def get(self, request, slug): ...
                    @method_decorator(ratelimit(key="ip"))
                    def post(self, request, slug): ...
                    def helper(self): ...

                @method_decorator(csrf_exempt, name="dispatch")
                class Wrapped(FormView):
                    def form_valid(self, form): ...
            """,
        }
    )
    assert [(e.method, e.route, e.requests, e.inputs, applied(e)) for e in found] == [
        ("GET", "/ask/<slug>", ["request"], ["slug"], ["LoginRequiredMixin"]),
        (
            "POST",
            "/ask/<slug>",
            ["request"],
            ["slug"],
            ["LoginRequiredMixin", "method_decorator(ratelimit())"],
        ),
        ("POST", "/w", [], ["form"], ["login_required", "method_decorator(csrf_exempt)"]),
    ]


def test_rest_framework_views_have_their_own_classes_or_the_defaults() -> None:
    found = entries_of(
        {
            "settings.py": SETTINGS,
            "urls.py": """
                from django.urls import include, path
                from rest_framework.routers import DefaultRouter
                from . import views
                router = DefaultRouter()
                router.register(r"notes", views.Notes)
                urlpatterns = [
                    path("", include(router.urls)),
                    path("open", views.Open.as_view()),
                    path("plain", views.plain),
                    path("map", views.Mapped.as_view({"post": "run"})),
                ]
            """,
            "views.py": """
                from rest_framework.decorators import action, api_view, permission_classes
                from rest_framework.permissions import AllowAny
                from rest_framework.views import APIView
                from rest_framework.viewsets import ModelViewSet, ViewSet

                class Notes(ModelViewSet):
                    throttle_classes = [Fast]
                    def perform_create(self, serializer): ...
                    @action(detail=True, methods=["post"])
                    def summarize(self, request, pk=None): ...

                class Open(APIView):
                    permission_classes = [AllowAny]
                    def post(self, request): ...

                @api_view(["POST"])
                def plain(request): ...

                class Mapped(ViewSet):
                    def run(self, request): ...

                class Unrouted(APIView):
                    def get(self, request): ...

                @api_view(["GET", "PUT"])
                @permission_classes([AllowAny])
                def unrouted(request): ...
            """,
        }
    )
    permission, throttle = "'rest_framework.permissions.IsAuthenticated'", "'chat.limits.Slow'"
    settings = ["'chat.middleware.Quota'", "'axes.middleware.AxesMiddleware'"]
    assert [(e.method, e.route, e.handler.name) for e in found] == [
        ("POST", "/notes", "perform_create"),
        ("POST", "/notes", "summarize"),
        ("POST", "/open", "post"),
        ("POST", "/plain", "plain"),
        ("POST", "/map", "run"),
        ("GET", None, "get"),
        ("PUT", None, "unrouted"),
    ]
    assert [applied(e)[2:] for e in found] == [
        [permission, throttle, "Fast"],
        [permission, throttle, "Fast", "action()"],
        [throttle, "AllowAny"],
        [permission, throttle, "api_view(Items)"],
        [permission, throttle],
        [permission, throttle],
        [throttle, "api_view(Items)", "permission_classes(Items)"],
    ]
    assert all(applied(e)[:2] == settings for e in found)


def test_a_guard_in_a_base_class_of_the_app_applies() -> None:
    entry = entry_of(
        {
            "urls.py": "from django.urls import path\nfrom v import Ask\nurlpatterns = [path('a', Ask.as_view())]\n",
            "v.py": "from base import Guarded\nclass Ask(Guarded):\n    def post(self, request): ...\n",
            "base.py": "from rest_framework.views import APIView\nclass Guarded(APIView):\n    permission_classes = [HasPaid]\n    def get_permissions(self): ...\n",
        }
    )
    assert applied(entry) == ["HasPaid", "self.get_permissions"]
    assert [path for path, _ in entry.applied] == ["base.py", "base.py"]


def test_login_middleware_applies_unless_the_view_opts_out() -> None:
    found = entries_of(
        {
            "settings.py": "MIDDLEWARE = ['django.contrib.auth.middleware.LoginRequiredMiddleware']\n",
            "urls.py": "from django.urls import path\nimport v\nurlpatterns = [path('a', v.a), path('b', v.b)]\n",
            "v.py": "def a(request): ...\n@login_not_required\ndef b(request): ...\n",
        }
    )
    assert [applied(entry) for entry in found] == [
        ["'django.contrib.auth.middleware.LoginRequiredMiddleware'"],
        ["login_not_required"],
    ]


def test_consumers_are_guarded_by_their_connect() -> None:
    entry = entry_of(
        {
            "routing.py": """
                from django.urls import re_path
                from .consumers import Chat
                websocket_urlpatterns = [re_path(r"^ws/(?P<room>\\w+)/$", Chat.as_asgi())]
            """,
            "consumers.py": """
                from channels.generic.websocket import AsyncWebsocketConsumer
                class Chat(AsyncWebsocketConsumer):
                    async def connect(self): ...
                    async def receive(self, text_data): ...
            """,
        }
    )
    assert (entry.kind, entry.inputs, applied(entry)) == ("websocket", ["text_data"], ["self.connect"])


def test_ninja_operations_have_auth_of_operation_router_and_api() -> None:
    entry = entry_of(
        {
            "settings.py": SETTINGS,
            "api.py": """
                from ninja import NinjaAPI
                from ninja.security import django_auth
                api = NinjaAPI(auth=django_auth)
                api.add_router("/chat/", "chat.api.router")
            """,
            "chat/api.py": """
                from ninja import Router
                router = Router(throttle=[slow])

                @router.post("/ask", auth=ApiKey())
                def ask(request, body: AskIn): ...
            """,
        }
    )
    assert (entry.route, entry.requests, entry.inputs) == ("/chat/ask", ["request"], ["body"])
    assert applied(entry)[2:] == ["django_auth", "slow", "ApiKey()"]
