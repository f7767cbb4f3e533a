"""The sections of the configuration: every name, type, default and explanation stands here and nowhere else.

A section's docstring and the help of its settings are what the documentation and `seawall doctor` print.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seawall.core import money
from seawall.core.answers import CacheRules
from seawall.core.routing import Alternative
from seawall.settings.values import (
    Attempts,
    Cap,
    Dialects,
    Fallbacks,
    Names,
    Number,
    Price,
    Seconds,
    Targets,
    Text,
    Tokens,
    TokensField,
    Url,
    Variables,
    Weight,
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
    workers: Whole = setting(
        "How many processes serve; more than one take a `database_url` and a `valkey_url`: see"
        " [Growing](growing.md#gateway-processes).",
        default=1,
        ge=1,
        le=256,
    )
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
    drain_wait_s: Number = setting(
        "How long calls are still taken after SIGTERM, while /readyz already says no: as long as the load"
        " balancer in front takes to notice.",
        default=0.0,
        ge=0,
        le=300,
    )
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

    kind: Literal["openai", "anthropic"] = setting(
        "Whose API the provider's is like: openai covers every OpenAI-compatible address, anthropic those of"
        " the Messages API.",
        default="openai",
    )
    base_url: Url = setting(
        "The address that /chat/completions, /responses, /embeddings or /messages is appended to, so it"
        " usually ends in /v1; a trailing / is tolerated."
    )
    api_key_env: Variables | None = setting(
        "The environment variable that holds the provider's key, or a list of variables with a key each,"
        " among which calls are spread; leave it out for a server without keys.",
        default=None,
    )
    dialects: Dialects | None = setting(
        "What the address can be asked in; a call in another dialect is translated into the first that fits."
        " Not set means what a vendor known by name speaks, else chat and embeddings where kind is openai,"
        " and messages where it is anthropic.",
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

    @property
    def key_variables(self) -> tuple[str, ...]:
        """Return the variables that hold the provider's keys, in order; none for a server without keys."""
        return tuple(self.api_key_env or ())


class TargetSettings(Section):
    """One model that an alias may stand for."""

    model: Text = setting("The model, best with its provider: openai/gpt-5.")
    weight: Weight | None = setting("Its share of the calls.", default=None)


