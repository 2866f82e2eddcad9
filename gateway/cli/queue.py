"""`briefgeheim queue`: what waits, why, and a named operator's hold, release, retry or drop.

what:       list, show, hold, release, retry, drop; a running gateway carries orders out, else this command does
takes→gives: the settings, the spool's shards → lines or JSON; orders in the spool
knows not:  message content; addresses, but with --reveal
fails by:   exit 2 for settings and usage, 1 for what could not be done, each with one line on standard error
standard:   S-40, I-7, I-11; docs/queue.md
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.audit.sqlite import AuditWriter
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config.credentials import Credentials, CredentialsError
from gateway.config.gateway import Gateway
from gateway.spool.disk import ShardTaken
from gateway.spool.orders import Act, Order
from gateway.spool.outside import Outside, Placed
from gateway.spool.protocol import EntryBroken, EntryGone, SpoolUnavailable, State
from gateway.spool.sqlite import SQLiteSpool

app = typer.Typer(help="Look at queued mail, and hold, release, retry or drop it.", no_args_is_help=True)

Message = Annotated[str, typer.Argument(help="Message id, as `queue list` and the 250 reply show it.")]
Row = Annotated[int | None, typer.Option("--row", help="Only this row; default all rows of the message.")]
Operator = Annotated[str, typer.Option("--operator", help="Who does this. Goes into the audit.")]
Reason = Annotated[str, typer.Option("--reason", help="Why. Goes into the audit; no address in it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document per row.")]

_PATIENCE = 60.0  # seconds a running gateway gets to carry an order out; it looks every second
_LOOK = 0.05
_SHORT = 6  # octets of a pseudonym that are shown


@app.command("list")
def list_rows(
    config: Config = DEFAULT_CONFIG,
    state: Annotated[State | None, typer.Option(help="Only rows in this state.")] = None,
    organisation: Annotated[str | None, typer.Option(help="Only this organisation.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List rows, oldest message first. Shows no address."""
    with _Trouble():
        placed = Outside(_folder(settings(config).gateway)).entries(state=state, organisation=organisation, limit=limit)
    _print(placed, as_json=as_json)


