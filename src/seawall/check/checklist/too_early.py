"""What is there and not needed yet: machinery for more users than the stage has. Notes, never errors."""

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources

from msgspec import Struct, convert

from seawall.check.checklist.survey import Spot, Survey
from seawall.check.findings import Confidence, Finding, Severity
from seawall.core.stages import Stage

RULE = "too-early"
SERVICES_MAX = 4
DOCKERFILES_MAX = 3

_COMPOSE = r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$"
_CLUSTER = r"resource\s+\"(?:aws_eks|google_container|azurerm_kubernetes|digitalocean_kubernetes)_cluster\""
_WORKLOAD = r"^kind:\s*(?:Deployment|StatefulSet|Ingress|DaemonSet|HorizontalPodAutoscaler)\b"


class Machinery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something heavy: until when it is too early, when it is right, what does instead, how it is seen.

    `files` is a shape of paths; `lines` are pairs of a shape of paths and one of a line in them; `packages`
    are names of packages; `special` names a function of this file.
    """

    name: str
    until: Stage
    right_when: str
    instead: str
    files: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    special: str = ""


def too_early(survey: Survey, stage: Stage) -> Iterator[Finding]:
    """Yield a note for each thing that a stage does not need, with the threshold at which it is right."""
    stages = tuple(Stage)
    for each in machinery():
        spot = _seen(each, survey) if stages.index(stage) <= stages.index(each.until) else None
        if spot is not None:
            yield Finding(
                rule=RULE,
                path=spot.path,
                line=spot.line,
                severity=Severity.NOTE,
                confidence=Confidence.MEDIUM,
                message=f"{each.name} at stage {stage}: it becomes right with {each.right_when}.",
                evidence=spot.what,
                fix=f"Until then: {each.instead}.",
            )


@cache
def machinery() -> tuple[Machinery, ...]:
    """Return what can be too early; the thresholds are rules of thumb that an app's own numbers override."""
    text = resources.files("seawall.check.checklist").joinpath("machinery.toml").read_text("utf-8")
    return convert(tomllib.loads(text)["machinery"], tuple[Machinery, ...])


def _seen(thing: Machinery, survey: Survey) -> Spot | None:
    if thing.special:
        spot = SPECIAL[thing.special](survey)
        if spot is not None:
            return spot
    paths = survey.own(thing.files) if thing.files else []
    if paths:
        return Spot(paths[0], 1)
    for where, shape in thing.lines:
        spot = survey.search(survey.own(_COMPOSE if where == "compose" else where), shape)
        if spot is not None:
            return spot
    package = survey.depends(*thing.packages) if thing.packages else None
    return None if package is None else Spot(package.path, package.line, package.name)


def _kubernetes(survey: Survey) -> Spot | None:
    for path in survey.own(r"\.ya?ml$"):
        if re.search(r"^apiVersion:", survey.text(path), re.MULTILINE):
            spot = survey.search([path], _WORKLOAD)
            if spot is not None:
                return spot
    return survey.search(survey.own(r"\.tf$"), _CLUSTER)


def _many_services(survey: Survey) -> Spot | None:
    """Count the services of a compose file that are built from the app's own code."""
    for path in survey.own(_COMPOSE):
        built = [
            number
            for number, line in enumerate(survey.text(path).splitlines(), 1)
            if re.match(r"\s+build:", line)
        ]
        if len(built) > SERVICES_MAX:
            return Spot(path, built[SERVICES_MAX], f"{len(built)} services of your own")
    dockerfiles = survey.own(r"(?:^|/)Dockerfile$")
    folders = {path.rpartition("/")[0] for path in dockerfiles}
    if len(folders) > DOCKERFILES_MAX:
        return Spot(min(dockerfiles), 1, f"{len(folders)} folders with a Dockerfile of their own")
    return None


def _celery(survey: Survey) -> Spot | None:
    places = survey.touched + survey.own(r"(?:^|/)(?:celery\w*|tasks|worker)\.py$")
    return survey.search(places, r"\bCelery\(")


SPECIAL: dict[str, Callable[[Survey], Spot | None]] = {
    "kubernetes": _kubernetes,
    "services": _many_services,
    "celery": _celery,
}
"""What `special` in machinery.toml can name."""
