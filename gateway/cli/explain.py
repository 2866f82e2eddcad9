"""`briefgeheim explain`: what would happen to this mail, for each recipient, and what would leave.

what:       reads mails and the registry, prints or writes the account; sends nothing, stores nothing
takes→gives: files or folders of mails → text, JSON, or finished copies with `copies.json`
knows not:  how the answer is found
fails by:   exit 2 for settings, files and addresses that cannot be read
standard:   I-11
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.address import Address, InvalidAddress
from gateway.app.compose import Dry, dry
from gateway.cli.account import differences, lines, total
from gateway.cli.comparison import Shown, page, shown
from gateway.cli.opening import DEFAULT_CONFIG, Config, settings, wrong
from gateway.explanation import Answer, Question, explain
from gateway.registry.protocol import RegistryUnavailable

_MARK = re.compile(r"([A-Za-z-]+)=(.*)")
_BARE_LF = re.compile(rb"(?<!\r)\n")


def command(
    messages: Annotated[list[Path], typer.Argument(help="Mails, or folders with *.eml files.", exists=True)],
    client: Annotated[str, typer.Option(help="The client that would submit them, as the settings name it.")],
    config: Config = DEFAULT_CONFIG,
    sender: Annotated[
        str | None, typer.Option("--from", help="MAIL FROM; default the From address, <> for null.")
    ] = None,
    to: Annotated[list[str] | None, typer.Option(help="RCPT TO, may be repeated; default To, Cc and Bcc.")] = None,
    mark: Annotated[
        list[str] | None, typer.Option(help="Add a mark, as Stream=newsletter or List=NAME; may be repeated.")
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show before and after, once per variant.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per mail, each on a line.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write each finished copy into this folder, with copies.json.", file_okay=False)
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write before and after side by side to this page.", dir_okay=False)
    ] = None,
    assume_consent: Annotated[
        bool, typer.Option("--assume-consent", help="As if these people had agreed to this stream; blocks still count.")
    ] = False,
    any_sender: Annotated[
        bool, typer.Option("--any-sender", help="As if the From domain were the organisation's.")
    ] = False,
) -> None:
    """Show what would happen to a mail: per recipient the decision and the rules tried, then the edits.

    Nothing is sent and nothing is stored.
    """
    house = _house(config, client)
    people = tuple(_address(text) for text in to or ())
    envelope_sender = None if sender in (None, "", "<>") else _address(str(sender))
    marks = _marks(mark or [])
    rows: list[dict[str, Any]] = []
    pages: list[Shown] = []
    files = list(_files(messages))
    asked = Question(
        client=client,
        raw=b"",
        sender=envelope_sender,
        recipients=people,
        at=time.time(),
        assume_consent=assume_consent,
        any_sender=any_sender,
        own_sender=sender is None,
    )
    for path in files:
        question = replace(asked, raw=marks + as_submitted(_read(path)))
        answer = _ask(house, question)
        _show(path, question, answer, as_json=as_json, diff=diff, quiet=out is not None)
        rows.extend(_rows(path, answer, out, len(rows)))
        if html is not None:
            pages.append(shown(path.name, answer))
    if html is not None:
        _save(html.parent, html.name, page(pages).encode(), option="--html")
    if out is not None:
        _index(out, rows, house)
    if len(files) > 1 or out is not None:
        _sum_up(len(files), rows, out, as_json=as_json)


def _house(config: Path, client: str) -> Dry:
    house = dry(settings(config), client, wrong)
    for note in house.notes:
        sys.stderr.write(f"note: {note}\n")
    return house


def _sum_up(mails: int, rows: Sequence[dict[str, Any]], out: Path | None, *, as_json: bool) -> None:
    written = "" if out is None else f"; {sum(bool(r['file']) for r in rows)} copies in {out}, see copies.json there"
    print(total(mails, (r["action"] for r in rows)) + written, file=sys.stderr if as_json else sys.stdout)


def as_submitted(raw: bytes) -> bytes:
    """A stored mail as a client would send it: no mbox line before it, CR LF at line ends, one at the very end.

    The first line says how the file was stored. A bare LF after a first line that ends in CR LF is the mail's own
    fault and stays (I-8).
    """
    if raw.startswith(b"From ") and b"\n" in raw:
        raw = raw.partition(b"\n")[2]
    if not raw.partition(b"\n")[0].endswith(b"\r"):
        raw = _BARE_LF.sub(b"\r\n", raw)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def _files(messages: Sequence[Path]) -> Iterator[Path]:
    for path in messages:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() == ".eml" and p.is_file())
        if not found:
            wrong(f"{path}: no *.eml file in this folder; name files of another kind one by one")
        yield from found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        wrong(f"{path}: {error.strerror}")


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except InvalidAddress as error:
        wrong(f"{text}: {error}, expected an address such as name@example.nl")


def _marks(marks: Sequence[str]) -> bytes:
    """Header lines to put before the mail, as a client would have written them."""
    fields = []
    for text in marks:
        match = _MARK.fullmatch(text)
        if match is None:
            wrong(f"--mark {text}: expected NAME=VALUE, as Stream=newsletter")
        fields.append(f"Briefgeheim-{match[1].removeprefix('Briefgeheim-')}: {match[2]}\r\n".encode())
    return b"".join(fields)


def _ask(house: Dry, question: Question) -> Answer:
    try:
        return asyncio.run(explain(house.tenant, house.rules, question, house.lend, house.inspector))
    except RegistryUnavailable as error:
        wrong(f"registry of {house.tenant.organisation.name}: {error}")


def _show(path: Path, question: Question, answer: Answer, *, as_json: bool, diff: bool, quiet: bool) -> None:
    changes = differences(question.raw, answer) if diff else {}
    if as_json:
        document = {"input": str(path), **answer.account, **({"diff": changes} if diff else {})}
        print(json.dumps(document, ensure_ascii=False))
        return
    if not quiet or diff:
        print(path)
    if not quiet:
        print("\n".join(lines(answer.account)))
    for text in changes.values():
        print("\n".join(text))


def _rows(path: Path, answer: Answer, out: Path | None, number: int) -> list[dict[str, Any]]:
    """One row of copies.json per recipient; writes the copy when there is one and `out` is given."""
    if answer.made is None:
        return [{"input": str(path), "recipient": None, "file": None, "action": "refuse",
                 "reply": answer.account["refused"]}]  # fmt: skip
    people: Any = answer.account["recipients"]
    rows: list[dict[str, Any]] = []
    for index, person in enumerate(people):
        row = {"input": str(path), "recipient": person["recipient"], "file": None}
        row.update({k: person[k] for k in ("action", "rule", "fact", "reply", "variant", "provider")})
        row["stream"] = answer.account["stream"]
        if out is not None and index in answer.finished:
            row["file"] = f"{number + index:06d}-{path.stem}.eml"
            _save(out, str(row["file"]), answer.finished[index])
        rows.append(row)
    return rows


def _index(out: Path, rows: Sequence[dict[str, Any]], house: Dry) -> None:
    content = {"copies": rows, "dkim": house.dns, "notes": house.notes}
    _save(out, "copies.json", (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _save(out: Path, name: str, content: bytes, option: str = "--out") -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    except OSError as error:
        wrong(f"{option} {out / name}: {error.strerror}")
