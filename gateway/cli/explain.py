"""`briefgeheim explain`: what would happen to this mail, for each recipient, and what would leave.

what:       reads mails and the registry, prints or writes the account; sends nothing, stores nothing
fails by:   exit 2 for settings, files and addresses that cannot be read
standard:   I-11
"""

from __future__ import annotations

import asyncio
import difflib
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.address import Address, InvalidAddress
from gateway.app.compose import Dry, dry
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.explanation import Account, Answer, Question, explain
from gateway.registry.protocol import RegistryUnavailable

_MARK = re.compile(r"([A-Za-z-]+)=(.*)")


def command(
    messages: Annotated[list[Path], typer.Argument(help="Mails, or folders of mails.", exists=True)],
    client: Annotated[str, typer.Option(help="The client that would submit them.")],
    config: Config = DEFAULT_CONFIG,
    sender: Annotated[
        str | None, typer.Option("--from", help="MAIL FROM; default the From address, <> for null.")
    ] = None,
    to: Annotated[list[str] | None, typer.Option(help="RCPT TO; default To, Cc and Bcc.")] = None,
    mark: Annotated[list[str] | None, typer.Option(help="Add a mark, as Stream=newsletter or List=NAME.")] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show before and after.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per mail and line.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write each finished copy here, with copies.json.")] = None,
    assume_consent: Annotated[
        bool, typer.Option("--assume-consent", help="As if these people had agreed to this stream.")
    ] = False,
    any_sender: Annotated[
        bool, typer.Option("--any-sender", help="As if the From domain were the organisation's.")
    ] = False,
) -> None:
    """Show, per recipient, the rules tried, the fact that decided, the edits, the variant and the provider."""
    house = dry(settings(config), client, wrong)
    for note in house.notes:
        sys.stderr.write(f"note: {note}\n")
    people = tuple(_address(text) for text in to or ())
    copies: list[dict[str, Any]] = []
    for path in _files(messages):
        question = Question(
            client=client,
            raw=_marked(as_submitted(path.read_bytes()), mark or []),
            sender=None if sender in (None, "", "<>") else _address(str(sender)),
            recipients=people,
            at=time.time(),
            assume_consent=assume_consent,
            any_sender=any_sender,
            own_sender=sender is None,
        )
        answer = _ask(house, question)
        if out is not None:
            copies.extend(_write(out, path, len(copies), answer))
        _show(path, question, answer, as_json=as_json, diff=diff, quiet=out is not None)
    if out is not None:
        _index(out, copies, house)


def as_submitted(raw: bytes) -> bytes:
    """A stored mail as a client would send it: no mbox line before it, CR LF line ends where it has only LF."""
    if raw.startswith(b"From ") and b"\n" in raw:
        raw = raw.partition(b"\n")[2]
    return raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")


def _files(messages: Sequence[Path]) -> Iterator[Path]:
    for path in messages:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.eml") if p.is_file())
        else:
            yield path


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress as error:
        wrong(f"{text}: {error}, expected an address such as name@example.nl")


def _marked(raw: bytes, marks: Sequence[str]) -> bytes:
    lines = []
    for text in marks:
        match = _MARK.fullmatch(text)
        if match is None:
            wrong(f"--mark {text}: expected NAME=VALUE, as Stream=newsletter")
        lines.append(f"Briefgeheim-{match[1].removeprefix('Briefgeheim-')}: {match[2]}\r\n".encode())
    return b"".join(lines) + raw


def _ask(house: Dry, question: Question) -> Answer:
    try:
        return asyncio.run(explain(house.tenant, house.rules, question))
    except RegistryUnavailable as error:
        wrong(f"registry of {house.tenant.organisation.name}: {error}")


def _show(path: Path, question: Question, answer: Answer, *, as_json: bool, diff: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps({"input": str(path), **answer.account}, ensure_ascii=False))
    elif not quiet:
        print(f"{path}\n" + "\n".join(_lines(answer.account)))
    if diff and not as_json:
        for text in _differences(question.raw, answer):
            print(text)


def _lines(account: Account | dict[str, Any]) -> Iterator[str]:
    data: dict[str, Any] = dict(account)
    if "refused" in data:
        yield f"  refused as a whole: {data['refused']}"
        return
    marks = ", ".join(f"{k}={v}" for k, v in data["marks"].items())
    yield f"  stream {data['stream']} (classify entry {data['classified_by']}{'; ' + marks if marks else ''})"
    yield f"  {'private: one copy each' if data['private'] else 'not private'}; provider {data['provider'] or 'none'}"
    if data["stopped"]:
        stop = data["stopped"]
        yield f"  STOPPED by filter {stop['filter']}: {stop['action']}, {stop['kind']}: {stop['detail']}"
    for person in data["recipients"]:
        yield f"  {person['recipient']}: {person['action'].upper()} by rule {person['rule']}: {person['fact']}"
        if person["reply"]:
            yield f"      reply {person['reply']}"
        for tried in person["rules_tried"]:
            yield f"      {'->' if tried['decided'] else '  '} {tried['rule']}: {tried['fact']}"
        yield f"      variant {person['variant']}"
    for name, variant in data["variants"].items():
        yield f"  variant {name}: {len(variant['edits'])} edits"
        for item in variant["edits"]:
            slots = f" + slot {', '.join(item['slots'])}" if item["slots"] else ""
            yield (
                f"      {item['filter']}/{item['kind']} part {item['part']} "
                f"{item['start']}-{item['end']} -> {item['inserted']} octets{slots}"
            )
        for outcome in variant["outcomes"]:
            yield f"      {outcome['filter']}: {outcome['kind']} ({outcome['action']}) {outcome['detail']}"


def _differences(before: bytes, answer: Answer) -> Iterator[str]:
    for index, after in answer.finished.items():
        name = "copy" if answer.envelope is None else answer.envelope.recipients[index].address.reveal()
        yield from difflib.unified_diff(
            before.decode("utf-8", "replace").splitlines(),
            after.decode("utf-8", "replace").splitlines(),
            "as submitted",
            f"as it leaves to {name}",
            lineterm="",
            n=1,
        )


def _write(out: Path, path: Path, number: int, answer: Answer) -> list[dict[str, Any]]:
    out.mkdir(parents=True, exist_ok=True)
    people: list[Any] = list(answer.account["recipients"])  # type: ignore[call-overload]
    if answer.made is None:
        return [{"input": str(path), "recipient": None, "file": None, "action": "refuse",
                 "reply": answer.account["refused"]}]  # fmt: skip
    rows: list[dict[str, Any]] = []
    for index, person in enumerate(people):
        row = {"input": str(path), "recipient": person["recipient"], "file": None}
        row.update({k: person[k] for k in ("action", "rule", "fact", "reply", "variant", "provider")})
        row["stream"] = answer.account["stream"]
        if index in answer.finished:
            row["file"] = f"{number + len(rows):06d}-{path.stem}.eml"
            (out / str(row["file"])).write_bytes(answer.finished[index])
        rows.append(row)
    return rows


def _index(out: Path, copies: Sequence[dict[str, Any]], house: Dry) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "copies.json").write_text(
        json.dumps({"copies": copies, "dkim": house.dns, "notes": house.notes}, indent=2, ensure_ascii=False) + "\n",
        "utf-8",
    )
