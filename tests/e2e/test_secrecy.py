"""Nothing of a mail can be read here in plain text, before or after it left, in whatever spelling (S-01, I-7)."""

from __future__ import annotations

import base64
import quopri
import re
import secrets
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from gateway.demo.stage import Stage
from tests.e2e.altered import NOBODY_LIVES_HERE, Altered
from tests.e2e.post import PAREL, Sent, consent, mail, one_click, opt_out_url, send, settled, wait
from tests.e2e.traces import files

OFFICE, CRM = "kleine-parel-office", "kleine-parel-crm"


def canary(what: str) -> str:
    """A word that occurs nowhere else in the world, with a letter that encodings treat differently."""
    return f"{what}{secrets.token_hex(6)}\u00e9{secrets.token_hex(3)}"


def plain_canary(what: str) -> str:
    return f"{what}{secrets.token_hex(8)}"


def spellings(word: str) -> Iterator[bytes]:
    """The word as it may stand in a file: in several charsets and encodings."""
    raw = word.encode()
    for charset in ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "utf-7"):
        yield word.encode(charset)
    yield quopri.encodestring(raw, quotetabs=True)
    yield b"".join(b"=%02X" % octet for octet in raw)
    yield from (octets.hex().encode() for octets in (raw, word.encode("utf-16-le"), word.encode("utf-16-be")))
    yield raw.hex().upper().encode()
    yield re.sub(rb"[^\w]", lambda m: b"%%%02X" % m[0][0], raw)
    for octets in (raw, word.encode("utf-16-le"), word.encode("utf-16-be")):
        for shift in range(3):  # base64 of the word at each place in a group of three, without its uncertain ends
            encoded = base64.b64encode(b"\0" * shift + octets + b"\0" * (-(shift + len(octets)) % 3))
            yield encoded[4:-4]
    yield from (raw.upper(), raw.lower(), raw[::-1])


@dataclass
class Watch:
    """Words that must not be found, and everything the gateway said."""

    altered: Altered
    words: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        return self.altered.stage

    def hide(self, *words: str) -> tuple[str, ...]:
        self.words += words
        return words

    def hear(self, sent: Sent) -> Sent:
        self.said += [sent.reply, *(text for _, text in sent.refused.values())]
        return sent

    def check(self) -> None:
        places = dict(self._places())
        assert len(places) > 10
        for word in self.words:
            for spelling in set(spellings(word)):
                found = [name for name, content in places.items() if spelling in content]
                assert not found, f"{word} as {spelling!r} in {found}"

    def _places(self) -> Iterator[tuple[str, bytes]]:
        for file, content in files(self.stage.state):
            yield str(file.relative_to(self.stage.state)), content
        yield "log", self.stage.log.read_bytes()
        for path in ("/metrics", "/healthz", "/readyz"):
            yield path, self.stage.get("observe", path)[1].encode()
        yield "replies", "\n".join(self.said).encode()
        for state in ("", "held", "queued", "delivered", "failed", "blocked"):
            arguments = ["--state", state] if state else []
            yield f"queue {state}", self.stage.command("queue", "list", "--json", *arguments, ok=False).encode()


@pytest.fixture
def watch(altered: Altered) -> Watch:
    return Watch(altered)


def secret_mail(watch: Watch, to: Iterable[str], **marks: str) -> bytes:
    """A mail whose every part holds a canary."""
    subject, text, page, name, kept, ident = watch.hide(
        canary("onderwerp"), canary("tekst"), canary("pagina"), canary("naam"), canary("bijlage"), plain_canary("id")
    )
    message = mail(PAREL, list(to), text=f"{text}\n", html=f"<p>{page}</p>", subject=subject, **marks)
    del message["From"], message["Message-ID"]
    message["From"] = f'"{name}" <{PAREL}>'
    message["Message-ID"] = f"<{ident}@dekleineparel.nl>"
    message.add_attachment(kept.encode(), maintype="application", subtype="octet-stream", filename=f"{kept}.bin")
    return message.as_bytes().replace(b"\n", b"\r\n")


def somebody(watch: Watch, prefix: str = "") -> str:
    local, domain = watch.hide(plain_canary("persoon"), plain_canary("domein"))
    return f"{prefix}{local}@{domain}.example"


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_the_search_itself_sees_through_encodings(before: str) -> None:
    word = canary("zoek")
    text = f"{before}{word}, en meer"
    hiding = [text.encode(), text.encode("utf-16"), base64.b64encode(text.encode()), quopri.encodestring(text.encode())]
    hiding += [base64.b64encode(text.encode("utf-16-le")), text.encode().hex().encode()]
    for place in hiding:
        assert any(spelling in place for spelling in spellings(word)), place


