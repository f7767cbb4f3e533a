"""Puts tasks together, from the settings: where targets are, who delivers, who makes tasks in time."""

from seawall.core.contracts import Gateway
from seawall.core.running import RunningJobs
from seawall.core.tasks import TaskTarget
from seawall.jobs.delivering import ANSWER_BYTES_MAX, Delivering
from seawall.jobs.scheduling import Scheduling
from seawall.jobs.webhook import Webhook, read_secret
from seawall.settings import Settings, SettingsError
from seawall.settings.credentials import secret_variable


def targets_of(settings: Settings) -> dict[str, TaskTarget]:
    """Return the targets of tasks by their names."""
    return {name: stated.target(name, settings.time_zone) for name, stated in settings.tasks.items()}


def webhook_of(settings: Settings, name: str) -> Webhook:
    """Return where a target is; raises SettingsError where its secret is missing."""
    stated, variable = settings.tasks[name], secret_variable("tasks", name)
    try:
        secret = read_secret(settings.environment.get(variable) or "")
    except ValueError:
        raise SettingsError(
            f"tasks.{name} is a target, but {variable} holds no secret to sign with: make one with"
            f" `seawall tasks secret {name}`, put it into the environment or .env, and give it to the target"
            " too."
        ) from None
    return Webhook(
        stated.url,
        secret,
        stated.allow_private,
        timeout_s=stated.timeout_s,
        setting=f"tasks.{name}.allow_private",
        answer_bytes_max=ANSWER_BYTES_MAX,
    )


def delivering_of(settings: Settings, gateway: Gateway, running: RunningJobs) -> Delivering:
    """Return what delivers tasks; raises SettingsError where a secret is missing."""
    targets = targets_of(settings)
    webhooks = {name: (target, webhook_of(settings, name)) for name, target in targets.items()}
    return Delivering(webhooks, gateway, running)


def scheduling_of(settings: Settings, gateway: Gateway) -> Scheduling:
    """Return what makes the tasks of schedules."""
    return Scheduling(targets_of(settings), gateway)
