"""One target per parser and editor: what must hold for any octets.

what:       functions that raise when a promise is broken, and the seeds to start from
takes→gives: octets → nothing
knows not:  the fuzzer; the tests run every target on its seeds too
fails by:   `AssertionError`, or whatever the code under test lets escape
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dkim.canonicalization import Relaxed

from gateway.config.gateway import Limits
from gateway.decision import Action
from gateway.documents.inspect import inspect
from gateway.documents.protocol import Bounds
from gateway.filters import FILTERS, opt_out_place, readable, tokens, tracker_styles
from gateway.inspection import Item
from gateway.message import html
from gateway.message.addresses import addresses
from gateway.message.ambiguity import ambiguous_type, transfer_encoding
from gateway.message.ascii_fields import Unconvertible, ascii_value
from gateway.message.draft import Draft, Slot
from gateway.message.encodings import decode, encode_base64, encode_quoted_printable, scan
from gateway.message.headers import decode_words, header_text, parameters
from gateway.message.lines import long_lines
from gateway.message.parse import MalformedMessage, Message, Part, parse
from gateway.message.template import Uncompilable, compile
from gateway.signing.canonical import relaxed_body, relaxed_value
from tests.filters.example import context

MESSAGES = Path(__file__).resolve().parents[1] / "tests" / "messages"
_SLOTS = {Slot.OPT_OUT: b"https://afmelden.example/" + b"T" * 120, Slot.RECIPIENT: b"jan@school.example"}
_FIELDS = (b"Subject", b"To", b"Content-Type", b"Content-Disposition", b"Message-ID", b"List-Unsubscribe", b"Received")
_KINDS = (
    ("lijst.csv", "text/csv"),
    ("lijst.txt", "text/plain"),
    ("blad.html", "text/html"),
    ("brief.rtf", "application/rtf"),
    ("map.zip", "application/zip"),
    ("tekst.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("post.eml", "message/rfc822"),
    ("x.vcf", "text/vcard"),
)
_BOUNDS = Bounds(octets=2**20, members=50, texts=5000)


@dataclass(frozen=True, slots=True)
class Target:
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


def _parsed(raw: bytes) -> Message | None:
    try:
        return parse(raw, Limits())
    except MalformedMessage:
        return None


# --- targets ---


def message(raw: bytes) -> None:
    """Parsed or refused; spans lie in each other; rendering without edits gives the same octets."""
    parsed = _parsed(raw)
    if parsed is None:
        return
    for part in parsed.walk():
        assert 0 <= part.header[0] <= part.header[1] <= part.body[0] <= part.body[1] <= len(raw)
        assert all(part.body[0] <= c.header[0] and c.body[1] <= part.body[1] for c in part.children)
        for field in part.fields:
            header_text(parsed.raw_value(field))
    assert compile(Draft(parsed), seven_bit=False).render({}) == raw


def edit(raw: bytes) -> None:
    """Edits are in the result, all else is as it was, lines are short, and a second pass changes nothing more."""
    parsed = _parsed(raw)
    if parsed is None:
        return
    narrow = len(raw) % 2 == 0
    draft, expected = Draft(parsed), {}
    for part in parsed.text_parts():
        if not draft.why_not(part):
            end = len(draft.content(part))
            draft.splice(part, end, end, ("– slot ".encode("ascii", "replace"), Slot.OPT_OUT), by="fuzz", kind="end")
            expected[part.path] = draft.content(part) + b"? slot " + _SLOTS[Slot.OPT_OUT]
    for line in long_lines(parsed):
        if line.where == "body" and not _refused(draft, line.part):
            draft.rewrap(_part(parsed, line.part), by="fuzz", kind="wrap")
    try:
        written = compile(draft, seven_bit=narrow).render(_SLOTS)
    except Uncompilable:
        return
    _check_edited(draft, written, expected, narrow=narrow)


def _part(parsed: Message, path: str) -> Part:
    return next(part for part in parsed.walk() if part.path == path)


def _refused(draft: Draft, path: str) -> bool:
    try:
        Draft(draft.message).rewrap(_part(draft.message, path), by="fuzz", kind="try")
    except ValueError:
        return True
    return False


def _check_edited(draft: Draft, written: bytes, expected: dict[str, bytes], *, narrow: bool) -> None:
    before, after = draft.message, parse(written)
    assert not narrow or written.isascii()
    assert [p.path for p in after.walk()] == [p.path for p in before.walk()]
    for old, new in zip(before.walk(), after.walk(), strict=True):
        if old.children:
            continue
        content = decode(new.encoding, written[slice(*new.body)])
        if old.path in expected:
            assert content.removesuffix(b"\r\n") == expected[old.path].removesuffix(b"\r\n")
        elif not old.sealed and not old.broken:
            assert content.rstrip(b"\r\n") == decode(old.encoding, before.raw[slice(*old.body)]).rstrip(b"\r\n")
        else:
            assert written[slice(*new.body)] == before.raw[slice(*old.body)] or narrow
    assert compile(Draft(after), seven_bit=narrow).render({}) == written
    if not long_lines(before):
        assert not long_lines(after)


def headers(raw: bytes) -> None:
    """Parameters, encoded words, and the same value in ASCII."""
    flat = raw[:2000].replace(b"\r", b"").replace(b"\n", b"\r\n ").replace(b"\0", b"")
    read = parameters(flat)
    ambiguous_type(flat, read)
    transfer_encoding(flat)
    for span in read.spans:
        assert 0 <= span.start <= span.end <= len(flat)
    text = header_text(flat)
    decode_words(text)
    for name in _FIELDS:
        try:
            written = ascii_value(name, b" " + flat)
        except Unconvertible:
            continue
        assert flat.isascii() or written.isascii()
        assert b"\r\n" not in written.replace(b"\r\n ", b"").replace(b"\r\n\t", b"")
    if not flat.isascii() and b"=?" not in flat:  # an encoded word with 8-bit text in it is none
        assert "".join(header_text(ascii_value(b"Subject", flat)).split()) == "".join(text.split())


def address_lists(raw: bytes) -> None:
    """Never raises; what is an address once is one again when it is written alone."""
    for mailbox in addresses(raw):
        if mailbox.address is not None:
            (again,) = addresses(mailbox.address.reveal())
            assert again.address is not None
            assert again.address.exact() == mailbox.address.exact()


def encodings(raw: bytes) -> None:
    """What is encoded comes back; the charset of a part is scanned without an error."""
    label, _, content = raw.partition(b"\n")
    found = scan(label.decode("latin-1").strip().lower(), content)
    assert found.why_not or found.recoded or found.content == content
    assert decode("base64", encode_base64(content)) == content
    packed = encode_quoted_printable(content)
    assert decode("quoted-printable", packed) == content
    assert all(len(line) <= 76 for line in packed.split(b"\r\n"))
    decode("base64", raw)
    decode("quoted-printable", raw)


def markup(raw: bytes) -> None:
    """Every span is where it says, in order; the place for a footer is inside the text."""
    try:
        nodes = list(html.scan(raw))
    except html.Unscannable:
        return
    position = 0
    for node in nodes:
        assert 0 <= node.start <= node.end <= len(raw)
        if not node.within:
            assert node.start >= position
            position = node.start
        if isinstance(node, html.Tag):
            assert all(node.start < a.start <= a.end <= node.end for a in node.attributes)


def placement(raw: bytes) -> None:
    """A footer goes where nothing is cut, and a second look finds the same place for the same text."""
    place = opt_out_place.after_text(raw)
    assert 0 <= place.position <= len(raw)
    try:
        place = opt_out_place.html_place(raw)
    except html.Unscannable:
        return
    assert 0 <= place.position <= len(raw)


def styles(raw: bytes) -> None:
    """Addresses in style sheets: spans in order, in the text."""
    text = raw.decode("latin-1")
    try:
        found = tracker_styles.loads(text)
        tracker_styles.declarations(text)
    except tracker_styles.UnreadableStyle:
        return
    for load in found:
        assert 0 <= load.start <= load.end <= len(text)


def token_text(raw: bytes) -> None:
    """Never raises; a token is an address."""
    for token in tokens.tokens(raw.decode("utf-8", "replace")):
        assert "@" in token.address.reveal()


def reading(raw: bytes) -> None:
    """All readable text of a message comes out, whatever the message."""
    parsed = _parsed(raw)
    if parsed is not None:
        for _ in readable.pieces(Draft(parsed)):
            pass


def canonical(raw: bytes) -> None:
    """Linear, and equal to dkimpy's."""
    assert relaxed_body(raw) == Relaxed.canonicalize_body(raw if raw.endswith(b"\r\n") else raw + b"\r\n")
    relaxed_value(raw)


