"""`seawall guard`: try the guard on a text, measure it on labelled rows, see what it does to instructions."""

import gzip
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, stop, with_store

if TYPE_CHECKING:
    from seawall.core.guarding import GuardPolicy
    from seawall.guards.guard import LocalGuard
    from seawall.homes import Store

TEXT_CHARS_MAX = 1_000_000
SHOWN_CHARS = 60
SHOWN_SCORE_MIN = 0.01
LEARN_TEXTS_MIN = 50
WIDTH = 78

app = typer.Typer(
    help="Try the guard on a text, measure it on labelled rows, and see what it does to your instructions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
DocumentOption = Annotated[
    bool, typer.Option("--document", help="Take the text for a document, mail or tool's answer.")
]
ProfileOption = Annotated[
    str | None, typer.Option("--guard", help="The profile: off, flag, block, or one of your own.")
]


@app.command("test")
def try_out(
    text: Annotated[str, typer.Argument(help="The text, or - to read it from standard input.")],
    document: DocumentOption = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what the guard makes of a text, and which words did it.

    The words stand in the order of the text. The score is that of prompt injection alone.
    """
    from seawall.guards.measuring import explain

    text = sys.stdin.read(TEXT_CHARS_MAX) if text == "-" else text
    policy, guard = _open(config, profile)
    told = explain(guard, text, "document" if document else "user", policy)
    if as_json:
        from seawall.cli.printing import print_json

        print_json(told)
        return
    _print_test(told)


def _print_test(told: dict[str, Any]) -> None:
    from seawall.cli import printing

    threshold = told["threshold"]
    print(f"{told['verdict']}: {told['why']}")
    print(f"Injection score as a {told['head']}'s text: {told['score']:.2f} (counts from {threshold:.2f}).")
    if told["read_as"]:
        print(f"Read as: {printing.printable(told['read_as'][:400])}")
    for each in told["findings"]:
        if each["found"] is not None:
            print(f"Found: {each['label'].replace('_', ' ')} {printing.printable(each['found'])}")
    if told["verdict"] == "redact":
        print(f"Sent: {printing.printable(told['sent'][:400])}")
    if told["words"] and told["score"] >= SHOWN_SCORE_MIN:
        rows = [(printing.printable(word), f"{share:+.2f}") for word, share in told["words"]]
        print("\nThe words that raised it most, and by how much:")
        printing.console().print(printing.facts(rows))


@app.command("eval")
def evaluate(
    file: Annotated[
        Path, typer.Argument(help="A file of JSON lines: text, label (1: attack), source, kind.")
    ],
    scores: Annotated[Path | None, typer.Option(help="Write the scores of every row to this file.")] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Measure recall and false positives on labelled rows.

    For each source it says how many of its rows count as attacks. A line of --scores is {"user", "document",
    "verdict", "labels"}, in the order of the rows.
    """
    from seawall.cli.printing import print_json, progress
    from seawall.guards.measuring import measure, score_row

    policy, guard = _open(config, profile)
    rows = list(_rows(file))
    if not rows:
        stop(f"there are no rows in {file.name}.")
    scored = []
    with progress(len(rows), is_quiet=as_json) as advance:
        for row in rows:
            scored.append(score_row(guard, row, policy))
            advance()
    if scores is not None:
        lines = (json.dumps(each.shown(), separators=(",", ":")) for each in scored)
        _write(scores, "".join(f"{line}\n" for line in lines).encode())
    measured = measure(rows, scored, policy)
    if as_json:
        print_json(measured)
        return
    _print_measured(measured)


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    """Read rows, gzipped or not; ends with the first line that cannot be one."""
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "surrogatepass")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        stop(f"{file.name} cannot be read ({getattr(error, 'strerror', None) or 'it is damaged'}).")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            stop(f"line {number} of {file.name} is not JSON.")
        is_row = isinstance(row, dict) and isinstance(row.get("text"), str)
        if not is_row or row.get("label") not in (0, 1):
            stop(f'line {number} of {file.name} needs "text", and "label" 0 or 1.')
        yield row


def _print_measured(measured: dict[str, Any]) -> None:
    from seawall.cli import printing

    at = measured["recall_at"]
    rows = [
        (
            "rows",
            f"{printing.count(measured['rows'])}, {printing.count(measured['attacks'])} of them attacks",
        ),
        ("recall", _percent(measured["recall"])),
        ("false positives", _percent(measured["false_positives"])),
        *((f"recall at {rate} false positives", _percent(recall)) for rate, recall in at.items()),
    ]
    console = printing.console()
    console.print(printing.facts(rows))
    table = printing.table("source", "label", "rows", "count as attacks")
    for each in measured["sources"]:
        label = "attack" if each["label"] else "benign"
        table.add_row(
            printing.printable(each["source"])[:SHOWN_CHARS] or "-",
            label,
            printing.count(each["rows"]),
            _percent(each["counts"]),
        )
    console.print(table)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


@app.command("show")
def show(
    file: Annotated[
        Path | None, typer.Argument(help="Your app's instructions; without it an example is shown.")
    ] = None,
    profile: ProfileOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what a provider gets for your hardened instructions.

    The mark comes from the data folder, which is made where there is none.
    """
    settings = read_settings(config, data_dir=data)
    policy, guard = _open(config, profile)
    try:
        text = "You are the assistant of a bakery." if file is None else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        stop(f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is no UTF-8'}).")

    async def work(store: "Store") -> bytes:
        return await store.directory.salt()

    guard.use_secret(with_store(settings, work, may_create=True))
    if not policy.hardens:
        print("guard.harden is off: a provider gets your instructions as they are. With it on:\n")
    print(guard.harden(text, policy))


@app.command("learn")
def learn(
    files: Annotated[list[Path], typer.Argument(help="Texts of your users, one on each line.")],
    out: Annotated[Path, typer.Option(help="Where to write the profile.")] = Path("topics.json"),
) -> None:
    """Learn what your app is about from texts of its users.

    It proposes words for guard.topics as well: strike out those that do not belong to your app.
    """
    import msgspec

    from seawall.guards import topics

    texts = [line for file in files for line in _lines(file) if line.strip()]
    if len(texts) < LEARN_TEXTS_MIN:
        stop(f"{len(texts)} texts are too few to learn from; {LEARN_TEXTS_MIN} are the least.")
    profile = topics.learn(texts, topics.load_fields())
    _write(out, msgspec.json.encode(profile))
    print(f"Learned from {len(texts)} texts; {out.name} holds words and no text.")
    print("\nTo use it, put into seawall.toml:\n")
    print(f'[guard]\ntopics_profile = "{out}"')
    words = topics.propose(profile)
    if words:
        print("\nThe words that tell most, for a list of your own beside it or in its place:\n")
        listed = json.dumps(words, ensure_ascii=False)[1:-1]
        for line in ("topics = [", *textwrap.wrap(listed, WIDTH, break_long_words=False), "]"):
            print(line)


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        stop(f"{file} cannot be written ({error.strerror}).")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        stop(f"{file} cannot be read ({error.strerror}).")


def _open(config: Path | None, profile: str | None) -> "tuple[GuardPolicy, LocalGuard]":
    """Return the policy of a profile, and a guard that knows what the gateway's knows."""
    from seawall.guards.guard import LocalGuard
    from seawall.guards.topics import read_profile

    settings = read_settings(config)
    guards = settings.house_terms().guards
    if profile is not None and profile not in guards:
        stop(f"there is no guard {profile}; there are {', '.join(name for name in guards if name)}.")
    try:
        learned = read_profile(settings.guard.topics_profile)
    except OSError as error:
        stop(f"guard.topics_profile cannot be used ({error.strerror or error}).")
    return guards[profile or ""], LocalGuard(learned=learned)