class ModelSettings(Section):
    """An alias: a name of your own that stands for other models. NAME is what callers ask for.

    It may be the name of a real model, which is then served as stated here. An alias cannot stand for another
    alias.
    """

    targets: Targets[TargetSettings] = setting(
        "The models it stands for. Names alone are tried in this order; where each has a weight, as in"
        ' { model = "openai/gpt-5", weight = 3 }, calls are spread among them in that proportion.'
    )
    fallbacks: Fallbacks = setting(
        "The models that are tried, in this order, where none of the targets answers.", default=[]
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({target.weight is None for target in self.targets}) > 1:
            raise ValueError("must have a weight for each of its targets, or for none of them")
        names = [*(target.model for target in self.targets), *self.fallbacks]
        if len(set(names)) < len(names):
            raise ValueError("names the same model twice")
        return self

    def alternatives(self, *, targets_at: str, fallbacks_at: str) -> tuple[Alternative, ...]:
        """Return what the alias stands for, in order of trying, with the places where that is stated."""
        is_weighted = self.targets[0].weight is not None
        targets = [
            Alternative(target.model, float(target.weight or 1), 0 if is_weighted else place, targets_at)
            for place, target in enumerate(self.targets)
        ]
        first = targets[-1].tier + 1
        fallbacks = [
            Alternative(model, tier=tier, origin=fallbacks_at)
            for tier, model in enumerate(self.fallbacks, first)
        ]
        return (*targets, *fallbacks)


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
    cached_write_1h_usd_per_mtok: Price | None = setting(
        "The price of input written to the provider's cache for an hour; not set means twice that of input "
        "where a price for cache writes is set, else that of input.",
        default=None,
    )
    audio_input_usd_per_mtok: Price | None = setting(
        "The price of audio input; not set means that of input.", default=None
    )
    cached_audio_read_usd_per_mtok: Price | None = setting(
        "The price of audio read from the provider's cache; not set means that of audio input.", default=None
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
        hour_writes = self.cached_write_1h_usd_per_mtok
        if hour_writes is None and self.cached_write_usd_per_mtok is not None:
            hour_writes = money.Rate(2 * self.input_usd_per_mtok)  # What Anthropic takes, read 2026-11.
        return money.Price(
            rates=money.Rates(
                input=self.input_usd_per_mtok,
                output=self.output_usd_per_mtok,
                cached_read=self.cached_read_usd_per_mtok,
                cached_write=self.cached_write_usd_per_mtok,
                audio_input=self.audio_input_usd_per_mtok,
                audio_output=self.audio_output_usd_per_mtok,
                cached_write_1h=hour_writes,
                cached_audio_read=self.cached_audio_read_usd_per_mtok,
            ),
            max_output_tokens=self.max_output_tokens,
            context_tokens=self.context_tokens,
            image_tokens_max=self.image_tokens_max,
            reasons=self.reasoning,
            source="configuration",
        )


class CacheSettings(Section):
    """Answers kept for the same request: see [The cache](cache.md)."""

    enabled: bool = setting("Whether answers are kept.", default=False)
    scope: Literal["auto", "owner", "key", "end_user"] = setting(
        "Who shares answers. auto: the keys of one owner share, a key without an owner with nobody, and each"
        " user of a browser has its own.",
        default="auto",
    )
    keep_days: Whole = setting("How long an answer is kept.", default=7, ge=1, le=365)
    memory_mb_max: Number = setting("The most that is kept in memory.", default=64.0, gt=0, le=65_536)
    disk_mb_max: Number = setting("The most that is kept in the file.", default=512.0, gt=0, le=1_048_576)
    persist: bool = setting(
        "Whether answers are kept in a file as well, so that a restart does not forget them.", default=True
    )
    answer_kb_max: Number = setting("Answers that are larger are not kept.", default=256.0, gt=0, le=65_536)
    tools: bool = setting(
        "Whether requests with tools are looked up too; answers that call a tool are never kept.",
        default=False,
    )
    pace_s: Number = setting("The pause between two pieces of a replayed stream.", default=0.0, ge=0, le=10)

    def rules(self) -> CacheRules:
        """Return the rules in the words of the pipeline."""
        return CacheRules(
            scope=self.scope,
            keep_s=self.keep_days * 86_400.0,
            tools=self.tools,
            answer_bytes_max=int(self.answer_kb_max * 1024),
            pace_s=self.pace_s,
        )


class RetrySettings(Section):
    """How often a call is tried again on the same model of the same provider.

    That happens only where nothing can have been billed: the provider could not be reached, was overloaded,
    or asked to come back later. Before each retry a moment passes, chosen by chance.
    """

    attempts: Attempts = setting("How often one call may be tried again; 0 switches it off.", default=1)
    wait_s_max: Number = setting(
        "A provider that asks to be left alone for longer than this is not waited for.",
        default=5.0,
        ge=0,
        le=60,
    )
    backoff_s: Seconds = setting(
        "The longest pause before the first retry; it doubles with each further one, up to 4 s.", default=0.25
    )


class BreakerSettings(Section):
    """When a provider's key that keeps failing is left alone, so that nobody waits for it.

    After the cooldown a single call finds out whether it answers again. Each further failure doubles the
    cooldown, up to ten times the first.
    """

    failures: Whole = setting(
        "How many failures in a row it takes; 0 switches it off.", default=5, ge=0, le=1000
    )
    cooldown_s: Seconds = setting("How long it is left alone at first.", default=30.0)


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
    first_token_s: Seconds = setting(
        "To send the first piece of a stream that holds something generated.", default=120.0
    )
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
    sums_days: Whole = setting(
        "How long sums are kept for each end user, and what they used of budgets and quotas that are over;"
        " after that by day, key and model alone. So long are sums of all traffic kept as well, and what"
        " people say of answers.",
        default=400,
        ge=35,
        le=36_500,
    )
    shapes: bool = setting(
        "Whether the record of a call holds hashes and sizes of what was asked, and none of its text:"
        " see [Security](security.md#what-a-shape-is).",
        default=True,
    )


class StateSettings(Section):
    """Answers that are stored so that a later call can go on from them: see [Stored answers](state.md)."""

    keep_days: Whole = setting(
        "How long a stored answer can be gone on from; 0 stores nothing and refuses previous_response_id.",
        default=30,
        ge=0,
        le=3650,
    )

    @property
    def keep_s(self) -> float:
        """Return how long stored answers are kept, in seconds."""
        return self.keep_days * 86_400.0


class DemoSettings(Section):
    """The built-in model, for trying things out without a provider and without money."""

    enabled: bool = setting("Whether the demo model can be called.", default=True)
    pace_s: Number = setting("The pause between two pieces of its streams.", default=0.02, ge=0, le=60)
