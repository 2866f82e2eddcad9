"""Writing, sending and reading mail in end-to-end tests."""

from __future__ import annotations

import email
import itertools
import json
import re
import smtplib
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP

import dkim

from gateway.demo.recorder import Recorded
from gateway.demo.stage import Stage

PAREL = "info@dekleineparel.nl"
REZULTO = "info@rezulto.nl"
EVIDENCE = {"at": "2026-01-02", "actor": "person", "channel": "form", "wording": "v1", "proof": "form-log"}
_numbers = itertools.count(1)
_LIMIT = 180.0


def person(tag: str = "p", domain: str = "ontvanger.example") -> str:
    """An address nobody else in this run uses; its first twelve characters, which tests take for ids, hold no @."""
    return f"{tag}{next(_numbers)}x{time.monotonic_ns() % 10**9:09d}@{domain}"


def consent(address: str, scope: str) -> dict[str, str]:
    return {"address": address, "kind": "consent", "scope": scope, **EVIDENCE}


def mail(
    sender: str, to: Sequence[str], *, html: str = "", text: str = "Hallo allemaal.\n", subject: str = "Bericht",
    **marks: str,
) -> EmailMessage:  # fmt: skip
    """A mail with marks, given as `stream="newsletter"` (→ Briefgeheim-Stream)."""
    message = EmailMessage()
    message["From"] = f"Afzender <{sender}>"
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = email.utils.formatdate()
    message["Message-ID"] = email.utils.make_msgid(domain=sender.rpartition("@")[2])
    for name, value in marks.items():
        message[f"Briefgeheim-{name.title().replace('_', '-')}"] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


@dataclass
class Sent:
    """What the client heard: refusals at RCPT by address, and the final reply."""

    code: int
    reply: str
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        found = re.search(r"[0-9a-f]{20}", self.reply)
        return found[0] if found else ""


def send(
    stage: Stage, client: str, message: EmailMessage | bytes, to: Sequence[str], *, sender: str | None = None,
    options: Sequence[str] = (), rcpt_options: Sequence[str] = (),
) -> Sent:  # fmt: skip
    """One transaction, verb by verb, so that every reply can be looked at."""
    raw = message if isinstance(message, bytes) else message.as_bytes(policy=SMTP)
    if sender is None:
        sender = email.utils.parseaddr(str(email.message_from_bytes(raw)["From"]))[1]
    with stage.login(client) as session:
        session.ehlo_or_helo_if_needed()
        code, text = session.mail(sender, [*options, "BODY=8BITMIME"])
        if code != 250:
            return Sent(code, text.decode())
        sent = Sent(0, "")
        for address in to:
            code, text = session.rcpt(address, list(rcpt_options))
            if code not in (250, 251):
                sent.refused[address] = (code, text.decode())
        if len(sent.refused) == len(to):
            sent.code, sent.reply = next(iter(sent.refused.values()))
            return sent
        try:
            code, text = session.data(raw)
        except smtplib.SMTPDataError as error:
            code, text = error.smtp_code, error.smtp_error
        sent.code, sent.reply = code, text.decode()
    return sent


def arrived(stage: Stage, to: Sequence[str], count: int | None = None) -> list[Recorded]:
    """Mails for these recipients, once `count` (default: one each) are there."""
    wanted = len(to) if count is None else count
    wait(lambda: len(_for(stage, to)) >= wanted, f"{wanted} mails")
    return _for(stage, to)


def settled(stage: Stage) -> None:
    """Wait until no row is queued, so that what did not arrive by then will not."""
    wait(lambda: _nothing_queued(stage), "an empty queue")


def _nothing_queued(stage: Stage) -> bool:
    """What an earlier test's provider put off, such as a notice of ours, is tried again instead of waited for."""
    rows = [json.loads(line) for line in stage.command("queue", "list", "--json").splitlines()]
    queued = [row for row in rows if row["state"] == "queued"]
    for message in {row["message"] for row in queued if row["attempts"]}:
        stage.command("queue", "retry", message, "--operator", "test", "--reason", "the provider is back", ok=False)
    return not queued


def _for(stage: Stage, to: Sequence[str]) -> list[Recorded]:
    wanted = set(to)
    return [m for m in stage.recorder.mails if m.recipient in wanted]


def wait(there: Callable[[], bool], what: str, limit: float = _LIMIT) -> None:
    """Until the condition holds; fails naming what was waited for."""
    end = time.monotonic() + limit
    while not there():
        assert time.monotonic() < end, f"waited {limit} s for {what}"
        time.sleep(0.05)


def until(make: Callable[[], str], right: Callable[[str], bool], what: str) -> str:
    """The first text that `make` gives and that is right, for what the gateway waits for nobody to know."""
    made: list[str] = []

    def there() -> bool:
        made.append(make())
        return right(made[-1])

    wait(there, what)
    return made[-1]


def readable(content: bytes) -> bytes:
    """Raw bytes and every decoded part and header, so that nothing hides behind an encoding."""
    message = email.message_from_bytes(content)
    parts = [p.get_payload(decode=True) for p in message.walk() if not p.is_multipart()]
    headers = [str(email.header.make_header(email.header.decode_header(v))).encode() for v in message.values()]
    return b"\n".join([content, *(p for p in parts if isinstance(p, bytes)), *headers])


def texts(content: bytes) -> dict[str, str]:
    """Decoded text parts by content type."""
    found = {}
    for part in email.message_from_bytes(content).walk():
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found[part.get_content_type()] = payload.decode(part.get_content_charset() or "utf-8")
    return found


def header(content: bytes, name: str) -> list[str]:
    return email.message_from_bytes(content).get_all(name, [])


def opt_out_url(content: bytes) -> str:
    """The address in List-Unsubscribe."""
    (value,) = header(content, "List-Unsubscribe")
    return value.strip("<>")


def one_click(url: str) -> int:
    """As a mail program does it; the status, or 0 after a redirect."""
    data = urllib.parse.urlencode({"List-Unsubscribe": "One-Click"}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=_LIMIT) as answer:
            return answer.status if answer.geturl() == url else 0
    except urllib.error.HTTPError as error:
        return error.code


def dns(stage: Stage) -> dict[bytes, bytes]:
    """The DKIM records that the administrator publishes."""
    records = {}
    for line in stage.command("keys", "dns").splitlines():
        name, _, text = line.partition(" ")
        records[name.rstrip(".").encode()] = "".join(re.findall(r'"([^"]*)"', text)).encode()
    return records


def verifies(content: bytes, records: dict[bytes, bytes]) -> bool:
    """By an implementation other than the one that signed."""
    return bool(dkim.verify(content, dnsfunc=lambda name, timeout=5: records.get(name.rstrip(b"."))))
