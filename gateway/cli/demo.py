"""`briefgeheim demo`: the main job on this machine, for real; exit 1 when anything is not as it should be."""

from __future__ import annotations

import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.opening import Config, inside
from gateway.demo.stage import EXAMPLES, Stage, StageError
from gateway.demo.story import Story


def command(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End by itself instead of waiting for Ctrl-C.")] = False,
    config: Config = EXAMPLES / "gateway.yaml",
) -> None:
    """Show the main job: a gateway of its own, a recording provider, real mail, one opt-out."""
    console = Console(width=None if sys.stdout.isatty() else 150, soft_wrap=False)
    if not config.parent.joinpath("organisations").is_dir():
        console.print(f"{config.parent}: no organisations folder there; the demo needs the example settings")
        raise typer.Exit(2)
    with tempfile.TemporaryDirectory(prefix="briefgeheim-demo-") as folder:
        run = partial(inside, context.find_root().command)
        raise typer.Exit(_show(Stage(Path(folder), run, examples=config.parent), console, once=once))


def _show(stage: Stage, console: Console, *, once: bool) -> int:
    try:
        console.print("Building: settings of two organisations, keys, registries, a recording provider …")
        stage.build()
        story = Story(stage, console)
        story.people()
        stage.start()
        story.tell()
        _end(stage, console, story)
        if not once:
            console.print("\nStill running. Open the pages above; Ctrl-C ends it and removes everything.")
            _wait()
        return 1 if story.wrong else 0
    except StageError as error:
        console.print(str(error), markup=False)
        return 1
    finally:
        stage.close()


def _end(stage: Stage, console: Console, story: Story) -> None:
    console.print()
    console.rule("[bold]Where to look", align="left")
    links = {m.recipient: line for m in stage.recorder.mails if (line := _link(m.content))}
    if links:
        person, link = next(reversed(links.items()))
        console.print(f"opt-out page of {person}:", highlight=False)
        console.print(link, soft_wrap=True, highlight=False)
    console.print(f"metrics {stage.url('observe', '/metrics')}   health {stage.url('observe', '/readyz')}")
    console.print(f"settings {stage.config}\nlog      {stage.log}")
    if story.wrong:
        console.print(f"\n[red]{len(story.wrong)} not as it should be:[/red]")
        for what in story.wrong:
            console.print(f"  ✗ {what}", highlight=False)
    else:
        console.print("\n[green]Everything was as it should be.[/green]")


def _link(content: bytes) -> str:
    for line in content.split(b"\r\n"):
        if line.lower().startswith(b"list-unsubscribe: <"):
            return line.decode().partition("<")[2].rstrip("> ")
    return ""


def _wait() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
