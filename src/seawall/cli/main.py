"""The `seawall` command: every group of commands, each imported when it is used."""

from typing import Annotated

import typer

from seawall import __version__
from seawall.cli import (
    advise,
    alerts,
    backup,
    cache,
    check,
    doctor,
    estimate,
    facts,
    feedback,
    guard,
    init,
    jobs,
    keys,
    migrate_store,
    prices,
    prove_budget,
    restore,
    route,
    serve,
    simulate,
    stage,
    tasks,
    tokens,
    usage,
    users,
    webhooks,
    why,
    worker,
)

app = typer.Typer(
    name="seawall",
    help="The defence layer between your AI app and the model providers it pays.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("init")(init.init)
app.add_typer(keys.app, name="keys")
app.add_typer(users.app, name="users")
app.command("usage")(usage.usage)
app.add_typer(prices.app, name="prices")
app.command("estimate")(estimate.estimate)
app.command("tokens")(tokens.tokens)
app.add_typer(feedback.app, name="feedback")
app.add_typer(cache.app, name="cache")
app.add_typer(alerts.app, name="alerts")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(jobs.app, name="jobs")
app.add_typer(guard.app, name="guard")
app.add_typer(tasks.app, name="tasks")
app.command("advise")(advise.advise)
app.command("why")(why.why)
app.command("route")(route.route)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("migrate-store")(migrate_store.migrate_store)
app.add_typer(stage.app, name="stage")
app.add_typer(facts.app, name="facts")
app.command("prove-budget")(prove_budget.prove_budget)
app.command("simulate")(simulate.simulate)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"seawall {__version__}")
        raise typer.Exit


@app.command(
    "check",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help=check.SUMMARY,
)
def _check(context: typer.Context) -> None:
    raise typer.Exit(check.run(context.args))  # It reads its options itself: see there.


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The defence layer between your AI app and the model providers it pays."""


def main() -> None:
    """Run the command line."""
    app()
