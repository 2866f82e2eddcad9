"""The demo's story: four mails, what became of each, one opt-out, and the proof.

what:       sends, reads the recorder and the gateway's own explanation, prints both, and checks them
takes→gives: a built `Stage` → lines for a newcomer; `wrong` lists what differed from what it should be
knows not:  how the gateway does it
"""

from __future__ import annotations

import difflib
import email.utils
import json
import re
import smtplib
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import dkim
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from gateway.demo import mails
from gateway.demo.mails import Person
from gateway.demo.recorder import Recorded
from gateway.demo.stage import Stage

_NAMES = (
    "Anna",
    "Bert",
    "Carla",
    "Daan",
    "Eva",
    "Femke",
    "Gijs",
    "Hilde",
    "Ivo",
    "Joke",
    "Koen",
    "Lotte",
    "Maarten",
    "Noor",
    "Olaf",
    "Petra",
    "Quinten",
    "Roos",
    "Sem",
    "Tess",
    "Umar",
    "Vera",
    "Wout",
    "Xandra",
    "Yvonne",
)
PARTICIPANTS: list[Person] = [(f"{n} de Vries", f"{n.lower()}@cursist.example") for n in _NAMES]
READERS: list[Person] = [(f"Juf {n}", f"{n.lower()}@school.example") for n in ("Iris", "Jan", "Kim", "Lex")]
TRACKED = READERS[:2]
BUYER: Person = ("Mia Smit", "mia@klant.example")
GONE: Person = ("Otto Uit", "otto@weg.example")
ERASED: Person = ("Wil Gewist", "wil@gewist.example")
SUBSCRIBER: Person = ("Sara Lid", "sara@lid.example")
LIST = "onderwijsnieuws"
_WAIT = 180.0
_HIDDEN = re.compile(rb"disposition-notification|confirm-reading|briefgeheim-", re.I)


