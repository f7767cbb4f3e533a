"""Puts the figures of one gateway together: what is counted, where the rest is read, who shares it."""

from collections.abc import Callable
from typing import Protocol

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.histograms import Commits
from seawall.providers.router import ModelRouter
from seawall.server.metrics.gauges import Parts
from seawall.server.metrics.metrics import Metrics
from seawall.server.metrics.recorder import Recorder
from seawall.server.metrics.sharing import Sharing
from seawall.settings import Settings

FOLDER = "metrics"

Tell = Callable[[Call, float], None]


class Measured(Protocol):
    """What every store tells of its writer."""

    commits: Commits

    def open_holds(self) -> int:
        """Return how many holds of this process are on disk."""


def recorder_of(router: ModelRouter) -> Recorder:
    """Return what counts calls; models that no provider is known to serve share one label."""
    return Recorder(router.names())


def telling(*tellers: Tell) -> Tell:
    """Return what tells several of each call."""

    def tell(call: Call, now: float) -> None:
        for each in tellers:
            each(call, now)

    return tell


def parts_of(settings: Settings, store: Measured, router: ModelRouter, running: Callable[[], int]) -> Parts:
    """Say where the figures are read that the contracts do not tell."""
    return Parts(
        commits=store.commits,
        open_holds=store.open_holds,
        provider_states=router.accounts,
        running=running,
        budget=settings.global_budget(),
    )


def metrics_of(
    settings: Settings, gateway: Gateway, recorder: Recorder, parts: Parts, worker: int | None = None
) -> Metrics:
    """Return what answers scrapes; `worker` is the number of this process where several share a machine."""
    if worker is None:
        return Metrics(gateway, recorder, parts)
    sharing = Sharing(settings.data_dir / FOLDER, worker)
    return Metrics(gateway, recorder, parts, worker=str(worker), sharing=sharing)
