"""`briefgeheim rights …`: requests of people, from the day they come in to the reply that closes them.

what:       list, show, open, verify, note, extend, complete, announce, lift, withdraw, close, told, resend, register,
            due
takes→gives: options → lines on standard output; texts come from a file or standard input
knows not:  what a right does, terms, how mail leaves
fails by:   exit 2 for settings and usage, 1 for what could not be done, with one line on standard error
standard:   S-28..S-36, S-57, S-59, S-62, S-63, S-66; GDPR 12, 15-21; I-7 (no address but in `show --reveal`)
"""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from gateway.cases.protocol import Case, CaseKind, Channel, Outcome
from gateway.cli import rights_export
from gateway.cli import rights_show as show_
from gateway.cli.opening import DEFAULT_CONFIG, Config, wrong
from gateway.cli.rights_house import (
    Number,
    Operator,
    OrganisationName,
    Reason,
    TextFile,
    house_of,
    run,
    text_of,
    trouble,
)
from gateway.registry.protocol import Act
from gateway.rights import deadlines
from gateway.rights.desk import Desk, Request
from gateway.rights.protocol import Choices, Completion
from gateway.rights.standing import standing

app = typer.Typer(help="Requests of people: enter, carry out, answer, within the term.", no_args_is_help=True)
app.command("export")(rights_export.command)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
By = Annotated[Channel, typer.Option("--by", help="How the answer goes; anything but e-mail ends the case at once.")]
Kind = Annotated[CaseKind, typer.Option("--kind", help="What is asked for.")]
Received = Annotated[str, typer.Option("--received", help="Day it really came in, as 2026-11-22; default: today.")]