class Story:
    """Tells and checks. `wrong` is empty when everything was as it should be."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self._stage = stage
        self._say = console
        self._dns: dict[bytes, bytes] = {}
        self.wrong: list[str] = []
        self.reports: list[Recorded] = []
        """Failure reports that the last sender got."""

    def people(self) -> None:
        """What the registry knows before the first mail."""
        proof = {"at": "2026-03-01", "actor": "person", "channel": "form", "wording": "2026-01", "proof": "form-log"}
        self._stage.people(
            "kleine-parel",
            [
                *({"address": a, "kind": "enrolment", "reference": "basiscursus-2026-11"} for _, a in PARTICIPANTS),
                {"address": SUBSCRIBER[1], "kind": "consent", "scope": "list:nieuwsbrief", **proof},
                {"address": GONE[1], "kind": "opt-out", "scope": "source:perfectview"},
                {"address": ERASED[1], "kind": "erasure"},
            ],
        )
        self._stage.people(
            "rezulto",
            [
                *({"address": a, "kind": "consent", "scope": f"list:{LIST}", **proof} for _, a in READERS),
                *({"address": a, "kind": "consent", "scope": "purpose:tracking", **proof} for _, a in TRACKED),
                {"address": BUYER[1], "kind": "objection", "scope": "marketing"},
            ],
        )
        for line in self._stage.command("keys", "dns").splitlines():
            name, _, text = line.partition(" ")
            self._dns[name.rstrip(".").encode()] = "".join(re.findall(r'"([^"]*)"', text)).encode()

    def tell(self) -> None:
        """All of it, in order."""
        self._course()
        newsletter = self._newsletter()
        self._invoice()
        self._blocked()
        self._opt_out(newsletter)

    def _course(self) -> None:
        self._head(1, "A course mail, 25 participants visible in To and Cc (De Kleine Parel)")
        mail = mails.course_mail(PARTICIPANTS)
        account = self._explain(mail, "kleine-parel-crm")
        got = self._send("kleine-parel-crm", mail, PARTICIPANTS)
        self._table(account, got)
        others = {a.encode() for _, a in PARTICIPANTS}
        self._check(
            "every participant got one copy", sorted(m.recipient for m in got) == sorted(a for _, a in PARTICIPANTS)
        )
        shown = [m for m in got for a in others - {m.recipient.encode()} if a in _readable(m.content)]
        self._check("no copy shows anybody else, raw or decoded", not shown)
        self._check("no read-receipt request is left", not any(_HIDDEN.search(m.content) for m in got))
        self._check("the pixel is gone", not any(b"track.crm.example" in _readable(m.content) for m in got))
        self._check(
            "the attachment kept its bytes", all(_attachments(m.content) == _attachments(_bytes(mail)) for m in got)
        )
        self._check("an opt-out link is in text and HTML", all(_links(m.content, "/kleine-parel/") >= 2 for m in got))
        self._check("every copy is signed, and another implementation accepts it", all(map(self._verifies, got)))
        if got:
            self._diff(_bytes(mail), got[0].content)

    def _newsletter(self) -> Recorded | None:
        self._head(2, "A newsletter with tracked links; two of four readers agreed to click tracking (Rezulto)")
        mail = mails.newsletter(READERS, LIST)
        account = self._explain(mail, "rezulto-crm")
        got = self._send("rezulto-crm", mail, READERS)
        self._table(account, got)
        agreed = {a for _, a in TRACKED}
        tracked = {m.recipient for m in got if b"mc_eid=" in _readable(m.content)}
        self._check("individual links only for those who agreed", tracked == agreed and len(got) == len(READERS))
        self._check("nobody gets the open-tracking image", not any(b"open.php" in _readable(m.content) for m in got))
        self._check("the picture everybody sees is still there", all(b"klas.jpg" in _readable(m.content) for m in got))
        covered = [m for m in got if self._verifies(m) and _signed_one_click(m.content)]
        self._check("one-click fields are there and signed", len(covered) == len(got))
        return got[0] if got else None

    def _invoice(self) -> None:
        self._head(3, "An invoice to somebody who objected to all marketing (Rezulto)")
        mail = mails.invoice(BUYER)
        account = self._explain(mail, "rezulto-webshop")
        got = self._send("rezulto-webshop", mail, [BUYER])
        self._table(account, got)
        self._check("the invoice arrives", [m.recipient for m in got] == [BUYER[1]])
        self._check("it has no one-click field", not any(b"List-Unsubscribe" in m.content for m in got))

    def _blocked(self) -> None:
        self._head(4, "A newsletter to a subscriber, an opted-out and an erased person (De Kleine Parel)")
        people = [SUBSCRIBER, GONE, ERASED]
        mail = mails.course_news(people)
        account = self._explain(mail, "kleine-parel-crm")
        got = self._send("kleine-parel-crm", mail, people, expected=1)
        self._table(account, got)
        self._check("only the subscriber gets it", [m.recipient for m in got] == [SUBSCRIBER[1]])

    def _opt_out(self, newsletter: Recorded | None) -> None:
        self._head(5, "One reader presses the unsubscribe button of a mail program, then the newsletter goes out again")
        if newsletter is None:
            self._check("a newsletter to opt out from", False)
            return
        url = _one_click_url(newsletter.content)
        status = _post(url)
        self._say.print(f"POST {url[:60]}…  List-Unsubscribe=One-Click  →  {status}")
        self._check("the page answers 200, without redirect", status == 200)
        mail = mails.newsletter(READERS, LIST)
        got = self._send("rezulto-crm", mail, READERS, expected=len(READERS) - 1)
        self._table(self._explain(mail, "rezulto-crm"), got)
        reached = {m.recipient for m in got}
        self._check("that reader gets nothing any more, the others do", reached == {a for _, a in READERS[1:]})
        named = [m for m in self.reports if newsletter.recipient.encode() in _readable(m.content)]
        self._check("the sender gets one report that names that reader", len(named) == len(self.reports) == 1)
        traced = self._stage.command("trace", "--to", newsletter.recipient, "--operator", "demo", "--reason", "demo",
                                     "--organisation", "rezulto")  # fmt: skip
        self._say.print(traced.rstrip(), highlight=False, markup=False)

    def _explain(self, mail: EmailMessage, client: str) -> dict[str, Any]:
        file = self._stage.folder / "mail.eml"
        file.write_bytes(_bytes(mail))
        text = self._stage.command("explain", str(file), "--client", client, "--json")
        account: dict[str, Any] = json.loads(text.splitlines()[0])
        return account

    def _send(
        self, client: str, mail: EmailMessage, people: Sequence[Person], expected: int | None = None
    ) -> list[Recorded]:
        before = len(self._stage.recorder.mails)
        wanted = len(people) if expected is None else expected
        with self._stage.login(client) as session:
            sender = email.utils.parseaddr(mail["From"])[1]
            try:
                refused = session.sendmail(sender, [a for _, a in people], _bytes(mail), ["BODY=8BITMIME"])
                code = "250"
            except smtplib.SMTPRecipientsRefused as error:
                refused, code = error.recipients, "refused"
        for address, (number, text) in refused.items():
            self._say.print(f"RCPT TO:<{address}>  →  {number} {text.decode()}", highlight=False, markup=False)
        self._say.print(f"sent as {client}: {len(people)} recipients, answer {code}")
        self._stage.recorder.wait_for(before + wanted, _WAIT)
        self._settle()
        arrived = self._stage.recorder.mails[before:]
        self.reports = [m for m in arrived if m.recipient == sender]
        return [m for m in arrived if m.recipient != sender]

    def _settle(self) -> None:
        """Until nothing is queued any more, so that a copy too many would have been seen."""
        end = time.monotonic() + _WAIT
        while time.monotonic() < end:
            rows = self._stage.command("queue", "list", "--json").strip()
            if not [r for r in rows.splitlines() if '"queued"' in r]:
                return
            time.sleep(0.2)

    def _table(self, account: dict[str, Any], got: Sequence[Recorded]) -> None:
        arrived = {m.recipient: m.provider for m in got}
        table = Table(box=None, pad_edge=False)
        for name in ("recipient", "decision", "rule", "fact", "text", "edits", "arrived at"):
            table.add_column(name, overflow="fold")
        rows = account["recipients"]
        for person in rows if len(rows) <= 6 else [*rows[:3], None, *rows[-2:]]:
            if person is None:
                table.add_row("…", f"{len(rows) - 5} more alike")
                continue
            table.add_row(
                person["recipient"], person["action"], person["rule"], person["fact"], person["variant"],
                _edits(account, person), arrived.get(person["recipient"], "-"),
            )  # fmt: skip
        self._say.print(f"stream {account['stream']} by classify entry {account['classified_by']}", highlight=False)
        self._say.print(table)

    def _diff(self, before: bytes, after: bytes) -> None:
        self._say.print("\n[bold]Before and after, one of the copies[/bold] (attachment left out)")
        old, new = (b"".join(part).decode("utf-8", "replace").splitlines() for part in ([before], [after]))
        lines = list(difflib.unified_diff(_shorter(old), _shorter(new), "as submitted", "as it left", lineterm="", n=1))
        self._say.print(Syntax("\n".join(line[:150] for line in lines), "diff", theme="ansi_dark", word_wrap=True))

    def _verifies(self, mail: Recorded) -> bool:
        return bool(dkim.verify(mail.content, dnsfunc=lambda name, timeout=5: self._dns.get(name.rstrip(b"."))))

    def _head(self, number: int, text: str) -> None:
        self._say.print()
        self._say.rule(f"[bold]{number}. {text}", align="left")

    def _check(self, what: str, true: bool) -> None:
        self._say.print(f"  [green]✓[/green] {what}" if true else f"  [red]✗ {what}[/red]")
        if not true:
            self.wrong.append(what)


def _bytes(mail: EmailMessage) -> bytes:
    return mail.as_bytes(policy=SMTP)


def _readable(content: bytes) -> bytes:
    """Raw bytes and every decoded text part, so that nothing hides behind an encoding."""
    parts = [
        p.get_payload(decode=True) or b"" for p in email.message_from_bytes(content).walk() if not p.is_multipart()
    ]
    return content + b"\n".join(p for p in parts if isinstance(p, bytes))


def _attachments(content: bytes) -> list[Any]:
    parts = email.message_from_bytes(content).walk()
    return [p.get_payload(decode=True) for p in parts if p.get_content_disposition() == "attachment"]


def _links(content: bytes, path: str) -> int:
    texts = [
        p.get_payload(decode=True)
        for p in email.message_from_bytes(content).walk()
        if p.get_content_maintype() == "text"
    ]
    return sum(path.encode() in text for text in texts if isinstance(text, bytes))


def _one_click_url(content: bytes) -> str:
    found = re.search(rb"^List-Unsubscribe: <([^>]+)>", content, re.M | re.I)
    return found[1].decode() if found else ""


def _signed_one_click(content: bytes) -> bool:
    message = email.message_from_bytes(content)
    signed = re.search(r"h=([^;]+)", message.get("DKIM-Signature", "").replace("\r\n", ""))
    names = {n.strip().lower() for n in signed[1].split(":")} if signed else set()
    return (
        message.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
        and bool(_one_click_url(content))
        and {"list-unsubscribe", "list-unsubscribe-post"} <= names
    )


def _post(url: str) -> int:
    data = urllib.parse.urlencode({"List-Unsubscribe": "One-Click"}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as answer:
        return int(answer.status) if answer.geturl() == url else 0


def _edits(account: dict[str, Any], person: dict[str, Any]) -> str:
    if person["action"] != "deliver":
        return "-"
    variant = person["variant"]
    counts: dict[str, int] = {}
    for item in account["variants"].get(variant, {"edits": []})["edits"]:
        name = item["filter"]
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{name} {n}" for name, n in counts.items()) or "none"


def _shorter(lines: list[str]) -> list[str]:
    """Without long runs of base64, which say nothing to a reader."""
    return [line for line in lines if not re.fullmatch(r"[A-Za-z0-9+/=]{60,}", line)]