@app.command()
def show(
    message: Message,
    config: Config = DEFAULT_CONFIG,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show addresses; needs --operator and --reason.")] = False,
    operator: Operator = "",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Show one message's rows: states, reasons, attempts. Addresses only with --reveal, which is audited first."""
    gateway = settings(config).gateway
    with _Trouble():
        outside, placed = _find(gateway, message, None)
        revealed: dict[tuple[int, int], str] = {}
        if reveal:
            keys = _keys(gateway)
            _order(gateway, outside, placed, _written(operator, reason, Act.READ, message, None), must=True)
            revealed = {(p.shard, p.entry.row): _address(outside, p, keys) for p in placed}
    _print(placed, as_json=as_json, revealed=revealed)


@app.command()
def hold(
    message: Message,
    operator: Operator,
    reason: Reason,
    config: Config = DEFAULT_CONFIG,
    row: Row = None,
    days: Annotated[float, typer.Option(min=0.01, help="After so many days it fails, and the sender is told.")] = 5.0,
) -> None:
    """Keep queued mail from leaving until it is released."""
    _act(config, message, row, operator, reason, Act.HOLD, until=time.time() + days * 86400)


@app.command()
def release(
    message: Message, operator: Operator, reason: Reason, config: Config = DEFAULT_CONFIG, row: Row = None
) -> None:
    """Let held mail go. It is decided again before it leaves: a block stays a block."""
    _act(config, message, row, operator, reason, Act.RELEASE)


@app.command()
def retry(
    message: Message, operator: Operator, reason: Reason, config: Config = DEFAULT_CONFIG, row: Row = None
) -> None:
    """Try queued mail now; look at undecided or quarantined mail again now."""
    _act(config, message, row, operator, reason, Act.RETRY)


@app.command()
def drop(
    message: Message, operator: Operator, reason: Reason, config: Config = DEFAULT_CONFIG, row: Row = None
) -> None:
    """Give mail up for good. Nobody is told but the audit."""
    _act(config, message, row, operator, reason, Act.DROP)


def _act(config: Path, message: str, row: int | None, operator: str, reason: str, act: Act, until: float = 0.0) -> None:
    order = replace(_written(operator, reason, act, message, row), until=until)
    gateway = settings(config).gateway
    with _Trouble():
        outside, placed = _find(gateway, message, row)
        done = _order(gateway, outside, placed, order)
        after = outside.entries(message=message)
    if not done:
        print("written down; the gateway has not carried it out yet")
    elif not after:
        print(f"message {message} is done: nothing of it is left in the queue")
    _print([p for p in after if row is None or p.entry.row == row])


def _written(operator: str, reason: str, act: Act, message: str, row: int | None) -> Order:
    try:
        return Order(time.time(), operator, reason, act, message, row)
    except ValueError as error:
        wrong(f"--{error}")


def _find(gateway: Gateway, message: str, row: int | None) -> tuple[Outside, list[Placed]]:
    outside = Outside(_folder(gateway))
    placed = outside.entries(message=message, limit=-1)
    if not placed:
        _failed(f"message {message} is not in the queue; `briefgeheim trace` knows mail that is done")
    found = [p for p in placed if row is None or p.entry.row == row]
    if not found:
        _failed(f"message {message} has no row {row}")
    return outside, found


def _order(gateway: Gateway, outside: Outside, placed: Sequence[Placed], order: Order, *, must: bool = False) -> bool:
    """Write the order down in each shard that has the message, see it carried out; False when it waits.

    `must`: an order that nobody carries out is withdrawn, and the command fails.
    """
    for shard in sorted({p.shard for p in placed}):
        number = outside.place(shard, order)
        if _carried_out(gateway, outside, shard, number):
            continue
        if not must:
            return False
        if outside.withdraw(shard, number):
            _failed("the gateway did not record this in time, so nothing is shown; try again")
    return True


def _carried_out(gateway: Gateway, outside: Outside, shard: int, number: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while outside.waits(shard, number):
        if _alone(gateway, shard):
            continue
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True


def _alone(gateway: Gateway, shard: int) -> bool:
    """Carry out the shard's orders ourselves; False when a gateway owns it and will."""
    try:
        asyncio.run(_as_owner(gateway, shard))
    except ShardTaken:
        return False
    return True


async def _as_owner(gateway: Gateway, shard: int) -> None:
    spool = SQLiteSpool(_folder(gateway), shard, _keys(gateway), AuditWriter())
    try:
        for order in await spool.take_orders():
            await spool.carry_out(order, time.time())
    finally:
        await spool.close()


def _folder(gateway: Gateway) -> Path:
    return gateway.state / "spool"


def _keys(gateway: Gateway) -> dict[int, bytes]:
    try:
        return Credentials.of(gateway).spool_keys()
    except CredentialsError as error:
        wrong(*error.errors)


def _address(outside: Outside, placed: Placed, keys: dict[int, bytes]) -> str:
    try:
        return str(outside.unseal(placed.shard, placed.entry, keys).get("address", ""))
    except EntryGone:
        return "(final)"
    except EntryBroken as error:
        return f"({error})"


def _print(
    placed: Sequence[Placed], *, as_json: bool = False, revealed: dict[tuple[int, int], str] | None = None
) -> None:
    for line in _lines(placed, as_json=as_json, revealed=revealed or {}):
        print(line)


def _lines(placed: Sequence[Placed], *, as_json: bool, revealed: dict[tuple[int, int], str]) -> Iterator[str]:
    now = time.time()
    for p in placed:
        entry, address = p.entry, revealed.get((p.shard, p.entry.row))
        person = entry.person_exact[:_SHORT].hex()
        if as_json:
            yield json.dumps(
                {
                    "message": entry.message, "row": entry.row, "shard": p.shard, "organisation": entry.organisation,
                    "client": entry.client, "stream": entry.stream, "state": entry.state.value,
                    "received": entry.received, "person": person, "provider": entry.provider,
                    "variant": entry.variant, "attempts": entry.attempts, "due": entry.due, "until": entry.until,
                    "reason": entry.reason, **({} if address is None else {"address": address}),
                }
            )  # fmt: skip
        else:
            when = f" until {_stamp(entry.until)}" if entry.until else f" due {_stamp(entry.due)}"
            yield (
                f"{entry.message} row {entry.row}  {entry.organisation}/{entry.stream}  {entry.state}{when}"
                f"  age {_span(now - entry.received)}  attempts {entry.attempts}  via {entry.provider or '-'}"
                f"  person {person}" + (f"  {address}" if address is not None else "")
            )
            if entry.reason:
                yield f"    {entry.reason}"


def _stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.1f}{unit}"
    return f"{max(0, int(seconds))}s"


def _failed(line: str) -> NoReturn:
    sys.stderr.write(line + "\n")
    raise typer.Exit(1)


class _Trouble:
    """Trouble with the spool ends the command with one line and exit 1."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SpoolUnavailable):
            _failed(str(error))
