"""Sifts raw findings: by the rules asked for, by what is ignored beside the code, by the baseline."""

from collections.abc import Iterable
from typing import NamedTuple

from seawall.check import baseline, catalogue, fingerprints, ignoring
from seawall.check.findings import Finding, Severity
from seawall.check.fingerprints import TextOf
from seawall.check.options import Options

FIXED_SHOWN = 5
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


class Sifted(NamedTuple):
    """What counts (errors first), what was suppressed and why, and what there is to say about it."""

    kept: list[Finding]
    suppressed: list[Finding]
    notices: list[str]


def wanted(options: Options) -> frozenset[str]:
    """Return the ids of the rules that these options ask for; raises UnknownRule."""
    selected = catalogue.expand(options.select) if options.select else frozenset(catalogue.rules())
    return selected - catalogue.expand(options.ignore)


def sift(findings: Iterable[Finding], options: Options, text_of: TextOf, paths: Iterable[str] = ()) -> Sifted:
    """Return what is left of the findings of an audit, with fingerprints; raises UnknownRule and BadBaseline.

    `paths` are the files that were read. An ignore that matches nothing is said only where every rule had its
    say: not with `staged`, `select`, `ignore` or without history.
    """
    ids = wanted(options)
    marked = fingerprints.with_fingerprints(_ordered(each for each in findings if each.rule in ids), text_of)
    is_whole = not options.staged and options.history and not options.select and not options.ignore
    kept, suppressed, notices = ignoring.split(marked, text_of, paths if is_whole else ())
    if not is_whole:
        notices = [notice for notice in notices if not notice.endswith(ignoring.UNUSED)]
    if options.baseline is None or options.accept:
        return Sifted(kept, suppressed, notices)
    kept, known, gone = baseline.split(kept, baseline.read(options.baseline))
    if is_whole:
        notices += _fixed(gone)
    return Sifted(kept, [*suppressed, *known], notices)


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without doubles, in the order in which they are read."""
    rank = {name: number for number, name in enumerate(catalogue.rules())}
    once = {
        (each.rule, each.path, each.line, each.hash, each.commit, each.message): each for each in findings
    }
    return sorted(
        once.values(),
        key=lambda each: (_ORDER[each.severity], rank[each.rule], each.path, each.line, each.message),
    )


def _fixed(gone: list[baseline.Entry]) -> list[str]:
    """Say which entries of the baseline are fixed, or have another name now."""
    if not gone:
        return []
    shown = ", ".join(f"{entry.rule} in {entry.path}" for entry in gone[:FIXED_SHOWN])
    more = f" and {len(gone) - FIXED_SHOWN} more" if len(gone) > FIXED_SHOWN else ""
    count = "1 finding" if len(gone) == 1 else f"{len(gone)} findings"
    return [f"{count} of the baseline is gone, well done: {shown}{more}. --write-baseline takes it out."]
