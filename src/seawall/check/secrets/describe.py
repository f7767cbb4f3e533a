"""Turns what was found in a text into findings: one sentence, a masked line, and what to do about it here."""

import re
from bisect import bisect_right

from msgspec.structs import replace

from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.secrets.browser import Shipped
from seawall.check.secrets.hosts import Stack, move_out, where_deployed
from seawall.check.secrets.kinds import catalog
from seawall.check.secrets.masking import evidence, fingerprint, mask
from seawall.check.secrets.names import words_of
from seawall.check.secrets.places import Place, is_data_set
from seawall.check.secrets.secret import Secret
from seawall.check.secrets.weak import Weak

LINES_SHOWN = 4
_IGNORE = "seawall: ignore"
_IGNORE_CHARS = 2_000
_COMMENTS = ("#", "//", "/*", "*", "<!--", "{/*", "--", ";")
_LINE_END = re.compile("\n")


class Page:
    """A text whose findings are being written: knows its lines and what must be masked in it."""

    def __init__(self, place: Place, text: str, secrets: list[Secret], stack: Stack) -> None:
        """Remember the text and the `secrets` found in it."""
        self.place = place
        self.text = text
        self.stack = stack
        self.hidden = [(secret.value, mask(secret.value, is_token=secret.is_token)) for secret in secrets]
        self.is_data_set = is_data_set(text, place)
        self._has_ignores = _IGNORE in text
        self._ends: list[int] | None = None

    def line(self, at: int) -> int:
        """Return the line of an offset, counted from 1."""
        return bisect_right(self._line_ends(), at - 1) + 1

    def of_secret(self, secret: Secret) -> Finding:
        """Return the finding of a secret in the working tree."""
        place = self.place
        shown = mask(secret.value, is_token=secret.is_token)
        rule = "browser-key" if self._is_served(secret) else "hardcoded-secret"
        name = variable_of(secret)
        where = f" as `{secret.name.rpartition('.')[2]}`" if secret.name else ""
        if rule == "browser-key":
            message = f"{_a(secret.what)} ({shown}) stands in a file that every visitor can read."
        else:
            message = f"{_a(secret.what)} ({shown}) stands in {_kind_of_file(place)}{where}."
        fix = move_out(name, place.path)
        if rule == "browser-key":
            fix = f"Call the service from a route of your own server, which checks who asks. {fix}"
        return Finding(
            rule=rule,
            path=place.path,
            line=self.line(secret.start),
            message=message,
            severity=secret.severity,
            confidence=secret.confidence,
            evidence=evidence(self.text, secret.start, self.hidden),
            fix=f"{fix} {rotation(secret)} {where_deployed(name, self.stack)}",
            kind=secret.kind,
            hash=fingerprint("secret", "", secret.value),
        )

    def together(self, findings: list[Finding]) -> list[Finding]:
        """Return one finding for each value, in the order of their lines; it names the other lines.

        Of a table's rows it is one for each kind: whoever wrote them decides about all at once. A line that
        an ignore speaks of stays by itself, since the ignore does not speak of the others.
        """
        groups: dict[tuple[str, str, int], list[Finding]] = {}
        for finding in sorted(findings, key=lambda one: one.line):
            is_row = finding.confidence is Confidence.LOW and self.is_data_set
            mark = finding.kind if is_row else finding.hash
            line = finding.line if self._has_ignore(finding.line) else 0
            groups.setdefault((finding.rule, mark, line), []).append(finding)
        merged = [_merged(group) for group in groups.values()]
        return sorted(merged, key=lambda one: one.line)

    def of_weak(self, weak: Weak) -> Finding:
        """Return the finding of a guessable secret."""
        name = weak.name.rpartition(".")[2]
        if weak.how == "fallback":
            message = (
                f"Where `{name}` is not set, everyone knows its value: the code falls back to a fixed word."
            )
            fix = f"Stop at the start when `{name}` is missing; make a value with `openssl rand -hex 32`."
        elif weak.how == "call":
            message = "A token is signed or checked with a fixed word, so anyone can make valid ones."
            fix = "Sign with a secret from the environment, made with `openssl rand -hex 32`."
        else:
            message = (
                f"`{name}` is a word that anyone can guess, and it stands in {_kind_of_file(self.place)}."
            )
            move = move_out(_upper(name), self.place.path)
            fix = (
                f"Make a new value with `openssl rand -hex 32`. {move}"
                f" {where_deployed(_upper(name), self.stack)}"
            )
        return Finding(
            rule="weak-default-secret",
            path=self.place.path,
            line=self.line(weak.start),
            message=message,
            severity=weak.severity,
            confidence=Confidence.HIGH if weak.how != "literal" else Confidence.MEDIUM,
            evidence=evidence(self.text, weak.start, [*self.hidden, (weak.value, "…")]),
            fix=fix,
            hash=fingerprint("weak-default-secret", self.place.path, f"{name}\0{weak.value}"),
        )

    def of_shipped(self, shipped: Shipped) -> Finding:
        """Return the finding of a variable that reaches the browser."""
        whose = f"the {shipped.provider.name} key" if shipped.provider is not None else "its value"
        message = f"The bundler writes `{shipped.name}` into the pages: every visitor can read {whose}."
        hidden = (
            [*self.hidden, (shipped.value, mask(shipped.value, is_token=True))]
            if shipped.value
            else self.hidden
        )
        mark = fingerprint("browser-key", self.place.path, shipped.name)
        if shipped.value:  # The same secret wherever it stands, so that the history does not tell it again.
            mark = fingerprint("secret", "", shipped.value)
        bare = shipped.name
        for prefix in (
            "NEXT_PUBLIC_",
            "NUXT_PUBLIC_",
            "EXPO_PUBLIC_",
            "PLASMO_PUBLIC_",
            "REACT_APP_",
            "VUE_APP_",
            "NG_APP_",
            "VITE_",
            "GATSBY_",
            "STORYBOOK_",
            "SNOWPACK_PUBLIC_",
            "PUBLIC_",
        ):
            bare = bare.removeprefix(prefix)
        rotate = (
            f" Replace the key at {shipped.provider.rotate} if it was ever deployed."
            if shipped.provider
            else ""
        )
        return Finding(
            rule="browser-key",
            path=self.place.path,
            line=self.line(shipped.start),
            message=message,
            severity=shipped.severity,
            confidence=Confidence.HIGH if shipped.severity is Severity.ERROR else Confidence.MEDIUM,
            evidence=evidence(self.text, shipped.start, hidden),
            fix=f"Rename it to `{bare}` and read it only in a route of your own server.{rotate}",
            hash=mark,
        )

    def _has_ignore(self, line: int) -> bool:
        """Say whether there is an ignore in a line, or alone in the one above."""
        if not self._has_ignores:
            return False
        above = self._of_line(line - 1).lstrip()
        return _IGNORE in self._of_line(line) or (_IGNORE in above and above.startswith(_COMMENTS))

    def _of_line(self, line: int) -> str:
        ends = self._line_ends()
        start = ends[line - 2] + 1 if line > 1 else 0
        end = ends[line - 1] if 0 < line <= len(ends) else len(self.text) if line else 0
        return self.text[start : min(end, start + _IGNORE_CHARS)]

    def _line_ends(self) -> list[int]:
        if self._ends is None:
            self._ends = [match.start() for match in _LINE_END.finditer(self.text)]
        return self._ends

    def _is_served(self, secret: Secret) -> bool:
        place = self.place
        if secret.severity is Severity.NOTE or place.is_test or place.is_docs or secret.kind == "private-key":
            return False
        if place.is_served:
            return True
        if place.ending not in ("js", "jsx", "ts", "tsx", "mjs"):
            return place.ending in ("vue", "html") and secret.is_token
        head = self.text[:400].lstrip("\ufeff \t\r\n")
        return head.startswith(('"use client"', "'use client'"))