def documents(raw: bytes) -> None:
    """Any attachment is read or said to be unreadable, within its bounds."""
    name, media_type = _KINDS[raw[0] % len(_KINDS)] if raw else _KINDS[0]
    found = inspect([Item("1.2", name, media_type, raw[1:])], _BOUNDS, key=b"k" * 16)
    assert all(finding.where for finding in found.findings)


def filtered(raw: bytes) -> None:
    """A newsletter through every filter: what leaves is read again: short lines, 7 bit, all attachments."""
    parsed = _parsed(raw)
    if parsed is None:
        return
    draft, given = Draft(parsed), context()
    outcomes = [outcome for item in FILTERS for outcome in item.apply(draft, given)]
    try:
        written = compile(draft, seven_bit=True).render(_SLOTS)
    except Uncompilable:
        return
    after = parse(written)
    assert written.isascii()
    assert not long_lines(after) or any(outcome.action is Action.REFUSE for outcome in outcomes)
    kept = {decode(p.encoding, written[slice(*p.body)]).strip() for p in after.walk() if not p.children}
    for part in parsed.walk():
        if part.attachment and not part.children and not part.content_type.startswith(("text/", "message/")):
            assert decode(part.encoding, raw[slice(*part.body)]).strip() in kept


# --- seeds ---


