"""The sections of the configuration: every name, type, default and explanation stands here and nowhere else.

A section's docstring and the help of its settings are what the documentation and `seawall doctor` print.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from seawall.core import money
from seawall.settings.values import (
    Attempts,
    CacheSwitch,
    Cap,
    Names,
    Number,
    Price,
    RateLimit,
    Seconds,
    Text,
    Tokens,
    TokensField,
    Url,
    Variable,
    Whole,
)


def setting(text: str, **options: Any) -> Any:
    """Declare a setting: its explanation, then its default and bounds."""
    return Field(description=text, **options)


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ServerSettings(Section):
    """Where the gateway listens, and how much and how slowly anybody may send."""

    host: Text = setting("The address to listen on.", default="127.0.0.1")
    port: Whole = setting("The port to listen on; 0 takes any free one.", default=8787, ge=0, le=65_535)
    body_mb_max: Number = setting(
        "The largest request body; 1 MB is 1,048,576 bytes.", default=8.0, gt=0, le=1024
    )
    json_depth_max: Whole = setting("How deeply JSON in a request may be nested.", default=64, ge=8, le=512)
    messages_max: Whole = setting(
        "How many messages one request may carry.", default=2000, ge=1, le=1_000_000
    )
    header_kb_max: Number = setting(
        "The largest total of request headers; 1 KB is 1,024 bytes.", default=32.0, ge=1, le=1024
    )
    headers_max: Whole = setting("How many headers one request may carry.", default=100, ge=10, le=1000)
    header_timeout_s: Seconds = setting("How long the headers of a request may take to arrive.", default=30.0)
    body_timeout_s: Seconds = setting("How long the body of a request may take to arrive.", default=60.0)
    grace_s: Number = setting(
        "How long open streams may go on after SIGTERM before they are cut.", default=10.0, ge=0, le=3600
    )

    @property
    def body_bytes_max(self) -> int:
        """Return the largest request body in bytes."""
        return int(self.body_mb_max * 1024 * 1024)

    @property
    def header_bytes_max(self) -> int:
        """Return the largest total of request headers in bytes."""
        return int(self.header_kb_max * 1024)


class BudgetSettings(Section):
    """What the whole gateway may spend at providers; a hard cap, never exceeded.

    A stated value replaces the default of its own period only. At least one period must keep a limit; the
    stage production has no default, so there one must be stated.
    """

    daily_usd: Cap = setting("The most that may be spent in a day (UTC).", default=None)
    monthly_usd: Cap = setting("The most that may be spent in a calendar month (UTC).", default=None)
    lifetime_usd: Cap = setting("The most that may ever be spent.", default=None)


class ProviderSettings(Section):
    """A provider to call. NAME is yours to choose: letters, digits, - and _."""

    kind: Literal["openai"] = setting(
        "The way the provider speaks; openai covers every OpenAI-compatible address.", default="openai"
    )
    base_url: Url = setting("The address that /chat/completions is appended to; a trailing / is tolerated.")
    api_key_env: Variable | None = setting(
        "The environment variable that holds the provider's key; leave it out for a server without keys.",
        default=None,
    )
    models: Names | None = setting(
        "The models to serve from here; not set means every model of this provider with a known price.",
        default=None,
    )
    max_tokens_field: TokensField | None = setting(
        "The field in which the provider takes the output cap; not set means the usual one of the provider.",
        default=None,
    )
    stops_on_disconnect: bool = setting(
        "Whether the provider stops generating (and billing) when a stream is closed early.", default=False
    )
    free: bool = setting("Declares that nothing here costs money, as with a local server.", default=False)


class PriceSettings(Section):
    """What a model costs and can do, where the built-in table does not know it or you pay another price.

    MODEL is the name of the model; a name with a dot in it needs quotes.
    """

    input_usd_per_mtok: Price = setting("The price of input.")
    output_usd_per_mtok: Price = setting("The price of output, reasoning included.")
    cached_read_usd_per_mtok: Price | None = setting(
        "The price of input read from the provider's cache; not set means that of input.", default=None
    )
    cached_write_usd_per_mtok: Price | None = setting(
        "The price of input written to the provider's cache; not set means that of input.", default=None
    )
    audio_input_usd_per_mtok: Price | None = setting(
        "The price of audio input; not set means that of input.", default=None
    )
    audio_output_usd_per_mtok: Price | None = setting(
        "The price of audio output; not set means that of output.", default=None
    )
    max_output_tokens: Tokens | None = setting(
        "The most that the model can write in one answer.", default=None
    )
    context_tokens: Tokens | None = setting("The size of the model's context window.", default=None)
    image_tokens_max: Tokens | None = setting("The most that one image can count for.", default=None)
    reasoning: bool = setting("Whether the model bills reasoning that is not shown.", default=False)

    def price(self) -> money.Price:
        """Return the price in the words of the ledger."""
        return money.Price(
            rates=money.Rates(
                input=self.input_usd_per_mtok,
                output=self.output_usd_per_mtok,
                cached_read=self.cached_read_usd_per_mtok,
                cached_write=self.cached_write_usd_per_mtok,
                audio_input=self.audio_input_usd_per_mtok,
                audio_output=self.audio_output_usd_per_mtok,
            ),
            max_output_tokens=self.max_output_tokens,
            context_tokens=self.context_tokens,
            image_tokens_max=self.image_tokens_max,
            reasons=self.reasoning,
            source="configuration",
        )


class LimitSettings(Section):
    """How often calls may come. Accepted now, enforced by a later version."""

    per_user: RateLimit | None = setting("The rate of one end user.", default=None)
    per_ip: RateLimit | None = setting("The rate of one end user's address.", default=None)
    global_: RateLimit | None = setting("The rate of everybody together.", default=None, alias="global")


class CacheSettings(Section):
    """Answers kept for the same question."""

    enabled: CacheSwitch = setting("Not yet supported: only false is accepted.", default=False)


class RetrySettings(Section):
    """Calls tried again when a provider fails."""

    attempts: Attempts = setting("Not yet supported: only 0 is accepted.", default=0)


class SpendingSettings(Section):
    """How money is held for a call before it is spent."""

    hold_wait_s: Number = setting(
        "How long a call waits, in order, for money that is only held for others.", default=5.0, ge=0, le=300
    )
    undeclared_output_tokens: Tokens = setting(
        "The most output that is held for a call that names no cap of its own.", default=16_384
    )
    on_disconnect: Literal["cancel", "drain"] = setting(
        "When the client leaves: cancel closes the provider's call at once, drain reads it to its end"
        " to learn the exact cost.",
        default="cancel",
    )


class TimeoutSettings(Section):
    """How long a provider may take."""

    connect_s: Seconds = setting("To accept a connection.", default=10.0)
    first_byte_s: Seconds = setting("To send the first byte of an answer.", default=120.0)
    between_events_s: Seconds = setting("Between two pieces of a stream.", default=120.0)
    call_s: Seconds = setting("For the whole call.", default=600.0)


class LogSettings(Section):
    """What is written down about calls. Prompts and answers are not."""

    format: Literal["json", "text"] = setting("How log lines are written.", default="json")
    access: bool = setting("Whether every call writes a line.", default=True)
    level: Literal["debug", "info", "warning", "error"] = setting(
        "The least important messages to write.", default="info"
    )
    keep_days: Whole = setting("How long the record of a call is kept.", default=7, ge=1, le=3650)


class DemoSettings(Section):
    """The built-in model, for trying things out without a provider and without money."""

    enabled: bool = setting("Whether the demo model can be called.", default=True)
    pace_s: Number = setting("The pause between two pieces of its streams.", default=0.02, ge=0, le=60)