def _merged(group: list[Finding]) -> Finding:
    """Return the gravest of several findings of one value, with the lines of the others in its message."""
    rank = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    first = min(group, key=lambda one: (rank[one.severity], one.line))
    lines = sorted({one.line for one in group} - {first.line})
    if not lines:
        return first
    shown = ", ".join(str(line) for line in lines[:LINES_SHOWN])
    also = "It also stands in" if len({one.hash for one in group}) == 1 else "More like it are in"
    where = "line" if len(lines) == 1 else "lines"
    more = f" and {len(lines) - LINES_SHOWN} more" if len(lines) > LINES_SHOWN else ""
    return replace(first, message=f"{first.message} {also} {where} {shown}{more}.")


def rotation(secret: Secret) -> str:
    """Return the sentence that says how a secret that has left the machine is made worthless."""
    if secret.provider is not None:
        page = secret.provider.rotate
        return f"If it was ever pushed or sent, replace it at {page}: deleting the line is not enough."
    return "If it was ever pushed or sent, change it where it is accepted: deleting the line is not enough."


def variable_of(secret: Secret) -> str:
    """Return the environment variable that a secret belongs into."""
    name = secret.name.rpartition(".")[2]
    if name.isupper() and len(name) > 3:
        return name
    known = {kind.id: kind.provider for kind in catalog().kinds}.get(secret.kind)
    provider = secret.provider or known
    if provider is not None:
        return provider.variable
    return _upper(name) if name else secret.kind.upper().replace("-", "_")


def _upper(name: str) -> str:
    return "_".join(words_of(name)).upper() or "APP_SECRET"


def _a(what: str) -> str:
    return f"{'An' if what[:1] in 'AEIOUaeio' and not what.startswith('one') else 'A'} {what}"


def _kind_of_file(place: Place) -> str:
    if place.is_test:
        return "a test or example"
    if place.is_docs:
        return "the documentation"
    return "the code" if place.is_code or place.ending == "ipynb" else "the repository"