def test_s01_while_it_waits_after_delivery_and_when_it_failed(watch: Watch) -> None:
    mailing = watch.altered.mailing.script
    arriving, waiting = somebody(watch), somebody(watch)
    gone = somebody(watch, NOBODY_LIVES_HERE)  # the provider's refusal quotes the address
    watch.stage.people("kleine-parel", [consent(waiting, "list:nieuwsbrief")])
    mailing.rcpt = lambda argument: f"451 4.2.1 {argument} later" if waiting in argument else ""
    try:
        marks = {"stream": "newsletter", "list": "nieuwsbrief"}
        late = watch.hear(send(watch.stage, CRM, secret_mail(watch, [waiting], **marks), [waiting], sender=PAREL))
        ids = [late.id]
        for who in (arriving, gone):
            sent = watch.hear(send(watch.stage, OFFICE, secret_mail(watch, [who]), [who], sender=PAREL))
            assert sent.code == 250
            ids.append(sent.id)
        watch.altered.at_office(arriving)
        wait(lambda: _attempted(watch.stage, late.id), "an attempt that was put off")
        watch.check()
    finally:
        mailing.rcpt = ""
    watch.stage.command("queue", "retry", late.id, "--operator", "test", "--reason", "provider is back")
    (copy,) = watch.altered.at_mailing(waiting)
    settled(watch.stage)
    assert one_click(opt_out_url(copy.content)) == 200
    watch.hide(opt_out_url(copy.content).rpartition("/")[2])
    watch.check()


def _attempted(stage: Stage, message: str) -> bool:
    rows = stage.command("queue", "list", "--json").splitlines()
    return any(message in row and '"attempts": 1' in row for row in rows)


def test_s01_held_mail_and_split_mail(watch: Watch) -> None:
    people = [somebody(watch) for _ in range(3)]
    watch.stage.people("kleine-parel", [consent(p, "list:nieuwsbrief") for p in people])
    marks = {"stream": "newsletter", "list": "nieuwsbrief"}
    shown = mail(PAREL, people[:1], text=f"Ook voor {people[1]}.\n", **marks)
    held = watch.hear(send(watch.stage, CRM, shown, people[:1]))
    assert held.id in watch.stage.command("queue", "list", "--state", "held", "--json")
    split = watch.hear(send(watch.stage, CRM, secret_mail(watch, people, **marks), people, sender=PAREL))
    assert split.code == 250
    for person in people:
        watch.altered.at_mailing(person)
    watch.check()


def test_s01_refused_mail_is_not_quoted_in_any_reply_or_record(watch: Watch) -> None:
    who = somebody(watch)
    refused = [
        (CRM, secret_mail(watch, [who], stream="newsletter", list="nieuwsbrief"), PAREL),  # no consent
        (CRM, secret_mail(watch, [who]), PAREL),  # no kind
        (CRM, secret_mail(watch, [who], stream="newsletter", list=watch.hide(plain_canary("lijst"))[0]), PAREL),
        (CRM, secret_mail(watch, [who], stream=watch.hide(plain_canary("soort"))[0]), PAREL),
        (OFFICE, secret_mail(watch, [who]), somebody(watch)),  # a foreign return path
        (OFFICE, secret_mail(watch, [who]).replace(b"\r\n\r\n", f"\r\n{somebody(watch)} \r\n\r\n".encode(), 1), PAREL),
        (OFFICE, secret_mail(watch, [who]).replace(b"utf-8", somebody(watch).encode()), PAREL),
        (OFFICE, secret_mail(watch, [who]).replace(b"Subject:", 2 * f"Bcc: {who}\r\n".encode() + b"Subject:"), PAREL),
    ]  # fmt: skip
    for client, raw, path in refused:
        watch.hear(send(watch.stage, client, raw, [who], sender=path))
    assert sum(reply[:5] in ("5.7.1", "5.6.0") for reply in watch.said) >= 6
    watch.check()


def test_s01_wrong_commands_logins_and_links_are_not_quoted(watch: Watch) -> None:
    user, secret, word, token = watch.hide(*(plain_canary(w) for w in ("gebruiker", "geheim", "opdracht", "token")))
    with watch.stage.login(OFFICE) as session:
        for line in (word, f"MAIL FROM:<{somebody(watch)}", f"RCPT TO:<{somebody(watch)}>", f"VRFY {somebody(watch)}"):
            watch.said.append(str(session.docmd(line)))
        session.mail(PAREL)
        for line in (f"RCPT TO:<{word} {word}>", f"RCPT TO:<{somebody(watch)}> {word}=1"):
            watch.said.append(str(session.docmd(line)))
    with watch.stage.login(OFFICE) as session:
        pass
    address, port = watch.stage.ports["submission"]
    _login_fails(watch, address, port, user, secret)
    for path in (f"/kleine-parel/{token}", f"/{token}/x"):
        try:
            urllib.request.urlopen(watch.stage.url("web", path), timeout=180)
        except urllib.error.HTTPError as error:
            watch.said.append(error.read().decode())
    watch.check()


def _login_fails(watch: Watch, address: str, port: int, user: str, secret: str) -> None:
    with smtplib.SMTP(address, port, timeout=180) as session:
        session.starttls(context=ssl.create_default_context(cafile=str(watch.stage.folder / "certificate.pem")))
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            session.login(user, secret)
        watch.said.append(str(refused.value))


def test_s01_what_an_operator_imports_is_not_kept_as_it_came(watch: Watch) -> None:
    who = somebody(watch)
    watch.stage.people("kleine-parel", [consent(who, "list:nieuwsbrief"), {"address": who, "kind": "erasure"}])
    shown = watch.stage.command("trace", "--to", who, "--operator", "test", "--reason", "asked by phone")
    assert who not in shown
    watch.check()
