"""The command `briefgeheim`: one file per command group, mounted here.

fails by:   exit 2 for settings and usage, 1 for what could not be done, each with one clear line on standard error
"""

from __future__ import annotations

import typer

from gateway.cli import (
    audit,
    backup,
    breach,
    check_config,
    conformance,
    demo,
    explain,
    keys,
    keys_api,
    probe,
    processing,
    purge,
    queue,
    receipt,
    registry,
    rights,
    serve,
    status,
    trace,
    trackers,
)
from gateway.cli.opening import inside

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    name="briefgeheim",
    help="Privacy gateway for outgoing mail.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.command)
app.command("demo")(demo.command)
app.command("check-config")(check_config.command)
app.command("explain")(explain.command)
app.command("trace")(trace.command)
app.command("receipt")(receipt.command)
app.command("status")(status.command)
app.command("probe")(probe.command)
app.command("purge")(purge.command)
app.command("processing-record")(processing.command)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("conformance")(conformance.command)
app.add_typer(registry.app, name="registry")
app.add_typer(rights.app, name="rights")
app.add_typer(queue.app, name="queue")
app.add_typer(audit.app, name="audit")
app.add_typer(breach.app, name="breach")
app.add_typer(trackers.app, name="trackers")
keys.app.command("api")(keys_api.api)
keys.app.command("webhook")(keys_api.webhook)
app.add_typer(keys.app, name="keys")


def run(arguments: list[str]) -> int:
    """One command in this process; gives its exit code."""
    return inside(typer.main.get_command(app), arguments)


def main() -> None:
    """Entry point."""
    app()
