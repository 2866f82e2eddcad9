"""`briefgeheim registry attest`: a named operator vouches for an existing list.

what:       options → what is vouched for; the list's rows as consents of grade "attested"
takes→gives: a CSV list → counts as JSON on standard output
knows not:  CSV, events, SQL
fails by:   exit 2 for a file or option that is wrong, 1 when rows were wrong or the registry is away
standard:   S-03, L-09, I-10 (an attested consent lifts no block)
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.registry_house import House, Operator, OrganisationName, Reason, house_of, named, run, trouble
from gateway.cli.registry_import import DelimiterName, DryRun, EncodingName, Errors, carry_in, dialect, done
from gateway.registry import importing, matching
from gateway.registry.attesting import Attestation, attestation, digest_of
from gateway.registry.protocol import Act
from gateway.registry.rows import Dialect
from gateway.registry.scopes import scope_text


def command(
    file: Annotated[Path, typer.Argument(help="CSV list with a column of addresses.", exists=True)],
    organisation: OrganisationName,
    operator: Operator,
    reason: Reason,
    form: Annotated[str, typer.Option("--form", help="The sign-up form these people filled in.")],
    period: Annotated[str, typer.Option("--period", help="When they did: FROM..TO, as 2018-05-25..2023-12-31.")],
    wording: Annotated[str, typer.Option("--wording", help="Version of the text they agreed to.")],
    scope: Annotated[str, typer.Option("--scope", help="What they agreed to, as list:NAME.")],
    config: Config = DEFAULT_CONFIG,
    column: Annotated[str, typer.Option("--column", help="Column of the addresses; default: by its name.")] = "",
    encoding: EncodingName = "",
    delimiter: DelimiterName = "",
    dry_run: DryRun = False,
    errors: Errors = None,
) -> None:
    """Vouch for an existing list: its rows become consents of grade "attested". Blocks stay, whoever vouches."""
    house = house_of(config, organisation)
    named(operator, reason)
    now, written = int(time.time()), dialect(encoding, delimiter)
    digest = _digest(file)
    try:
        vouched = attestation(
            house.organisation,
            operator=operator,
            form=form,
            period=period,
            wording=wording,
            scope=scope,
            digest=digest,
            now=now,
        )
    except ValueError as error:
        wrong(f"registry attest: {error}")
    terms = importing.Terms(
        house.organisation,
        house.pseudonyms,
        file.stem,
        now,
        mapping=vouched.mapping(_column(house, file, written, column), written, house.organisation),
        actor=vouched.evidence.actor,
    )
    if not dry_run:
        _note(house, vouched, Act(now, operator, reason, "attest"))
    summary = carry_in(house, file, terms, dry_run=dry_run, errors=errors)
    if _digest(file) != digest:
        sys.stderr.write(f"{file}: changed while it was read; attest it again\n")
        raise typer.Exit(1)
    done(file, summary, {"dry_run": dry_run, "sha256": digest})


def _digest(file: Path) -> str:
    with trouble(), file.open("rb") as stream:
        return digest_of(stream)


def _column(house: House, file: Path, written: Dialect, column: str) -> str:
    with trouble(), file.open("rb") as stream:
        return matching.open_list(stream, written, column, house.pseudonyms).column


def _note(house: House, vouched: Attestation, act: Act) -> None:
    """The act says which list and what for; it is there before the first row."""
    about = f"attest {vouched.evidence.proof} wording {vouched.wording} {scope_text(vouched.scope, house.organisation)}"
    noted = Act(act.at, act.operator, act.reason, about)
    run(house, lambda registry: registry.act(noted, None))