@app.command("list")
def list_(
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    closed: Annotated[bool, typer.Option("--closed", help="Those that ended, instead of the open ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open requests, overdue first. No address, no name."""
    house = house_of(config, organisation)
    found = run(house, lambda desk: desk.store.cases(closed=closed))
    today = deadlines.day_of(time.time(), house.organisation.time_zone)
    placed = show_.sorted_cases(house.organisation, found, today)
    for how, case in placed:
        shown = show_.values(case, None if closed else how, house.organisation)
        print(json.dumps(shown) if as_json else show_.line(how, case))
    if not placed and not as_json:
        print("none")


@app.command("show")
def show(
    number: Number,
    operator: Operator,
    reason: Reason,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    reveal: Annotated[bool, typer.Option("--reveal", help="With address, name, text and notes; recorded.")] = False,
    as_json: AsJson = False,
) -> None:
    """One request: terms, steps, mail. The look is recorded when it reveals who asked."""
    house = house_of(config, organisation, operator)
    if not reason.strip():
        wrong("--reason: expected why you look")

    async def look(desk: Desk) -> dict[str, object]:
        case = await desk.store.case(number)
        if reveal and case.person is not None:
            act = Act(int(time.time()), operator, reason, "rights show --reveal")
            await house.office.note(desk, act, case)
        today = deadlines.day_of(time.time(), house.organisation.time_zone)
        how = standing(house.organisation, case, today) if case.state.value != "closed" else None
        steps = [show_.step_values(step, reveal=reveal) for step in await desk.store.steps(number)]
        mail = [show_.mail_values(row) for row in await desk.store.outgoing(number)]
        shown = show_.values(case, how, house.organisation) | {"steps": steps, "mail": mail}
        return shown | show_.revealed(case) if reveal else shown

    found = run(house, look)
    print(json.dumps(found, indent=1, ensure_ascii=False) if as_json else "\n".join(show_.as_text(found)))


@app.command("open")
def open_(
    kind: Kind,
    operator: Operator,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    to: Annotated[str, typer.Option("--to", help="The person's mail address; kept sealed until the case ends.")] = "",
    name: Annotated[str, typer.Option("--name", help="The person's name; kept sealed.")] = "",
    text_file: TextFile = "",
    received: Received = "",
    channel: Annotated[Channel, typer.Option("--channel", help="How it came in.")] = Channel.EMAIL,
    language: Annotated[
        str, typer.Option("--language", help="Of the reply: nl or en; default: the organisation's.")
    ] = "",
    scope: Annotated[str, typer.Option("--scope", help="Of an objection or withdrawal: marketing, list:NAME …")] = "",
    new_to: Annotated[str, typer.Option("--new-to", help="Rectification: the right mail address; kept sealed.")] = "",
    doubt: Annotated[
        bool, typer.Option("--doubt", help="Reasonable doubt about who asks: sends a code to the mailbox first.")
    ] = False,
) -> None:
    """Enter a request. What it stops is stopped at once; prints the number and the last day."""
    house = house_of(config, organisation, operator)
    with trouble():
        today = deadlines.day_of(time.time(), house.organisation.time_zone)
        day = deadlines.received_on(received, today)
    if language not in ("", "nl", "en"):
        wrong("--language: expected nl or en")
    request = Request(
        kind=kind,
        received=day,
        channel=channel,
        operator=operator,
        address=house.address(to, "--to").reveal() if to else "",
        person=house.pseudonyms.person(house.address(to, "--to")) if to else None,
        name=name,
        text=text_of(text_file),
        language=language,
        scope=house.scope(scope),
        new_address=house.address(new_to, "--new-to").reveal() if new_to else "",
        doubt=doubt,
    )
    opened = run(house, lambda desk: desk.open(request))
    case, terms = opened.case, opened.deadline
    print(f"case {case.number}: {kind}, {case.state}, answer by {case.due.isoformat()} ({terms.rule})")
    for line in opened.done:
        print(f"  {line}")


@app.command("verify")
def verify(
    number: Number,
    operator: Operator,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    code: Annotated[str, typer.Option("--code", help="The code that was sent to the mailbox.")] = "",
    how: Annotated[str, typer.Option("--how", help="What else proved the mailbox, as `answered from it`.")] = "",
) -> None:
    """The person proved to hold the mailbox. No copy of an identity document is ever needed."""
    case = run(house_of(config, organisation, operator), lambda desk: desk.verify(number, operator, code=code, how=how))
    _say(case)


@app.command("note")
def note(
    number: Number, operator: Operator, text_file: TextFile, organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
) -> None:  # fmt: skip
    """Add a note; it is sealed and goes with the case."""
    house = house_of(config, organisation, operator)
    text = text_of(text_file)
    if not text:
        wrong("--text-file: expected a note")
    _say(run(house, lambda desk: desk.note(number, operator, text)))


@app.command("extend")
def extend(
    number: Number, operator: Operator, reason: Reason, organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
) -> None:  # fmt: skip
    """Two months more, inside the first month only. The person is told, with the reason."""
    _say(run(house_of(config, organisation, operator), lambda desk: desk.extend(number, operator, reason)))


@app.command("complete")
def complete(
    number: Number,
    operator: Operator,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    reason: Annotated[str, typer.Option("--reason", help="With --refuse: why; the person is told.")] = "",
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Refuse it, and take back what intake put in force.")
    ] = False,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="Erasure: a running order or enrolment that stays.")
    ] = None,
) -> None:
    """Carry out what was asked, and tell third parties. The reply follows with `close`."""
    house = house_of(config, organisation, operator)
    choices = Choices(operator, int(time.time()), reason, grant=not refuse, keep=tuple(keep or ()))
    case, done = run(house, lambda desk: desk.complete(number, choices))
    _say(case)
    _account(done)


@app.command("announce")
def announce(
    number: Number, operator: Operator, reason: Reason, organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
) -> None:  # fmt: skip
    """Tell the person that the restriction will be lifted, and why. `lift` follows once that mail is delivered."""
    _say(run(house_of(config, organisation, operator), lambda desk: desk.announce(number, operator, reason)))


@app.command("lift")
def lift(
    number: Number,
    operator: Operator,
    reason: Reason,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    told: Annotated[str, typer.Option("--told", help="How the person was told, where no mail could.")] = "",
) -> None:
    """End a restriction that was announced: held mail is decided again, the case ends."""
    house = house_of(config, organisation, operator)
    case, done = run(house, lambda desk: desk.lift(number, operator, reason, told=told))
    _say(case)
    _account(done)


