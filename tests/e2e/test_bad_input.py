"""Hostile and broken mail: taken byte-exact or refused with a reason, and the gateway lives on in the same memory."""

from __future__ import annotations

import smtplib
import ssl

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import REZULTO, Sent, arrived, consent, dns, opt_out_url, person, send, texts, verifies
from tests.e2e.watching import peak, workers

OFFICE = "jan@rezulto.nl"
FLAT = 96 * 1024  # KiB that a worker may grow over all of this: a few times the largest message here
HEAD = (
    "From: Jan <jan@rezulto.nl>\r\nTo: {to}\r\nSubject: x\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
    "Message-ID: <{to}>\r\nMIME-Version: 1.0\r\n"
)


def letter(to: str, more: str, body: str | bytes) -> bytes:
    content = body if isinstance(body, bytes) else body.encode()
    return HEAD.format(to=to).encode() + more.encode() + b"\r\n" + content


def office(stage: Stage, who: str, content: bytes) -> Sent:
    return send(stage, "rezulto-office", content, [who], sender=OFFICE)


def parts(number: int) -> tuple[str, str]:
    body = "".join("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" for _ in range(number))
    return 'Content-Type: multipart/mixed; boundary="b"\r\n', body + "--b--\r\n"


def nested(depth: int) -> tuple[str, str]:
    opened = "".join(f'--b{n}\r\nContent-Type: multipart/mixed; boundary="b{n + 1}"\r\n\r\n' for n in range(depth))
    return 'Content-Type: multipart/mixed; boundary="b0"\r\n', opened


def still_works(stage: Stage) -> None:
    who = person()
    assert office(stage, who, letter(who, "", "Hallo\r\n")).code == 250
    assert len(arrived(stage, [who])) == 1


@pytest.mark.parametrize(
    ("more", "body", "expected"),
    [
        pytest.param(*parts(10_000), "550 5.6.0", id="10 000 parts"),
        pytest.param(*nested(1_000), "550 5.6.0", id="1 000 deep"),
        pytest.param("".join(f"X-{n}: {'a' * 900}\r\n" for n in range(1_200)), "x\r\n", "5", id="1 MB of header"),
        pytest.param("X-Long: " + "a" * 999_000 + "\r\n", "x\r\n", "5", id="one field of 1 MB"),
        pytest.param("".join("X: y\r\n" for _ in range(5_000)), "x\r\n", "5", id="5 000 fields"),
        pytest.param("Content-Type: message/partial; id=x; number=1; total=2\r\n", "x\r\n", "550 5.6.1", id="partial"),
        pytest.param("Subject: again\r\n", "x\r\n", "550 5.6.0", id="a field twice"),
        pytest.param("From: Eve <eve@rezulto.nl>\r\n", "x\r\n", "550 5.6.0", id="two authors"),
    ],
)  # fmt: skip
def test_what_no_reader_could_trust_is_refused_with_a_reason_in_the_same_memory(
    shared: Stage, more: str, body: str, expected: str
) -> None:
    still_works(shared)
    running = workers(shared)
    before = {pid: peak(pid) for pid in running}
    who = person()
    sent = office(shared, who, letter(who, more, body))
    assert f"{sent.code} {sent.reply}".startswith(expected), sent.reply
    assert len(sent.reply) > len("5.6.0 "), "and says why"
    assert who not in sent.reply
    assert workers(shared) == running, "nobody died of it"
    assert max(peak(pid) - before[pid] for pid in running) < FLAT
    still_works(shared)


BROKEN = [
    pytest.param('Content-Type: multipart/mixed; boundary="b"\r\n', "--b\r\n\r\nno end\r\n", id="no closing boundary"),
    pytest.param("Content-Type: multipart/mixed\r\n", "no boundary at all\r\n", id="no boundary"),
    pytest.param("Content-Transfer-Encoding: base64\r\n", "!!! this is no base64 ===\r\n", id="broken base64"),
    pytest.param("Content-Transfer-Encoding: quoted-printable\r\n", "=ZZ =\r\n", id="broken quoted-printable"),
    pytest.param("Content-Type: text/plain; charset=no-such-set\r\n", "x\r\n", id="unknown charset"),
    pytest.param("Content-Type: ;;;=\r\n", "x\r\n", id="nonsense type"),
    pytest.param("X-Unended: =?utf-8?q?abc\r\n", "x\r\n", id="unended encoded word"),
]


@pytest.mark.parametrize(("more", "body"), BROKEN)
def test_i5_broken_mime_that_no_rule_needs_passes_byte_exact(shared: Stage, more: str, body: str) -> None:
    who = person()
    content = letter(who, more, body)
    sent = office(shared, who, content)
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    assert copy.content.endswith(content)


