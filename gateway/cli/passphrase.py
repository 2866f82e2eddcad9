"""Asking for the passphrase of a key escrow, in a way that leaves it in no process list and no history.

takes→gives: a file or the terminal → the passphrase
fails by:   exit 2 where there is none or it is too short
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.backup.escrow import SHORTEST
from gateway.cli.opening import wrong

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="Its first line is the passphrase; default: asked for.")
]


def passphrase(file: Path | None, *, new: bool) -> str:
    """From the file, the terminal, or the first line of standard input; `new` asks twice."""
    try:
        found = _read(file, new=new)
    except OSError as error:
        wrong(f"--passphrase-file {file}: {error.strerror}")
    if len(found) < SHORTEST:
        wrong(f"passphrase: expected at least {SHORTEST} characters; six words from a list are easy to keep")
    return found


def _read(file: Path | None, *, new: bool) -> str:
    if file is not None:
        return (file.read_text("utf-8").splitlines() or [""])[0].strip()
    if sys.stdin.isatty():
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new))
    return sys.stdin.readline().rstrip("\r\n")
