"""`docs/cli.md`, written from the commands themselves, so that page and program cannot differ.

what:       every command with its arguments and options: type, default, meaning
takes→gives: the command line's own description → Markdown; `python -m gateway.cli.reference` prints it
knows not:  what commands do
fails by:   `ValueError` for a type that has no words yet
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import typer

from gateway.cli import app

_HEAD = """# Commands

Made by `python -m gateway.cli.reference`; a test compares this page with the program.

`python -m gateway` is the same as `briefgeheim`. Exit codes: 0 done; 1 could not be done; 2 settings or usage are
wrong, which systemd does not restart. Errors are single lines on standard error.
"""

_HERE = Path(__file__).parents[2]
_WORDS: dict[Any, str] = {str: "text", int: "number", float: "number", Path: "path"}


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for name, command in commands() for line in _section(name, command))])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, in the order of `--help`; groups before what is in them."""
    yield from _below("briefgeheim", typer.main.get_command(app))


def _below(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    for inner, command in group.commands.items():
        yield f"{name} {inner}", command
        if hasattr(command, "commands"):
            yield from _below(f"{name} {inner}", command)


def _section(name: str, command: Any) -> Iterator[str]:
    yield f"{'##' if name.count(' ') == 1 else '###'} {name}\n"
    yield _text(command.help) + "\n"
    if not command.params:
        return
    yield "| | type | default | meaning |"
    yield "|---|---|---|---|"
    for item in command.params:
        names = ", ".join(f"`{_shown(item, name)}`" for name in (*item.opts, *item.secondary_opts))
        yield f"| {names} | {_type(item)} | {_default(item)} | {_text(item.help)} |"
    yield ""


def _shown(item: Any, name: str) -> str:
    return name if name.startswith("-") else name.upper()


def _type(item: Any) -> str:
    annotation, several = _one(item.type_descriptor.annotation)
    if getattr(item, "is_flag", False):
        return "–"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        words = " / ".join(f"`{choice.value}`" for choice in annotation)
    elif annotation in _WORDS:
        words = _WORDS[annotation]
    else:
        raise ValueError(f"no words for {annotation!r} in the commands' reference")
    return f"{words}, several" if several else words


def _one(annotation: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there may be several."""
    if get_origin(annotation) is list:
        return get_args(annotation)[0], True
    inner = [a for a in get_args(annotation) if a is not NoneType]
    return (_one(inner[0]) if len(inner) == 1 else (annotation, False)) if inner else (annotation, False)


def _default(item: Any) -> str:
    value = item.default
    if item.required:
        return "**needed**"
    if value in (None, "", False):
        return "–"
    if isinstance(value, Path) and value.is_relative_to(_HERE):
        return f"`{value.relative_to(_HERE)}`"  # the examples beside the program
    return f"`{value}`"


def _text(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
