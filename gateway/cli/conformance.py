"""`briefgeheim conformance`: what an organisation promised, what makes it true here, and what it counted so far.

what:       the rows of `promises/ORGANISATION.yaml` beside the settings, with numbers of the running gateway
takes→gives: settings, promises, /metrics → a table for people, or JSON
knows not:  how a rule decides
fails by:   exit 2 for settings; exit 1 when a promise cannot be kept as set up here
standard:   GDPR 5(2), 24; S-38
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.config.load import Loaded, SettingsError
from gateway.config.organisation import Organisation
from gateway.config.promises import Promise, Promises, load_promises
from gateway.observe.reading import Samples, read_samples

_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """One row as it is shown: `counts` by metric, None where nothing runs to be asked."""

    promise: Promise
    counts: Mapping[str, float] | None


def command(
    organisation: Annotated[str, typer.Option("--organisation", help="Name of the organisation.")],
    config: Config = DEFAULT_CONFIG,
    file: Annotated[
        Path | None, typer.Option("--promises", help="The policy's rows; default promises/ORGANISATION.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print each promise of the published policy, what makes it true, and what the running gateway counted for it."""
    loaded = settings(config)
    found = next((o for o in loaded.organisations if o.name == organisation), None)
    if found is None:
        wrong(f"--organisation: expected one of {', '.join(o.name for o in loaded.organisations)}")
    promises = _promises(file or config.parent / "promises" / f"{organisation}.yaml", organisation)
    samples = _running(loaded)
    rows = [Shown(p, counted(p, organisation, samples)) for p in promises.promises]
    notes = [*_policy_notes(found, promises), *([] if samples else ["The gateway does not run: no counts."])]
    print(_json(found, rows, notes)) if as_json else _table(found, rows, notes)


def counted(promise: Promise, organisation: str, samples: Samples | None) -> dict[str, float] | None:
    """The sum of each metric of this promise, for this organisation; None where there are no samples."""
    if samples is None:
        return None
    return {metric: samples.total(metric, organisation, labels) for metric, labels in promise.counts.items()}


def _promises(path: Path, organisation: str) -> Promises:
    try:
        promises = load_promises(path)
    except SettingsError as error:
        wrong(*error.errors)
    if promises.organisation != organisation:
        wrong(f"{path}: organisation: {promises.organisation}, expected {organisation}")
    return promises


def _running(loaded: Loaded) -> Samples | None:
    """The metrics of the gateway that runs from these settings, or None."""
    try:
        ports = json.loads((loaded.gateway.state / "listening.json").read_text("utf-8"))
        address, port = ports["observe"]
        with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=_WAIT) as answer:
            return read_samples(answer.read().decode())
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return None


def _policy_notes(organisation: Organisation, promises: Promises) -> Iterable[str]:
    """S-38: the page with its date is what counts, so a difference must show."""
    stored, read = organisation.controller.policy_date, promises.policy_date
    days = (date.fromtimestamp(time.time()) - stored).days
    yield f"Policy of {stored.isoformat()} ({days} days old): {organisation.controller.policy_url}"
    if read != stored:
        yield f"These rows were read from the policy of {read.isoformat()}: compare them with the page."


def _json(organisation: Organisation, rows: Iterable[Shown], notes: Iterable[str]) -> str:
    shown = [{**row.promise.model_dump(mode="json"), "counted": row.counts} for row in rows]
    return json.dumps({"organisation": organisation.name, "notes": list(notes), "promises": shown}, ensure_ascii=False)


def _table(organisation: Organisation, rows: Iterable[Shown], notes: Iterable[str]) -> None:
    table = Table(title=f"{organisation.controller.name}: what the policy promises", show_lines=True)
    for name in ("row", "promise", "what makes it true", "status", "counted"):
        table.add_column(name, overflow="fold")
    for row in rows:
        promise = row.promise
        table.add_row(promise.id, promise.promise, promise.rule, _status(promise), _counts(row.counts))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(table)
    for note in notes:
        console.print(note, soft_wrap=True, markup=False)


def _status(promise: Promise) -> str:
    return f"{promise.status}: {promise.why}" if promise.why else promise.status


def _counts(counts: Mapping[str, float] | None) -> str:
    if not counts:
        return ""
    return "\n".join(f"{metric.removeprefix('briefgeheim_')} {value:g}" for metric, value in counts.items())
