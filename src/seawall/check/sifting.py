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
    """What counts (errors first), what was suppressed and why, and what there is to say about it.

    `rows` are the rows of the checklist whose failing the baseline knows.
    """

    kept: list[Finding]
    suppressed: list[Finding]
    notices: list[str]
    rows: frozenset[str] = frozenset()


def wanted(options: Options) -> frozenset[str]:
    """Return the ids of the rules that these options ask for; raises UnknownRule."""
    selected = catalogue.expand(options.select) if options.select else frozenset(catalogue.rules())
    return selected - catalogue.expand(options.ignore)


class Sifter:
    """Sifts in two steps: what is ignored beside the code, then what the caller and the baseline leave out.

    What is left between the two is true of the app, whoever asks: the checklist is judged by it.
    """

    def __init__(self, options: Options, text_of: TextOf) -> None:
        """Read nothing yet; raises UnknownRule."""
        self._options = options
        self._wanted = wanted(options)
        self._text_of = text_of
        self._ignores = ignoring.Ignores(text_of)
        self._suppressed: list[Finding] = []

    def beside_code(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that nobody ignores beside the code, in order, with their fingerprints."""
        marked = fingerprints.with_fingerprints(_ordered(findings), self._text_of)
        kept, suppressed = self._ignores.split(marked)
        self._suppressed += [each for each in suppressed if each.rule in self._wanted]
        return kept

    def asked_for(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings of the rules that the caller wants."""
        return [each for each in findings if each.rule in self._wanted]

    def sift(self, findings: list[Finding], paths: Iterable[str] = ()) -> Sifted:
        """Return what is left of findings that went through `beside_code`; raises BadBaseline.

        `paths` are the files that were read. An ignore that matches nothing is said only where every rule had
        its say: not with `staged`, `select`, `ignore` or without history.
        """
        options = self._options
        is_whole = not options.staged and options.history and not options.select and not options.ignore
        notices = self._ignores.notices(paths if is_whole else ())
        if not is_whole:
            notices = [notice for notice in notices if not notice.endswith(ignoring.UNUSED)]
        notices = ignoring.bounded(notices)
        kept = self.asked_for(findings)
        if options.baseline is None or options.accept:
            return Sifted(kept, self._suppressed, notices)
        before = baseline.read(options.baseline)
        kept, known, gone = baseline.split(kept, before)
        if is_whole:
            notices += _fixed(gone)
        return Sifted(kept, [*self._suppressed, *known], notices, frozenset(before.rows))


def sift(findings: Iterable[Finding], options: Options, text_of: TextOf, paths: Iterable[str] = ()) -> Sifted:
    """Return what is left of the findings of an audit; raises UnknownRule and BadBaseline."""
    sifter = Sifter(options, text_of)
    return sifter.sift(sifter.beside_code(findings), paths)


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
