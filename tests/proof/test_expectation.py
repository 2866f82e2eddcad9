"""What is written down about a copy before it is sealed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.message.draft import Draft, Slot
from gateway.message.parse import parse
from gateway.message.template import compile as compile_template
from gateway.proof.examine import examine
from gateway.proof.expectation import Expectation, expect
from gateway.proof.reading import Reading
from tests.proof.mail import edited


def test_it_names_the_parts_that_were_edited_and_counts_the_opt_outs() -> None:
    _, made = edited()
    assert (made.changed, made.edits, made.opt_outs, made.listed, made.private) == ((2, 3), 2, 2, True, True)


def test_it_comes_back_from_json_as_it_was() -> None:
    _, made = edited()
    for value in (made, replace(made, changed=None)):
        assert Expectation.from_json(json.loads(json.dumps(value.to_json()))) == value


@pytest.mark.parametrize("stored", [{}, {"nodes": 3}, {"nodes": [[1, 2]], "changed": []}])
def test_another_shape_is_an_error(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Expectation.from_json(stored)


URL = "https://afmelden.example/" + "T" * 100
HEAD = b"From: a@example.org\r\nDate: Sun, 22 Nov 2026 09:30:00 +0100\r\nMessage-ID: <1@example.org>\r\n"


def differences(draft: Draft) -> list[str]:
    made = expect(draft, Reading(draft.message.raw), private=False)
    octets = compile_template(draft, seven_bit=True).render({Slot.OPT_OUT: URL.encode()})
    return examine(octets, Reading(octets), made, opt_out=URL, key=None)


def test_a_wrapped_message_is_expected_as_the_first_part_of_another() -> None:
    signed = b"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n"
    signed += b"--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n"
    draft = Draft(parse(HEAD + signed))
    draft.wrap((b"Stop:\r\n", Slot.OPT_OUT, b"\r\n"), by="opt_out", kind="opt-out-wrapped")
    assert differences(draft) == []
    made = expect(draft, Reading(draft.message.raw), private=False)
    assert [(n.depth, n.media_type) for n in made.nodes][:2] == [(0, "multipart/mixed"), (1, "multipart/signed")]
    assert (made.changed, made.opt_outs, made.edits) == ((4,), 1, 1)


@pytest.mark.parametrize(
    "line", [b"From a@example.org Sun Nov 22 2026\r\n", b">From a@example.org Sun Nov 22 2026\r\n", b" \t\r\n", b""]
)
def test_headers_that_were_mended_are_read_as_they_are_then(line: bytes) -> None:
    mime = b"Subject : x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    draft = Draft(parse(line + HEAD + mime + b"--b\r\n\r\nx\r\n--b--\r\n"))
    draft.remove_lead(by="header_hygiene", kind="mailbox-line")
    draft.join_name(draft.message.fields("subject")[0], by="header_hygiene", kind="spaced-name")
    assert differences(draft) == []


_OUTER, _INNER = (b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n" % name for name in (b"uit", b"in"))
_FILE = b"--uit\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"


@pytest.mark.parametrize(
    "body",
    [
        _OUTER + b"--uit\r\n\r\ntekst\r\n" + _FILE,
        _OUTER + _FILE + b"--uit\r\n" + _INNER + b"--in\r\n\r\ntekst\r\n\r\n",
        _OUTER + b"--uit\r\n" + _INNER + b"--in\r\n\r\ntekst\r\n" + _FILE + b"--uit--\r\n",
        _OUTER + b"--uit\r\nContent-Type: text/plain\r\n" + _FILE + b"--uit--\r\n",
        _OUTER + b"--uit\r\n\r\ntekst\r\n" + _FILE + b"--uit\r\n",
        b"Content-Transfer-Encoding: platweg\r\n\r\ntekst\r\n",
        b"",
    ],
)
def test_r049_what_was_mended_on_the_way_is_no_difference(body: bytes) -> None:
    draft = Draft(parse(HEAD + b"MIME-Version: 1.0\r\n" + body))
    text = next(part for part in draft.message.text_parts() if not draft.why_not(part))
    end = len(draft.content(text))
    draft.splice(text, end, end, (b"\r\n", Slot.OPT_OUT, b"\r\n"), by="opt_out", kind="opt-out-text")
    assert differences(draft) == []
    assert expect(draft, Reading(draft.message.raw), private=False).opt_outs == 1
