"""The vendors that Seawall knows by name: one row each.

A vendor is enabled by its usual environment variable. Addresses and variable names are from each vendor's
own documentation, read 2026-11. `vendor` is its name in the price table.
"""

from msgspec import Struct

from seawall.providers.openai import VendorProfile
from seawall.wire.openai_chat import CapField


class Vendor(Struct, frozen=True):
    """A vendor that speaks OpenAI's chat completions."""

    name: str
    key_variable: str
    base_url: str
    profile: VendorProfile


ONE = CapField("max_tokens", is_only_one=True)
"""For vendors that know one spelling: the other is ignored, or refused."""

VENDORS: tuple[Vendor, ...] = (
    Vendor(
        "openai",
        "OPENAI_API_KEY",
        "https://api.openai.com/v1",
        VendorProfile("openai", CapField("max_completion_tokens", is_only_one=True)),
    ),
    Vendor("mistral", "MISTRAL_API_KEY", "https://api.mistral.ai/v1", VendorProfile("mistral", ONE)),
    Vendor("groq", "GROQ_API_KEY", "https://api.groq.com/openai/v1", VendorProfile("groq", ONE)),
    Vendor("deepseek", "DEEPSEEK_API_KEY", "https://api.deepseek.com/v1", VendorProfile("deepseek", ONE)),
    Vendor("xai", "XAI_API_KEY", "https://api.x.ai/v1", VendorProfile("x-ai", ONE)),
    Vendor(
        "openrouter", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1", VendorProfile("openrouter", ONE)
    ),
    Vendor("together", "TOGETHER_API_KEY", "https://api.together.xyz/v1", VendorProfile("together", ONE)),
    Vendor(
        "fireworks",
        "FIREWORKS_API_KEY",
        "https://api.fireworks.ai/inference/v1",
        VendorProfile("fireworks", ONE),
    ),
)


def vendor_at(base_url: str) -> Vendor | None:
    """Return the vendor whose address this is."""
    wanted = base_url.rstrip("/")
    return next((vendor for vendor in VENDORS if vendor.base_url == wanted), None)
