"""Where in a mail an address can be read."""

from __future__ import annotations

import base64
import quopri

import pytest

from gateway.filters.leak_check import find
from gateway.filters.readable import pieces
from gateway.message.draft import Draft
from tests.filters.mail import draft

ANNA = b"1e:anna@example.org"
HEAD = "From: info@voorbeeld.example\nMIME-Version: 1.0\n"


def places(text: str | bytes | Draft) -> tuple[str, ...]:
    found = find(text if isinstance(text, Draft) else draft(text))
    return next((where for address, where in found.items() if address.exact() == ANNA), ())


def part(kind: str, body: str | bytes, encoding: str = "8bit", more: str = "") -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    if encoding == "base64":
        raw = base64.encodebytes(raw)
    elif encoding == "quoted-printable":
        raw = quopri.encodestring(raw)
    fields = f"Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n{more}\n"
    return HEAD.encode() + fields.encode() + raw + b"\n"


def mixed(inner: str) -> str:
    return (
        f'{HEAD}Content-Type: multipart/mixed; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\nhello\n--b\n{inner}\n--b--\n"
    )


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("To: Anna <anna@example.org>", "header to"),
        ("Cc: x:\n anna@example.org;", "header cc"),
        ("To: anna @ example.org", "header to"),
        ("To: anna(comment)@example.org", "header to"),
        ("Subject: =?utf-8?B?" + base64.b64encode(b"voor anna@example.org").decode() + "?=", "header subject"),
        ("Subject: =?utf-8?Q?voor_anna=40example.org?=", "header subject"),
        ("X-Note: mailto:anna%40example.org", "header x-note"),
        ("Received: from a by b for <anna@example.org>; x", "header received"),
        ("X-Anna@x: anna@example.org", "header other"),
        ("References: <anna@example.org>", "~header references"),
    ],
)
def test_header_fields_raw_and_decoded(field: str, place: str) -> None:
    assert place in places(f"{HEAD}{field}\n\nhello\n")


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", "beste anna@example.org,"),
        ("text/plain; charset=utf-7", b"anna+AEA-example.org"),
        ("text/plain; charset=nonsense", "anna@example.org"),
        ("text/html", "<p>anna@example.org</p>"),
        ("text/html", "<p>anna&#64;example.org</p>"),
        ("text/html", "<p>anna&#x40;example.org</p>"),
        ("text/html", "<p>anna&commat;example.org</p>"),
        ("text/html", "<p>&#97;nna&#64;example&period;org</p>"),
        ("text/html", '<a href="mailto:anna%40example.org">x</a>'),
        ("text/html", "<a href=https://x.example/?u=anna%2540example.org&amp;v=1>x</a>"),
        ("text/html", "anna<b></b>@<i>example</i>.org"),
        ("text/html", "anna<!-- x -->@example<wbr>.org"),
        ("text/html", "<!-- anna@example.org -->"),
        ("text/html", "<style>/* anna@example.org */</style>"),
        ("text/csv", "naam;mail\nAnna;anna@example.org\n"),
        ("text/calendar", "BEGIN:VEVENT\r\nATTENDEE;CN=Anna:mailto:anna@exam\r\n ple.org\r\n"),
        ("text/vcard", "EMAIL:anna@example.o\r\n\trg\r\n"),
        ("application/json", '{"mail": "anna@example.org"}'),
        ("application/atom+xml", "<email>anna@example.org</email>"),
    ],
)
def test_text_of_every_readable_kind(kind: str, body: str | bytes, encoding: str) -> None:
    assert places(part(kind, body, encoding))


def test_text_in_two_octets_a_character() -> None:
    assert places(part("text/plain; charset=utf-16", "\ufeffanna@example.org".encode("utf-16-be"), "base64"))


@pytest.mark.parametrize("name", ["lijst.csv", "LIJST.TXT", "x.ics"])
def test_attachments_whose_name_says_that_they_are_text(name: str) -> None:
    more = f'Content-Disposition: attachment; filename="{name}"\n'
    assert places(part("application/octet-stream", "anna@example.org", "base64", more)) == ("part 1",)


@pytest.mark.parametrize(
    "more",
    [
        'Content-Disposition: attachment; filename="anna@example.org.pdf"\n',
        "Content-Disposition: attachment; filename*=utf-8''anna%40example.org\n",
        "Content-Disposition: attachment; filename*0=anna@exam; filename*1=ple.org\n",
        'Content-Disposition: attachment; filename="=?utf-8?B?YW5uYUBleGFtcGxlLm9yZw==?="\n',
    ],
)
def test_file_names(more: str) -> None:
    found = find(draft(part("application/pdf", b"%PDF", "base64", more)))
    assert any(a.exact().startswith(b"1e:anna@example.org") for a in found)


def test_forwarded_messages_with_header_and_text() -> None:
    inner = "Content-Type: message/rfc822\n\nTo: anna@example.org\nSubject: x\n\nhello"
    assert places(mixed(inner)) == ("part 1.2.1 header to",)
    assert places(mixed("Content-Type: message/rfc822\n\nSubject: x\n\n> To: anna@example.org")) == ("part 1.2.1",)


def test_an_encoded_forwarded_message_is_read_too() -> None:
    inner = base64.encodebytes(b"To: anna@example.org\r\n\r\nhello").decode()
    text = mixed(f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}")
    assert places(text) == ("part 1.2", "part 1.2 inside header to")


def test_what_stands_between_the_parts() -> None:
    text = mixed("Content-Type: text/plain\n\nx").replace("\n\n--b", "\n\nanna@example.org\n--b", 1)
    assert places(text) == ("part 1 between",)
    assert places(mixed("Content-Type: text/plain\n\nx") + "anna@example.org\n") == ("part 1 between",)


def test_signed_text_is_read_though_it_cannot_be_edited() -> None:
    text = (
        f'{HEAD}Content-Type: multipart/signed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nanna@example.org\n--b\nContent-Type: application/pgp-signature\n\ny\n--b--\n"
    )
    assert places(text) == ("part 1.1",)
    opaque = part("application/pkcs7-mime; smime-type=signed-data", b"0\x80anna@example.org\x00", "base64")
    assert places(opaque) == ("~part 1",)


def test_binary_attachments_in_base64_are_not_decoded() -> None:
    edited = draft(part("application/pdf", b"anna@example.org", "base64"))
    assert places(edited) == ()
    assert not edited._scans


def test_text_without_any_sign_gives_nothing_to_look_at() -> None:
    assert [p for p, _, _ in pieces(draft("Subject: x\n\nhello 100% & more\n"))] == []


def test_what_an_edit_takes_out_is_not_seen_and_what_it_puts_in_is() -> None:
    edited = draft(f"{HEAD}To: anna@example.org\nCc: bert@example.org\n\nbeste anna@example.org, hallo\n")
    edited.remove_field(edited.message.fields("to")[0], by="t", kind="t")
    edited.replace_value(edited.message.fields("cc")[0], (b"carla@example.org",), by="t", kind="t")
    content = edited.content(edited.message.root)
    start = content.index(b"anna")
    edited.splice(
        edited.message.root, start, start + len(b"anna@example.org"), (b"dirk@example.org",), by="t", kind="t"
    )
    seen = {a.exact() for a in find(edited)}
    assert seen == {b"1e:info@voorbeeld.example", b"1e:carla@example.org", b"1e:dirk@example.org"}
