"""What no rule needs to touch leaves with the bytes it came with, plus one Received field (I-5)."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import idna
import pytest

from gateway.demo.stage import Stage
from gateway.filters.header_hygiene import BLIND, ENVELOPE, PRIVATE, PRIVATE_BEGINNINGS
from gateway.filters.receipts import ALWAYS, OTHER, READ, X400
from tests.e2e.post import arrived
from tests.message.samples import CORPUS, CORPUS_FOLDER, OWN, normalised
from tests.stages import MakeStage

REFUSED = {"doubled-subject.eml", "bcc.eml"}  # fields twice that RFC 5322 3.6 allows once
REMOVED = {n.lower() for n in (*BLIND, *ENVELOPE, *PRIVATE, *READ, *OTHER, *X400, *ALWAYS, "Return-Path")}
FAMILIES = tuple(beginning.decode() for beginning in PRIVATE_BEGINNINGS)
FORWARDERS = re.compile(r"x-(?:[a-z0-9]+-)+(?:forwarded|original|envelope|delivered|rcpt)-(?:to|for|recipients?)")
_FIELD = re.compile(rb"[^\s:][^:\r\n]*:[^\n]*\n(?:[ \t][^\n]*\n)*")
_BLANKS = re.compile(rb"\A(?:[ \t]+\r\n)+")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^_`{|}~-]+@([\w.-]+)")


def sendable(path: Path) -> bytes:
    """As a client's SMTP library hands it over: CRLF line ends, one at the very end."""
    raw = normalised(path)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def fields(raw: bytes) -> Iterator[tuple[str, int, int]]:
    """Name in lower case and span of each header field, read without the gateway's parser."""
    at = 0
    while found := _FIELD.match(raw, at):
        yield found[0].partition(b":")[0].decode("latin-1").strip().lower(), *found.span()
        at = found.end()


def from_domains(messages: Sequence[bytes]) -> list[str]:
    found = set()
    for raw in messages:
        for name, start, end in fields(raw):
            if name == "from":
                written = raw[start:end].decode("utf-8", "replace").replace("\ufffd", " ")
                found |= {_a_label(m.lower().strip(".")) for m in _ADDRESS.findall(written)}
    return sorted(d for d in found if _DOMAIN.fullmatch(d) and not d.rpartition(".")[2].isdigit())


def _a_label(domain: str) -> str:
    return domain if domain.isascii() else idna.encode(domain).decode()


def expected(raw: bytes, own: Sequence[str]) -> bytes:
    """The message without the fields that header hygiene and the receipt rule take away."""
    spans = [
        (s, e)
        for name, s, e in fields(raw)
        if name in REMOVED
        or name.startswith(FAMILIES)
        or FORWARDERS.fullmatch(name)
        or _own_signature(name, raw[s:e], own)
    ]
    for start, end in reversed(spans):
        raw = raw[:start] + raw[end:]
    return raw


def _own_signature(name: str, field: bytes, own: Sequence[str]) -> bool:
    if name not in ("dkim-signature", "domainkey-signature"):
        return False
    found = re.search(rb"[;:\s]d=([^;\s]+)", field)
    domain = found[1].decode().lower() if found else ""
    return any(domain == d or domain.endswith(f".{d}") for d in own)


def without_ours(content: bytes, submitted: bytes) -> bytes:
    """What arrived, minus our Received in front, and Date or Message-ID where the mail had none."""
    received = _FIELD.match(content)
    assert received is not None
    assert b"gateway.test.example" in received[0]
    content = content[received.end() :]
    there = {name for name, _, _ in fields(submitted)}
    for name in ("date", "message-id"):
        if name not in there:
            (span,) = [(s, e) for n, s, e in fields(content) if n == name]
            content = content[: span[0]] + content[span[1] :]
    return content


def long_lines(raw: bytes) -> bool:
    return any(len(line) > 998 for line in raw.split(b"\r\n"))


def allow(domains: Sequence[str]) -> Callable[[dict[str, Any]], None]:
    """The organisation may write from these domains; nothing is signed for them."""

    def change(organisation: dict[str, Any]) -> None:
        if organisation["name"] == "kleine-parel":
            there = {d["domain"] for d in organisation["domains"]}
            organisation["domains"] += [{"domain": d} for d in domains if d not in there]

    return change


def submit(stage: Stage, messages: dict[str, bytes]) -> dict[str, tuple[int, str]]:
    """All in one session, each to a recipient of its own; replies to DATA by recipient."""
    replies = {}
    with stage.login("kleine-parel-office") as session:
        session.ehlo_or_helo_if_needed()
        for recipient, raw in messages.items():
            if session.mail("info@dekleineparel.nl", ["BODY=8BITMIME", "SMTPUTF8"])[0] != 250:
                raise AssertionError("MAIL refused")
            assert session.rcpt(recipient)[0] == 250
            try:
                code, text = session.data(raw)
            except smtplib.SMTPDataError as error:
                code, text = error.smtp_code, error.smtp_error
            replies[recipient] = code, text.decode()
    return replies


@pytest.fixture
def office(make_stage: MakeStage) -> Stage:
    stage = make_stage(organisation=allow(from_domains([sendable(p) for p in (*OWN, *CORPUS)])))
    stage.start()
    return stage


def test_i5_every_valid_message_leaves_with_its_own_bytes(office: Stage) -> None:
    paths = [*OWN, *CORPUS]
    messages = {f"lezer{n}@ontvanger.example": sendable(p) for n, p in enumerate(paths)}
    names = dict(zip(messages, paths, strict=True))
    own = [d["domain"] for d in office.organisations()[0]["domains"]]
    # The SMTP library doubles dots and would mend line ends; messages with a bare CR, LF or NUL are tested on the wire.
    safe = {r: m for r, m in messages.items() if not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", m)}
    replies = submit(office, safe)
    taken = {r for r, (code, _) in replies.items() if code == 250}
    for recipient in replies.keys() - taken:
        code, text = replies[recipient]
        assert (code, text[:4]) == (550, "5.6."), f"{names[recipient]}: {code} {text}"
        assert ": " in text, f"{names[recipient]}: no reason in {text}"
    copies = {c.recipient: c for c in arrived(office, sorted(taken - held(office, replies)))}
    for recipient, copy in copies.items():
        where, raw = names[recipient], _BLANKS.sub(b"", safe[recipient])  # they are no field, and readers skip them
        if long_lines(raw):
            assert not long_lines(copy.content), where
        else:
            assert without_ours(copy.content, raw) == expected(raw, own), where
    assert {p.name for p in OWN} - {names[r].name for r in taken} == REFUSED
    if not CORPUS:
        pytest.skip(f"own messages are exact; no message corpus at {CORPUS_FOLDER}")
    assert len(copies) > 240


def held(stage: Stage, replies: dict[str, tuple[int, str]]) -> set[str]:
    """Recipients whose mail waits for a person: a receipt request inside a signature cannot be taken out."""
    listing = stage.command("queue", "list", "--state", "held", "--json")
    return {r for r, (code, text) in replies.items() if code == 250 and text.split()[-1] in listing}