def _messages() -> Iterator[bytes]:
    for path in sorted(MESSAGES.rglob("*.eml")):
        yield path.read_bytes()


def _values() -> Iterator[bytes]:
    for parsed in filter(None, map(_parsed, _messages())):
        for part in parsed.walk():
            yield from (parsed.raw_value(field).strip() for field in part.fields)


def _contents(kind: str) -> Callable[[], Iterator[bytes]]:
    def contents() -> Iterator[bytes]:
        for parsed in filter(None, map(_parsed, _messages())):
            for part in parsed.walk():
                if part.content_type.startswith(kind) and not part.children:
                    yield decode(part.encoding, parsed.raw[slice(*part.body)])

    return contents


def _sheets() -> Iterator[bytes]:
    for content in _contents("text/html")():
        yield from (content[n.start : n.end] for n in html.scan(content) if isinstance(n, html.Style))
    yield b"background:url(https://meten.example/p.gif);width:1px"


def _files() -> Iterator[bytes]:
    for content in _contents("")():
        yield b"\0" + content


TARGETS: dict[str, Target] = {
    "message": Target(message, _messages),
    "edit": Target(edit, _messages),
    "filters": Target(filtered, _messages),
    "headers": Target(headers, _values),
    "addresses": Target(address_lists, _values),
    "encodings": Target(encodings, _contents("text/")),
    "html": Target(markup, _contents("text/html")),
    "placement": Target(placement, _contents("text/")),
    "styles": Target(styles, _sheets),
    "tokens": Target(token_text, _contents("text/")),
    "readable": Target(reading, _messages),
    "dkim": Target(canonical, _contents("text/")),
    "documents": Target(documents, _files),
}
