"""Shared limits when things go wrong: the server stops, hangs, is wiped or full; a gateway is killed, a call leaves."""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from seawall.core.limits import Admitted, Refused
from seawall.stores.valkey.connection import Link, Unreachable, connection_of
from seawall.stores.valkey.counters import ValkeyCounters
from tests.fixtures.counting import PATIENT_S, limit
from tests.fixtures.mock_calls import until
from tests.fixtures.valkeys import SOON_S, Gateways, OwnValkey, behind_tls

HOUR = limit(6, 3_600)
PLACES = limit(2, 0, unit="at_once")
IMPATIENT_S = 0.2


async def admit(counters: ValkeyCounters, *limits: object) -> Admitted | Refused:
    return await counters.admit(limits, 0.0, 0)


async def passed(counters: ValkeyCounters, count: int) -> int:
    """Ask so many times, one after the other; return how many were admitted."""
    return sum([isinstance(await admit(counters, HOUR), Admitted) for _ in range(count)])


async def eventually(claim: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something that has to be asked for is true."""
    async with asyncio.timeout(PATIENT_S):
        while not await claim():
            await asyncio.sleep(0.01)


async def test_two_gateways_admit_no_more_together_than_one_would(gateways: Gateways) -> None:
    several = [(await gateways.open())[0] for _ in range(2)]
    one = limit(100, 3_600)
    asked = [admit(counters, one) for counters in several for _ in range(300)]
    answers = await asyncio.gather(*asked)
    assert sum(isinstance(answer, Admitted) for answer in answers) == 100
    assert [counters.state().home for counters in several] == ["shared", "shared"]


async def test_a_server_that_stops_leaves_each_gateway_its_share(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    (one, link), (other, _) = await gateways.open(), await gateways.open()
    await until(lambda: one.gateways == other.gateways == 2)
    own_valkey.stop()
    await until(lambda: not link.is_up)
    answers = [await admit(one, HOUR) for _ in range(6)]
    assert [isinstance(answer, Admitted) for answer in answers] == [True] * 3 + [False] * 3
    assert [answer.is_local for answer in answers] == [True] * 6
    refused = answers[-1]
    assert isinstance(refused, Refused)
    assert (refused.limit.count, refused.used, refused.limit.name) == (3, 3, "limits.per_user")
    assert (one.state().home, one.state().fallbacks, one.state().gateways) == ("local", 1, 2)


async def test_what_was_used_before_counts_when_a_gateway_is_left_alone(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, _ = await gateways.open()
    assert await passed(counters, 4) == 4
    own_valkey.stop()
    assert await passed(counters, 6) == 2


async def test_a_server_that_comes_back_counts_for_all_again(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    one, first = await gateways.open()
    other, second = await gateways.open()
    own_valkey.stop()
    await until(lambda: not first.is_up and not second.is_up)
    own_valkey.start()
    await until(lambda: first.is_up and second.is_up)
    assert await passed(one, 4) + await passed(other, 4) == 6
    assert (await admit(one, HOUR)).is_local is False


async def test_a_server_that_is_not_there_at_the_start_is_found_later(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    own_valkey.stop()
    counters, link = await gateways.open()
    assert (await admit(counters, HOUR)).is_local
    assert counters.state().fallbacks == 1
    own_valkey.start()
    await until(lambda: link.is_up)
    assert not (await admit(counters, HOUR)).is_local


async def test_a_server_that_hangs_is_left_after_the_time_out_and_found_again(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, link = await gateways.open(timeout_s=IMPATIENT_S)
    own_valkey.hang()
    answers = await asyncio.gather(*(admit(counters, HOUR) for _ in range(50)))
    assert sum(isinstance(answer, Admitted) for answer in answers) == 6
    assert all(answer.is_local for answer in answers)
    assert not link.is_up
    with pytest.raises(Unreachable):
        link.ask("PING")  # From now on nobody waits at all.
    own_valkey.go_on()

    async def is_shared() -> bool:
        return not (await admit(counters, HOUR)).is_local

    await eventually(is_shared)


def scripts_run(server: OwnValkey) -> int:
    """Return how many scripts a server has run by their names."""
    stats = server.command("INFO", "commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


async def test_a_gateway_that_was_busy_itself_does_not_take_the_server_for_one_that_hangs(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, _ = await gateways.open(timeout_s=IMPATIENT_S, beats=False)
    before = scripts_run(own_valkey)
    asking = [asyncio.create_task(admit(counters, HOUR)) for _ in range(20)]
    for _ in range(3):  # Until the questions are on their way.
        await asyncio.sleep(0)
    busy_until = time.monotonic() + 2 * IMPATIENT_S
    while time.monotonic() < busy_until or scripts_run(own_valkey) < before + 20:
        pass
    scripts_run(own_valkey)  # It has sent all answers before it answers this one.
    assert [answer.is_local for answer in await asyncio.gather(*asking)] == [False] * 20
    assert counters.state().fallbacks == 0


async def test_answers_that_come_after_all_are_nobodys(gateways: Gateways) -> None:
    _, link = await gateways.open()
    for _ in range(3):
        asked = [link.ask("PING") for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # They are on their way.
        link.drop("a test says so")
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(answer) for answer in answers} == {Unreachable}
        await until(lambda: link.is_up)
        assert await link.ask("PING") == b"PONG"


async def test_a_server_that_is_wiped_begins_anew_and_hears_what_runs(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, link = await gateways.open(beats=False)
    assert await passed(counters, 9) == 6
    assert isinstance(await admit(counters, PLACES), Admitted)
    assert isinstance(await admit(counters, PLACES), Admitted)
    own_valkey.command("FLUSHALL")
    assert await passed(counters, 9) == 6
    counters.start()  # By the first beat it hears that it was forgotten.
    await until(lambda: counters.state().fallbacks == 1 and link.is_up)
    await link.ask("PING")  # What runs is claimed before this.
    other, _ = await gateways.open()
    assert isinstance(await admit(other, PLACES), Refused)


async def test_a_server_that_has_lost_its_scripts_gets_them_again(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, _ = await gateways.open()
    own_valkey.command("SCRIPT", "FLUSH")
    assert await passed(counters, 9) == 6
    assert counters.state().fallbacks == 0


@pytest.mark.parametrize(
    "trouble", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "127.0.0.1", "1"), ("ACL", "SETUSER", "default", "-@scripting")]
)  # fmt: skip
async def test_a_server_that_refuses_to_count_is_as_good_as_none(
    gateways: Gateways, own_valkey: OwnValkey, trouble: tuple[str, ...]
) -> None:
    counters, _ = await gateways.open()
    own_valkey.command(*trouble)
    assert await passed(counters, 9) == 6
    assert (await admit(counters, HOUR)).is_local


async def test_the_places_of_a_gateway_that_is_killed_come_free(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    program = f"""
import asyncio
from tests.fixtures.counting import limit
from tests.fixtures.valkeys import Gateways
async def main():
    counters, link = await Gateways({own_valkey.url!r}).open(lease_s=4.0)
    while not link.is_up:
        await asyncio.sleep(0.01)
    limits = (limit(2, 0, unit="at_once"),)
    for _ in range(2):
        await counters.admit(limits, 0.0, 0)
    print(counters.state().home, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    counters, _ = await gateways.open()
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=Path(__file__).parents[2], stdout=asyncio.subprocess.PIPE
    )
    try:
        assert killed.stdout is not None
        assert (await killed.stdout.readline()).strip() == b"shared"
        assert isinstance(await admit(counters, PLACES), Refused)
    finally:
        killed.kill()
        await killed.wait()

    async def is_free() -> bool:
        return isinstance(await admit(counters, PLACES), Admitted)

    await eventually(is_free)


async def test_a_gateway_that_stops_gives_its_places_back_at_once(own_valkey: OwnValkey) -> None:
    first, second = Gateways(own_valkey.url), Gateways(own_valkey.url)
    stopping, staying = (await first.open())[0], (await second.open())[0]
    for _ in range(2):
        await admit(stopping, PLACES)
    assert isinstance(await admit(staying, PLACES), Refused)
    await first.close()
    assert isinstance(await admit(staying, PLACES), Admitted)
    await second.close()


async def test_a_call_that_runs_through_an_outage_keeps_its_place_and_gives_it_back(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, link = await gateways.open(gateways=1)
    other, elsewhere = await gateways.open()
    before = await admit(counters, PLACES)
    own_valkey.stop()
    await until(lambda: not link.is_up)
    meanwhile = await admit(counters, PLACES)
    own_valkey.start()
    await until(lambda: link.is_up and elsewhere.is_up)
    await link.ask("PING")  # What runs is claimed before this.
    assert isinstance(before, Admitted) and isinstance(meanwhile, Admitted)
    assert isinstance(await admit(other, PLACES), Refused)
    for admitted in (before, meanwhile, before):
        counters.leave(admitted)
    await link.ask("PING")
    assert [isinstance(await admit(other, PLACES), Admitted) for _ in range(3)] == [True, True, False]


async def test_a_call_that_leaves_while_it_is_asked_for_takes_no_place(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, link = await gateways.open()
    own_valkey.hang()
    asking = [asyncio.create_task(admit(counters, PLACES)) for _ in range(9)]
    await asyncio.sleep(0)
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    own_valkey.go_on()
    await link.ask("PING")
    await link.ask("PING")
    assert [isinstance(await admit(counters, PLACES), Admitted) for _ in range(3)] == [True, True, False]
    assert counters.state().fallbacks == 0


async def test_a_call_that_leaves_at_the_very_moment_of_the_answer_takes_no_place(gateways: Gateways) -> None:
    counters, link = await gateways.open(beats=False)
    for _ in range(5):
        asking = asyncio.create_task(admit(counters, PLACES))
        await asyncio.sleep(0)
        while link._sent or link._waiting:
            await asyncio.sleep(0)
        asking.cancel()  # The answer is there, and nobody has looked at it.
        assert [type(each) for each in await asyncio.gather(asking, return_exceptions=True)] == [
            asyncio.CancelledError
        ]
    assert [isinstance(await admit(counters, PLACES), Admitted) for _ in range(3)] == [True, True, False]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_to_the_server_no_place_stays_taken_and_nobody_is_refused_for_it(
    gateways: Gateways, own_valkey: OwnValkey, seed: int
) -> None:
    chance = random.Random(seed)
    opened = [await gateways.open(timeout_s=0.05, lease_s=1.0) for _ in range(3)]
    limits = (limit(40, 0, unit="at_once"), limit(10**6, 1), limit(10**8, 1, unit="tokens", scope="key:k"))
    is_over = asyncio.Event()

    async def call(counters: ValkeyCounters) -> None:
        while not is_over.is_set():
            admitted = await counters.admit(limits, time.monotonic(), 9)
            assert isinstance(admitted, Admitted)
            try:
                await asyncio.sleep(chance.random() / 50)
            finally:
                counters.leave(admitted)
                await counters.settle(admitted, time.monotonic(), 5)

    async def leave_early(counters: ValkeyCounters) -> None:
        while not is_over.is_set():
            calling = asyncio.create_task(call(counters))
            await asyncio.sleep(chance.random() / 100)
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    async def trouble() -> None:
        for _ in range(12):
            await asyncio.sleep(chance.random())
            if (kind := chance.choice(("hang", "stop", "FLUSHALL", "SCRIPT FLUSH", "drop"))) == "drop":
                chance.choice(opened)[1].drop("a test says so")
            elif kind == "hang":
                own_valkey.hang()
                await asyncio.sleep(chance.random() / 4)
                own_valkey.go_on()
            elif kind == "stop":
                own_valkey.stop()
                await asyncio.to_thread(own_valkey.start)
            else:
                await asyncio.to_thread(own_valkey.command, *kind.split())
        is_over.set()

    several = [counters for counters, _ in opened]
    await asyncio.gather(
        trouble(),
        *(call(counters) for counters in several for _ in range(3)),
        *(leave_early(counters) for counters in several),
    )
    await until(lambda: all(link.is_up for _, link in opened))
    one = several[0]

    async def are_free() -> bool:
        """Say whether all places are, once the leases of lives before are over."""
        held = [await admit(one, limits[0]) for _ in range(40)]
        are = all(isinstance(each, Admitted) and not each.is_local for each in held)
        for each in held:
            if isinstance(each, Admitted):
                one.leave(each)
        return are

    await eventually(are_free)


async def test_two_stores_on_one_server_do_not_count_for_each_other(gateways: Gateways) -> None:
    one, _ = await gateways.open(salt=b"one store")
    other, _ = await gateways.open(salt=b"another")
    assert (await passed(one, 9), await passed(other, 9)) == (6, 6)


async def test_names_tell_nobody_and_every_one_of_them_ends(
    gateways: Gateways, own_valkey: OwnValkey
) -> None:
    counters, _ = await gateways.open()
    kinds = [
        HOUR, limit(5_000, 3_600, scope="ip:192.0.2.7"), limit(9, 3_600, burst=9, scope="key:key_1"), PLACES,
        limit(900, 3_600, unit="tokens"),
    ]  # fmt: skip
    assert isinstance(await admit(counters, *kinds), Admitted)
    names = [name.decode() for name in own_valkey.command("KEYS", "*")]
    assert len(names) == len(kinds) + 1
    assert all(name.startswith("seawall:1:{") for name in names)
    assert len({name.partition("{")[2].partition("}")[0] for name in names}) == 1
    assert [name for name in names if "ada" in name or "192" in name or "key_1" in name] == []
    assert [name for name in names if own_valkey.command("PTTL", name) <= 0] == []


async def link_to(url: str) -> Link:
    link = Link(url, timeout_s=PATIENT_S, retry_s=SOON_S)
    await link.start()
    return link


async def test_with_tls_the_certificate_and_its_name_are_verified(
    own_valkey: OwnValkey, tmp_path: Path
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    found = []
    for host, signer in (("127.0.0.1", authority), ("other.example", authority), ("127.0.0.1", stranger)):
        async with behind_tls(own_valkey.port, host, signer) as port:
            link = await link_to(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}")
            found.append(link.is_up)
            await link.stop()
    assert found == [True, False, False]


async def test_a_password_is_shown_where_one_is_asked_for(own_valkey: OwnValkey) -> None:
    own_valkey.command("CONFIG", "SET", "requirepass", "a word of the tests")
    found = []
    for password in ("a%20word%20of%20the%20tests", "another"):
        link = await link_to(f"valkey://:{password}@127.0.0.1:{own_valkey.port}/0")
        found.append(link.is_up)
        await link.stop()
    assert found == [True, False]


@pytest.mark.parametrize("url", ["rediss://host/0?ssl_cert_reqs=none", "redis://host?max_connections=5"])
def test_an_address_with_an_option_that_is_not_known_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="an option that is not known"):
        connection_of(url)