@app.command("withdraw")
def withdraw(
    number: Number, operator: Operator, reason: Reason, organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG, by: By = Channel.EMAIL,
) -> None:  # fmt: skip
    """The person takes the request back, or it was entered by mistake; what intake did is undone where it may be."""
    _say(run(house_of(config, organisation, operator), lambda desk: desk.withdraw(number, operator, reason, by=by)))


@app.command("close")
def close(
    number: Number,
    operator: Operator,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
    text_file: TextFile = "",
    by: By = Channel.EMAIL,
    output: Annotated[Path | None, typer.Option("--output", help="Also write the reply here, to print it.")] = None,
) -> None:
    """Answer: the one mail that closes the case. Names the authority, what was done, what stays and until when."""
    house = house_of(config, organisation, operator)
    text = text_of(text_file)

    async def answer(desk: Desk) -> Case:
        with ExitStack() as undo:
            if output is not None:  # before the case ends, and its content with it
                before = await desk.store.case(number)
                subject, body = desk.letters.reply_text(before, before.outcome or Outcome.ANSWERED, text)
                _write(output, f"{subject}\n\n{body}")
                undo.callback(output.unlink)
            closed = await desk.close(number, operator, text=text, by=by)
            undo.pop_all()
        return closed

    case = run(house, answer)
    how = "ends when that mail is delivered" if case.state.value == "waiting" and by is Channel.EMAIL else "answered"
    print(f"case {case.number}: {case.outcome}, {how}")


@app.command("told")
def told(
    number: Number,
    mail: Annotated[str, typer.Argument(help="Id of the mail that failed, from `rights show`.")],
    operator: Operator,
    organisation: OrganisationName,
    how: Annotated[str, typer.Option("--how", help="How they were told.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """A mail that did not arrive: who it was for was told in another way."""
    if not how.strip():
        wrong("--how: expected how they were told")
    _say(run(house_of(config, organisation, operator), lambda desk: desk.told(number, mail, operator, how)))


@app.command("resend")
def resend(
    number: Number,
    mail: Annotated[str, typer.Argument(help="Id of the mail that failed, from `rights show`.")],
    operator: Operator,
    organisation: OrganisationName,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Send a mail that failed once more; a notice goes to the address the settings have today."""
    _say(run(house_of(config, organisation, operator), lambda desk: desk.resend(number, mail, operator)))


@app.command("register")
def register(organisation: OrganisationName, config: Config = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Print the register of handled requests. Erasures have a quarter, an outcome and a band of days, and no number."""
    for row in run(house_of(config, organisation), lambda desk: desk.store.register()):
        print(json.dumps(show_.register_values(row)) if as_json else show_.register_line(row))


@app.command("due")
def due(
    organisation: OrganisationName, kind: Kind, config: Config = DEFAULT_CONFIG, received: Received = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Until when a request must be answered; enters nothing."""
    house = house_of(config, organisation)
    with trouble():
        today = deadlines.day_of(time.time(), house.organisation.time_zone)
        day = deadlines.received_on(received, today)
    terms = deadlines.deadline(house.organisation.rights, kind, day)
    shown = {
        "received": day.isoformat(),
        "due": terms.due.isoformat(),
        "rule": terms.rule,
        "month": terms.month.isoformat(),
        "promised": terms.promised.isoformat() if terms.promised else None,
        "ceiling": terms.ceiling.isoformat() if terms.ceiling else None,
        "extended": deadlines.extended(day).isoformat() if house.organisation.rights.extension else None,
    }
    print(json.dumps(shown) if as_json else "\n".join(show_.as_text(dict(shown))))


def _write(path: Path, text: str) -> None:
    """For its owner only; never over something that is there."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        wrong(f"--output {path}: {error.strerror}")


def _say(case: Case) -> None:
    outcome = f", {case.outcome}" if case.outcome else ""
    print(f"case {case.number}: {case.kind}, {case.state}{outcome}, answer by {case.due.isoformat()}")


def _account(done: Completion) -> None:
    for line in done.report:
        print(f"  {line}")
    for item in done.kept:
        print(f"  kept: {item.what}: {item.why}{f', until {item.until}' if item.until else ''}")
    for notice in done.notices:
        print(f"  notice to {notice.third_party}")
    if done.outside:
        print("still to do elsewhere:")
    for line in done.outside:
        print(f"  [ ] {line}")
