"""The vendors that Seawall knows by name: one row each.

A vendor is enabled by its usual environment variable. Addresses and variable names are from each vendor's
own documentation, read 2026-11. The `vendor` of a profile is its name in the price table.
"""

from msgspec import Struct

from seawall.providers.profile import VendorProfile
from seawall.wire.chat.request import CapField


class Vendor(Struct, frozen=True):
    """A vendor, and the variables that enable it.

    `key_variable` holds its key; where `base_url_variable` is stated the address is read from it, with
    `path` appended, and `base_url` is what counts where it is empty ("" is none). `is_local` marks a server
    of one's own: it needs no key, costs nothing, and a model is asked for as "name/model". `begins` are the
    beginnings of the models' names where the price table holds others of the vendor.
    """

    name: str
    key_variable: str
    base_url: str
    profile: VendorProfile
    base_url_variable: str = ""
    path: str = ""
    is_local: bool = False
    begins: tuple[str, ...] = ()


ONE = CapField("max_tokens", is_only_one=True)
"""For vendors that know one spelling: the other is ignored, or refused."""

COMPLETION = CapField("max_completion_tokens", is_only_one=True)
ALL_OF_OPENAI = ("responses", "chat", "embeddings")

OPENAI = VendorProfile("openai", ALL_OF_OPENAI, COMPLETION, seal_origin="openai")
AZURE = VendorProfile("azure", ALL_OF_OPENAI, COMPLETION, auth="api-key", seal_origin="openai")
ANTHROPIC = VendorProfile(
    "anthropic",
    ("messages",),
    auth="x-api-key",
    headers=(("anthropic-version", "2023-06-01"),),
    seal_origin="anthropic",
)


def _plain(vendor: str, *, takes_reasoning: bool = False, seal_origin: str = "") -> VendorProfile:
    """Return the profile of a vendor of chat completions and embeddings that knows `max_tokens` only."""
    return VendorProfile(vendor, cap_field=ONE, takes_reasoning=takes_reasoning, seal_origin=seal_origin)


VENDORS: tuple[Vendor, ...] = (
    Vendor("openai", "OPENAI_API_KEY", "https://api.openai.com/v1", OPENAI),
    Vendor("anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com/v1", ANTHROPIC),
    Vendor(
        "gemini",
        "GEMINI_API_KEY",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        _plain("google", seal_origin="google"),
        begins=("gemini-", "gemma-"),
    ),
    Vendor(
        "azure",
        "AZURE_OPENAI_API_KEY",
        "",
        AZURE,
        base_url_variable="AZURE_OPENAI_ENDPOINT",
        path="/openai/v1",
    ),
    Vendor(
        "mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", _plain("mistral", takes_reasoning=True)
    ),
    Vendor("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", _plain("groq")),
    Vendor(
        "deepseek",
        "DEEPSEEK_API_KEY",
        "https://api.deepseek.com/v1",
        _plain("deepseek", takes_reasoning=True),
    ),
    Vendor("xai", "XAI_API_KEY", "https://api.x.ai/v1", _plain("x-ai")),
    Vendor(
        "openrouter",
        "OPENROUTER_API_KEY",
        "https://openrouter.ai/api/v1",
        _plain("openrouter", takes_reasoning=True, seal_origin="openrouter"),
    ),
    Vendor("together", "TOGETHER_API_KEY", "https://api.together.xyz/v1", _plain("together")),
    Vendor(
        "fireworks",
        "FIREWORKS_API_KEY",
        "https://api.fireworks.ai/inference/v1",
        _plain("fireworks", takes_reasoning=True),
    ),
    Vendor(
        "ollama",
        "OLLAMA_API_KEY",
        "",
        VendorProfile("ollama", cap_field=ONE),
        base_url_variable="OLLAMA_HOST",
        path="/v1",
        is_local=True,
    ),
    Vendor(
        "vllm",
        "VLLM_API_KEY",
        "",
        VendorProfile("vllm", cap_field=ONE, stops_on_disconnect=True),
        base_url_variable="VLLM_BASE_URL",
        path="/v1",
        is_local=True,
    ),
)


USAGE_PAGES = {
    "openai": "https://platform.openai.com/usage",
    "anthropic": "https://platform.claude.com/usage",
    "gemini": "https://aistudio.google.com/usage",
    "azure": "https://portal.azure.com",
    "mistral": "https://admin.mistral.ai",
    "groq": "https://console.groq.com",
    "deepseek": "https://platform.deepseek.com/usage",
    "xai": "https://console.x.ai",
    "openrouter": "https://openrouter.ai/activity",
    "together": "https://api.together.ai",
    "fireworks": "https://app.fireworks.ai",
}
"""Where a vendor shows what it bills; the console where the page in it has no lasting address."""


def vendor_at(base_url: str) -> Vendor | None:
    """Return the vendor whose address this is."""
    wanted = base_url.rstrip("/")
    return next((vendor for vendor in VENDORS if vendor.base_url == wanted), None)


def address_of(vendor: Vendor, stated: str | None) -> str | None:
    """Return the base URL of a vendor; `stated` is what its variable says. `None` where there is none."""
    if not vendor.base_url_variable or not stated:
        return vendor.base_url or None
    url = stated.strip().rstrip("/")
    if "://" not in url:
        url = f"http://{url}" if ":" in url else f"http://{url}:11434"
    return url if url.endswith(vendor.path) else url + vendor.path
