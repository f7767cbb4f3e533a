"""Proves on this machine that a budget cannot be overspent: hundreds of calls at once, many of them broken.

The calls go through a whole gateway with the user's own settings, over real sockets, to a provider that keeps
its own bill. Only the provider, its prices and the data folder are not the user's.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from seawall.app import Seawall
from seawall.core.money import NANO, PER_MILLION, Money, Rate, format_usd
from seawall.proving.mock_answers import Terms
from seawall.proving.mock_provider import MockProvider
from seawall.server.binding import bind
from seawall.server.protocol import RequestLimits
from seawall.server.serving import make_server
from seawall.settings import (
    AlertSettings,
    BackupSettings,
    CacheSettings,
    LimitSettings,
    LoopSettings,
    MailSettings,
    PriceSettings,
    ProviderSettings,
    Settings,
)

MODEL = "prove"
WORTH = 10
"""All calls together are worth so many budgets."""
CALL_TOKENS = 64
INPUT_TOKENS = 40
GRACE_S = 30.0
TIMEOUT_S = 60.0


class Kind(msgspec.Struct, frozen=True):
    """One kind of call: the model name that makes the provider behave so, and how the client does."""

    name: str
    suffix: str = ""
    stream: bool = False
    choices: int = 1
    cap: int | None = CALL_TOKENS
    leaves_after_bytes: int | None = None


KINDS = (
    Kind("plain", "full"),
    Kind("stream", "full", stream=True),
    Kind("stream reset by the provider", "full-reset5", stream=True),
    Kind("stream without usage", "full-nousage", stream=True),
    Kind("client hangs up in a stream", "full-g5", stream=True, leaves_after_bytes=600),
    Kind("client hangs up at once", "full-d50", leaves_after_bytes=0),
    Kind("eight choices", "full", choices=8),
    Kind("no output cap", "full", cap=None),
    Kind("provider fails", "e500"),
    Kind("provider ignores the cap", "over400", stream=True),
)
BIG = Kind("worth five budgets", "full", cap=WORTH // 2 * 50 * CALL_TOKENS)


class Proof(msgspec.Struct, frozen=True):
    """What came out: money in nano-dollars. `unused` is what calls that fit could not use of the budget."""

    calls: int
    budget: Money
    bill: Money
    ledger: Money
    held: Money
    overage: Money
    answers: dict[str, int]
    usable_bill: Money

    @property
    def overspent(self) -> Money:
        """Return what the provider billed beyond the budget."""
        return Money(max(0, self.bill - self.budget, self.usable_bill - self.budget))

    @property
    def within(self) -> Money:
        """Return what the ledger says was spent of what had been held."""
        return Money(self.ledger - self.overage)

    @property
    def forgotten(self) -> Money:
        """Return what the provider billed and the ledger does not know."""
        return Money(max(0, self.bill - self.ledger))

    @property
    def unused(self) -> Money:
        """Return how much of the budget was refused to calls that fit."""
        return Money(max(0, self.budget - self.usable_bill))

    @property
    def holds(self) -> bool:
        """Say whether the promise was kept."""
        return self.overspent == 0 and self.forgotten == 0 and self.held == 0


async def prove(settings: Settings, *, calls: int, seed: int) -> Proof:
    """Fire `calls` calls worth ten budgets at once, then calls that fit until the budget is spent."""
    caps = settings.global_budget()
    budget = min(cap for cap in (caps.daily, caps.monthly, caps.lifetime) if cap is not None)
    rate = Rate(max(1, budget * WORTH * PER_MILLION // (calls * (CALL_TOKENS + INPUT_TOKENS))))
    chosen = _choose(calls, seed)
    async with _gateway(settings, rate) as (seawall, mock, address, key):
        answers = await asyncio.gather(*[_call(address, key, kind, i) for i, kind in enumerate(chosen)])
        await seawall.asgi.calls.drain(GRACE_S)
        await _until_quiet(mock)
        spend = await seawall.gateway.call_log.spend("global", seawall.gateway.now())
        bill = Money(mock.bill)
    async with _gateway(settings, rate) as (_, mock, address, key):
        await _use_up(address, key, calls)
        usable_bill = Money(mock.bill)
    return Proof(
        calls=calls,
        budget=budget,
        bill=bill,
        ledger=spend.lifetime,
        held=spend.held,
        overage=spend.overage,
        answers=dict(Counter(answers)),
        usable_bill=usable_bill,
    )


def _choose(calls: int, seed: int) -> Sequence[Kind]:
    chance = random.Random(seed)  # noqa: S311 - not a secret: the same seed fires the same calls again.
    chosen = [BIG, *(chance.choice(KINDS) for _ in range(calls - 1))]
    chance.shuffle(chosen)
    return chosen


@asynccontextmanager
async def _gateway(
    settings: Settings, rate: Rate
) -> AsyncIterator[tuple[Seawall, MockProvider, tuple[str, int], str]]:
    """Run a gateway with an empty ledger in front of a provider with an empty bill."""
    names = [_model(kind) for kind in (*KINDS, BIG)]
    terms = Terms(input_rate=rate, output_rate=rate)
    with TemporaryDirectory() as folder:
        async with MockProvider(terms=terms, models=names) as mock:
            seawall = Seawall(_with_mock(settings, mock.base_url, names, rate, Path(folder)))
            key = await seawall.prepare()
            assert key is not None, "the folder is new"
            bound = bind("127.0.0.1", 0)
            server = make_server(seawall.asgi, limits=RequestLimits(), grace_s=GRACE_S)
            serving = asyncio.create_task(server.serve(sockets=[bound]))
            try:
                yield seawall, mock, bound.getsockname()[:2], key
            finally:
                server.should_exit = True
                await serving


LIMITS_OFF = [field.alias or name for name, field in LimitSettings.model_fields.items()]
"""Rates hold calls back before they can ask for money; here all of them shall ask at once."""


def _with_mock(settings: Settings, base_url: str, names: Sequence[str], rate: Rate, folder: Path) -> Settings:
    """Return the settings with a ledger, limits and counters of the proof's own, and nobody to alert.

    Nothing of the proof may reach what gateways share: it would spend their budget, and keep them waiting.
    """
    dollars = format_usd(rate)
    price = PriceSettings.model_validate(
        {
            "input_usd_per_mtok": dollars,
            "output_usd_per_mtok": dollars,
            "max_output_tokens": 1_000_000,
            "context_tokens": 1_000_000,
        }
    )
    provider = ProviderSettings.model_validate({"base_url": base_url, "models": list(names)})
    return settings.model_copy(
        update={
            "providers": {"proof": provider},
            "prices": dict.fromkeys(names, price),
            "data_dir": folder,
            "database_url": None,
            "valkey_url": None,
            "backup": BackupSettings(),
            "alerts": AlertSettings(),
            "mail": MailSettings(),
            "limits": LimitSettings.model_validate(dict.fromkeys(LIMITS_OFF, "off")),
            "model_limits": {},
            "cache": CacheSettings(enabled=False),
            "loop": LoopSettings(calls=0, calls_unnamed=0),
            "log": settings.log.model_copy(update={"access": False}),
        }
    )


def _model(kind: Kind) -> str:
    return f"{MODEL}-{kind.suffix}"


async def _call(address: tuple[str, int], key: str, kind: Kind, number: int) -> str:
    """Make one call as its kind says; returns how it ended, in a few words."""
    body = {
        "model": _model(kind),
        "messages": [{"role": "user", "content": f"Call {number}: say something of the usual length."}],
        "stream": kind.stream,
        "n": kind.choices,
    }
    if kind.cap is not None:
        body["max_tokens"] = kind.cap
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer = await _exchange(address, key, msgspec.json.encode(body), kind.leaves_after_bytes)
    except asyncio.IncompleteReadError as error:
        answer = error.partial  # Refused before the client could leave.
    except (OSError, TimeoutError):
        return "connection lost"
    return _summary(answer, left=kind.leaves_after_bytes is not None)


async def _exchange(address: tuple[str, int], key: str, body: bytes, leaves_after: int | None) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    try:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: proof\r\nconnection: close\r\n"
            f"authorization: Bearer {key}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        if leaves_after == 0:
            await asyncio.sleep(0.02)
            return b""
        return await (reader.read() if leaves_after is None else reader.readexactly(leaves_after))
    finally:
        writer.transport.abort()


def _summary(answer: bytes, *, left: bool) -> str:
    status = answer[9:12].decode("latin-1")
    if status == "200":
        if left:
            return "client left in the middle"
        is_broken = b'data: {"error"' in answer
        return "broken off with an error" if is_broken else "answered"
    if status in ("402", "429"):
        return {"402": "refused: budget exhausted", "429": "refused: budget busy"}[status]
    return "client left at once" if left else f"failed with {status}"


async def _use_up(address: tuple[str, int], key: str, calls: int) -> None:
    """Make calls that fit, twenty at a time, until the budget refuses them."""
    numbers = iter(range(calls * 4))

    async def caller() -> None:
        for number in numbers:
            if await _call(address, key, KINDS[0], number) == "refused: budget exhausted":
                return

    await asyncio.gather(*[caller() for _ in range(20)])


async def _until_quiet(mock: MockProvider) -> None:
    """Wait until the provider has noticed that nobody reads any more."""
    async with asyncio.timeout(GRACE_S):
        while mock.open_calls:  # noqa: ASYNC110 - the provider has no event for it
            await asyncio.sleep(0.01)


def cents(money: Money) -> str:
    """Write money for the screen, rounded to whole cents; exact where it is less than one."""
    if 0 < money < NANO // 100:
        return f"${format_usd(money)}"
    whole = (money * 100 + NANO // 2) // NANO
    return f"${whole // 100:,}.{whole % 100:02d}"