@pytest.mark.parametrize(("more", "body"), BROKEN)
def test_broken_mime_that_a_rule_needs_is_edited_wholly_or_not_sent_at_all(shared: Stage, more: str, body: str) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips")])
    marks = "Briefgeheim-Stream: newsletter\r\nBriefgeheim-List: lestips\r\nBriefgeheim-Basis: consent\r\n"
    content = letter(who, marks + more, body).replace(OFFICE.encode(), REZULTO.encode())
    sent = send(shared, "rezulto-crm", content, [who])
    if sent.code == 250:
        (copy,) = arrived(shared, [who])
        assert b"List-Unsubscribe: <" in copy.content
        assert b"Briefgeheim-" not in copy.content
    else:
        assert sent.reply[:4] in ("5.6.", "5.7."), sent.reply


def test_r049_marketing_whose_end_is_missing_leaves_closed_with_its_opt_out(shared: Stage) -> None:
    who = person()
    shared.people("rezulto", [consent(who, "list:lestips")])
    marks = "Briefgeheim-Stream: newsletter\r\nBriefgeheim-List: lestips\r\nBriefgeheim-Basis: consent\r\n"
    file = "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
    more = marks + 'Content-Type: multipart/mixed; boundary="b"\r\n'
    content = letter(who, more, "--b\r\nContent-Type: text/plain\r\n\r\nDag.\r\n" + file)
    assert send(shared, "rezulto-crm", content.replace(OFFICE.encode(), REZULTO.encode()), [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert copy.content.endswith(file.encode() + b"--b--\r\n")
    assert [opt_out_url(copy.content) in text for text in texts(copy.content).values()] == [True]
    assert verifies(copy.content, dns(shared))


def test_a_line_over_998_octets_is_wrapped_where_it_may_be_and_refused_where_not(shared: Stage) -> None:
    who = person()
    sent = office(shared, who, letter(who, "", "a" * 5_000 + "\r\n"))
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    assert max(map(len, copy.content.split(b"\r\n"))) <= 998
    signed = 'Content-Type: multipart/signed; boundary="b"; protocol="application/pgp-signature"; micalg=pgp-sha256\r\n'
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\n" + "a" * 5_000 + "\r\n--b\r\n"
        "Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
    )
    refused = office(shared, who, letter(who, signed, body))
    assert refused.code == 550, refused.reply


def test_r043_8_bit_in_the_header_without_smtputf8_leaves_in_ascii_and_says_the_same(shared: Stage) -> None:
    who = person()
    content = letter(who, "X-Name: Zo\u00eb\r\n", "x\r\n")
    sent = office(shared, who, content)
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    assert copy.content.endswith(content.replace("Zo\u00eb".encode(), b"=?utf-8?q?Zo=C3=AB?="))


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r"])
def test_i8_smuggled_ends_are_refused_and_nothing_of_them_arrives(shared: Stage, end: bytes) -> None:
    who, victim = person(), person()
    inner = f"MAIL FROM:<{OFFICE}>\r\nRCPT TO:<{victim}>\r\nDATA\r\n".encode() + letter(victim, "", "smuggled\r\n")
    context = ssl.create_default_context(cafile=str(shared.folder / "certificate.pem"))
    address, port = shared.ports["submission"]
    with smtplib.SMTP(address, port, timeout=180) as session:
        session.starttls(context=context)
        session.login("rezulto-office", shared.secrets["rezulto-office"])
        session.mail(OFFICE)
        session.rcpt(who)
        assert session.docmd("DATA")[0] == 354
        session.send(letter(who, "", b"x" + end + inner) + b"\r\n.\r\n")
        code, text = session.getreply()
        assert (code, text[:5]) == (550, b"5.5.2")
    still_works(shared)
    assert not [m for m in shared.recorder.mails if m.recipient in (who, victim)]


def test_twenty_large_mails_at_once_stay_within_bounds(shared: Stage) -> None:
    running = workers(shared)
    before = {pid: peak(pid) for pid in running}
    people = [person() for _ in range(5)]
    for who in people:
        content = letter(who, "", ("x" * 76 + "\r\n") * 65_000)  # 5 MB each
        assert office(shared, who, content).code == 250
    assert len(arrived(shared, people)) == 5
    assert max(peak(pid) - before[pid] for pid in running) < FLAT
    assert workers(shared) == running


def test_mail_with_no_date_id_or_body_is_made_whole(shared: Stage) -> None:
    who = person()
    sent = office(shared, who, b"From: jan@rezulto.nl\r\nTo: %b\r\n\r\n" % who.encode())
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    assert copy.content.count(b"\r\nDate: ") == copy.content.count(b"\r\nMessage-ID: ") == 1
