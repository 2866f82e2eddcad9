"""Mail with an attachment and two alternatives, and its expectation after an edit, for the tests of this room."""

from __future__ import annotations

from gateway.message.draft import Draft, Slot
from gateway.message.parse import Part, parse
from gateway.message.template import compile
from gateway.proof.expectation import Expectation, expect
from gateway.proof.reading import Reading

URL = b"https://afmelden.example/x/" + b"T" * 100
MAIL = (
    b"From: School <info@school.example>\r\nTo: jan@example.org\r\nSubject: Nieuws\r\n"
    b"Message-ID: <one@school.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    b"--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nDag caf\xc3\xa9\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Dag</p>\r\n--b--\r\n"
    b"--a\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--a--\r\n"
)


def edited(raw: bytes = MAIL, *, private: bool = True) -> tuple[bytes, Expectation]:
    """The finished copy with an opt-out in both alternatives and in the header, and what it must look like."""
    draft = Draft(parse(raw))
    for part in draft.message.text_parts():
        if not part.attachment:
            _append(draft, part)
    draft.append_field(b"List-Unsubscribe", (b"<", Slot.OPT_OUT, b">"), by="t", kind="t")
    finished = compile(draft, seven_bit=False).render({Slot.OPT_OUT: URL})
    return finished, expect(draft, Reading(raw), private=private)


def _append(draft: Draft, part: Part) -> None:
    end = len(draft.content(part))
    draft.splice(part, end, end, (b"Stop: ", Slot.OPT_OUT, b"\r\n"), by="t", kind="t")
