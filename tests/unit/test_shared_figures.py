"""Workers of one machine add up to one page, whichever of them is asked, and no counter goes back."""

from pathlib import Path

from seawall.core.histograms import Histogram
from seawall.server.metrics import families
from seawall.server.metrics.exposition import write_page
from seawall.server.metrics.sharing import FRESH_S, Sharing
from seawall.server.metrics.values import Values

NOW = 1_800_000_000.0
LABELS = ("/v1/chat/completions", "openai", "gpt-4.1-mini", "ok", "")


def counted(calls: int, *, running: int = 0, is_ready: bool = True) -> Values:
    """Return the figures of a worker that has answered so many calls, each in 20 ms."""
    values, seen = Values(), Histogram(families.CALL_SECONDS.bounds)
    for _ in range(calls):
        seen.observe(0.02)
    values.put(families.CALLS, calls, *LABELS)
    values.put_histogram(families.CALL_SECONDS, seen, LABELS[0], "ok")
    values.put(families.RUNNING, running)
    values.put(families.READY, int(is_ready))
    values.put(families.BUDGET, 5_000_000_000, "day", "cap")
    values.put(families.MEMORY, 64e6, str(calls))
    return values


def page(sharing: Sharing, values: Values, at: float = NOW) -> dict[str, float]:
    """Return what a scrape of this worker shows."""
    sharing.tell(values, at)
    sharing.gather(values, at)
    lines = [line for line in write_page(values).decode().splitlines() if not line.startswith("#")]
    return {name: float(figure) for name, _, figure in (line.rpartition(" ") for line in lines)}


CALLS = (
    'seawall_calls_total{code="",endpoint="/v1/chat/completions",model="gpt-4.1-mini",outcome="ok",'
    'provider="openai"}'
)
COUNT = 'seawall_call_duration_seconds_count{endpoint="/v1/chat/completions",outcome="ok"}'
UNDER_25_MS = 'seawall_call_duration_seconds_bucket{endpoint="/v1/chat/completions",le="0.025",outcome="ok"}'


def test_counters_and_gauges_of_workers_are_added_up(tmp_path: Path) -> None:
    one, other = Sharing(tmp_path, 0), Sharing(tmp_path, 1)
    other.tell(counted(30, running=2, is_ready=False), NOW)
    shown = page(one, counted(12, running=1))
    assert (shown[CALLS], shown[COUNT], shown[UNDER_25_MS]) == (42, 42, 42)
    assert (shown["seawall_calls_running"], shown["seawall_ready"]) == (3, 0)
    assert shown['seawall_budget_usd{period="day",what="cap"}'] == 5
    assert shown['seawall_process_resident_memory_bytes{worker="30"}'] == 64e6


def test_no_counter_goes_back_whichever_worker_is_asked(tmp_path: Path) -> None:
    """The second worker has not heard of the newest calls of the first, but of those that it has shown."""
    one, other = Sharing(tmp_path, 0), Sharing(tmp_path, 1)
    one.tell(counted(10), NOW)
    other.tell(counted(10), NOW)
    assert page(one, counted(25), NOW + 1)[CALLS] == 35
    assert page(other, counted(10), NOW + 1)[CALLS] == 35
    assert page(other, counted(11), NOW + 2)[CALLS] == 36
    assert page(one, counted(25), NOW + 2)[CALLS] == 36


def test_a_worker_goes_on_from_where_its_predecessor_stopped(tmp_path: Path) -> None:
    Sharing(tmp_path, 0).tell(counted(10, running=3), NOW)
    shown = page(Sharing(tmp_path, 0), counted(1), NOW + 60)
    assert (shown[CALLS], shown[COUNT]) == (11, 11)
    assert shown["seawall_calls_running"] == 0


def test_what_a_dead_worker_was_doing_is_not_shown_for_long(tmp_path: Path) -> None:
    one, other = Sharing(tmp_path, 0), Sharing(tmp_path, 1)
    other.tell(counted(10, running=3, is_ready=False), NOW)
    shown = page(one, counted(1), NOW + FRESH_S + 1)
    assert (shown[CALLS], shown["seawall_calls_running"], shown["seawall_ready"]) == (11, 0, 1)


def test_a_damaged_file_or_one_of_another_version_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "7.json").write_bytes(b'{"at": 1')
    (tmp_path / "8.json").write_text(
        f'{{"at": {NOW}, "samples": [["seawall_calls_total", ["only-one"], 5],'
        f' ["seawall_gone_total", [], 5], ["seawall_call_duration_seconds", ["a", "b"], 5, [1]]]}}',
        encoding="utf-8",
    )
    assert page(Sharing(tmp_path, 0), counted(3))[CALLS] == 3


def test_files_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    sharing = Sharing(tmp_path / "metrics", 0)
    sharing.tell(counted(1), NOW)
    [file] = (tmp_path / "metrics").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("0.json", 0o600)
