"""`briefgeheim audit …`: prove that nothing in the audit was changed, sign how far it has come, look into it.

what:       verify, checkpoint, show
takes→gives: the settings, shards of the spool, the audit key → lines or JSON
knows not:  addresses
fails by:   exit 2 for settings and usage, 1 for an audit that is not whole or cannot be read
standard:   L-07; I-7, I-11
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import checkpoints
from gateway.audit.checkpoints import AuditKeys, Checkpoint, CheckpointDamaged, Checkpoints, read
from gateway.audit.proof import Proof, verify
from gateway.audit.protocol import AuditRow, AuditUnavailable
from gateway.audit.reading import AuditReader
from gateway.audit.retention import class_of
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.cli.registry_house import when
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.rights.breach import moment
from gateway.spool.shards import present

app = typer.Typer(help="The audit: prove it, sign it, look into it.", no_args_is_help=True)

Since = Annotated[str, typer.Option("--since", help="Day or moment, ISO 8601 (UTC), as 2026-11-01.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document per line.")]
_SHOWN = 20  # problems shown per shard
_SHORT = 6  # octets of a pseudonym that are shown


@app.command("verify")
def verify_(
    config: Config = DEFAULT_CONFIG,
    since: Since = "",
    against: Annotated[
        Path | None, typer.Option("--against", help="Checkpoints kept elsewhere, as `audit checkpoint` wrote them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the chain of every shard and hold it against the signed checkpoints. Exit 1 when anything does not fit."""
    gateway = settings(config).gateway
    keys, whole = _keys(gateway), True
    kept = _kept(against)
    for database in _databases(gateway, kept):
        with _trouble():
            proof = verify(
                database,
                keys.public,
                elsewhere=kept,
                since=_moment(since) if since else None,
                progress=_progress(database),
            )
        whole = whole and proof.whole
        for line in _proof_json(proof) if as_json else _proof_text(proof):
            print(line)
    if not whole:
        raise typer.Exit(1)


@app.command("checkpoint")
def checkpoint(
    out: Annotated[Path, typer.Option("--out", help="File to append to; keep it on another machine.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Sign the end of every shard now, and append the newest checkpoint of each to a file to be kept elsewhere."""
    gateway = settings(config).gateway
    keys = _keys(gateway)
    databases = [shard.database for shard in present(gateway.state / "spool")]
    with _trouble():
        checkpoints.sign(databases, keys, time.time(), at_once=True)
        newest = [found for database in databases if (found := Checkpoints.beside(database).newest()) is not None]
        with out.open("a", encoding="utf-8") as file:
            file.writelines(f"{found.line()}\n" for found in newest)
    for found in newest:
        print(f"{found.shard}: row {found.number}, signed {when(int(found.at))}")


@app.command("show")
def show(
    config: Config = DEFAULT_CONFIG,
    message: Annotated[str, typer.Option("--message", help="Only rows about this message.")] = "",
    data_class: Annotated[str, typer.Option("--class", help="Only this class: audit, bounces or acts.")] = "",
    what: Annotated[str, typer.Option("--what", help="Only this kind of row, as held, delivered, purged.")] = "",
    since: Since = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many rows, the newest.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show rows, oldest first. Shows no address; people are shortened pseudonyms. `trace` finds one person's rows."""
    gateway = settings(config).gateway
    reader = AuditReader([shard.database for shard in present(gateway.state / "spool")])
    first = _moment(since) if since else 0.0

    def wanted(row: AuditRow) -> bool:
        fits = (not data_class or class_of(row.what) == data_class) and (not what or row.what == what)
        return fits and row.at >= first

    with _trouble():
        rows = reader.by_message(message) if message else reader.rows(first)
        newest = heapq.nlargest(limit, filter(wanted, rows), key=lambda row: row.at)
    for row in reversed(newest):
        print(_row_json(row) if as_json else _row_text(row))


def _databases(gateway: Gateway, kept: list[Checkpoint]) -> list[Path]:
    """Shards that are there, and those that only checkpoints still speak of."""
    folder = gateway.state / "spool"
    found = {shard.database for shard in present(folder)}
    found |= {file.with_suffix(".sqlite") for file in folder.glob("shard-*.checkpoints")}
    found |= {folder / f"{c.shard}.sqlite" for c in kept if c.shard.startswith("shard-") and "/" not in c.shard}
    return sorted(found)


def _keys(gateway: Gateway) -> AuditKeys:
    try:
        return AuditKeys(Credentials.of(gateway).audit_keys())
    except CredentialsError as error:
        wrong(*error.errors)


def _kept(against: Path | None) -> list[Checkpoint]:
    if against is None:
        return []
    try:
        return read(against.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError, CheckpointDamaged) as error:
        wrong(f"--against {against}: {error}")


def _moment(text: str) -> float:
    try:
        return moment(text)
    except ValueError:
        wrong(f"--since: {text!r}, expected ISO 8601, as 2026-11-01 or 2026-11-01T08:30")


def _progress(database: Path) -> Callable[[int], None]:
    shown = sys.stderr.isatty()

    def say(rows: int) -> None:
        if shown:
            sys.stderr.write(f"\r{database.stem}: {rows} rows")

    return say


def _proof_text(proof: Proof) -> Iterator[str]:
    said = "whole" if proof.whole else f"NOT WHOLE, {proof.found} problems"
    yield f"{proof.shard}: {said}; rows {proof.first} to {proof.last}, {proof.erased} of them purged or erased"
    if proof.signed:
        since = f"; {proof.last - proof.signed} rows since" if proof.last > proof.signed else ""
        yield f"  signed up to row {proof.signed} at {when(int(proof.signed_at))}{since}"
    else:
        yield "  no checkpoint: rows cut off at the end would not show"
    for problem in proof.problems[:_SHOWN]:
        yield f"  row {problem.row}: {problem.what}" if problem.row else f"  {problem.what}"
    if proof.found > _SHOWN:
        yield f"  and {proof.found - _SHOWN} more"


def _proof_json(proof: Proof) -> Iterator[str]:
    yield json.dumps(
        {
            "shard": proof.shard, "whole": proof.whole, "first": proof.first, "last": proof.last, "rows": proof.rows,
            "erased": proof.erased, "checkpoints": proof.checkpoints, "signed": proof.signed,
            "signed_at": proof.signed_at, "found": proof.found,
            "problems": [{"row": p.row, "what": p.what} for p in proof.problems],
        }
    )  # fmt: skip


def _row_json(row: AuditRow) -> str:
    head = {"at": row.at, "organisation": row.organisation, "message": row.message, "what": row.what}
    return json.dumps({**head, "person": row.pseudonym[:_SHORT].hex(), "detail": dict(row.detail)}, ensure_ascii=False)


def _row_text(row: AuditRow) -> str:
    person = f"  person {row.pseudonym[:_SHORT].hex()}" if row.pseudonym else ""
    shown = {k: v for k, v in row.detail.items() if k not in ("tried", "edits", "outcomes") and v not in ("", None)}
    detail = ", ".join(f"{name} {value}" for name, value in shown.items())
    return (
        f"{when(int(row.at))}  {row.organisation}  {row.message or '-'}  {row.what.upper()}{person}  {detail}".rstrip()
    )


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except (AuditUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
