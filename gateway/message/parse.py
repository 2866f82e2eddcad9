"""Where everything stands in one message: header fields and parts as offsets in the bytes that came in.

what:       the byte-span map of a message; nothing is decoded, copied or changed
takes→gives: bytes → `Message` (fields, part tree)
knows not:  recipients, settings beyond its limits, why anyone asks
fails by:   `MalformedMessage`, with the reply to give; odd but unambiguous parts are marked `broken` instead
standard:   RFC 5322 2, RFC 2045, RFC 2046 5, RFC 1847, RFC 8551; R-012, R-048, R-049, R-050, I-6, I-8
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from gateway import base64_lines
from gateway.config.gateway import Limits
from gateway.message.ambiguity import ambiguous_base64, ambiguous_type, transfer_encoding
from gateway.message.delimiters import AFTER, UNCLOSED, Split, TooMany, split, stands_alone
from gateway.message.encodings import IDENTITY
from gateway.message.headers import Parameters, decode_words, header_text, parameters
from gateway.message.kinds import FILES, FORBIDDEN, NESTED, SEALED, is_attachment, pgp_text
from gateway.reply import BARE_LINE_END, LOOP, MALFORMED, TOO_BIG, UNSUPPORTED_MEDIA, Reply

MOST_RECEIVED = 100  # R-012, RFC 5321 6.3
_SCANS = 16  # how often, on average, an octet may be searched for boundaries: nesting large content deeply is an attack
_DEEPEST = 200  # whatever the settings say: one level is one call
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:()[^\r\n]*(?:\r\n[ \t][^\r\n]*)*(?:\r\n|\Z)")
_LEAD = re.compile(rb">?From [^\r\n]*\r\n|(?:[ \t]+\r\n)+")
NOTHING = "a part of nothing"
# Why a part is `broken` though all readers see the same bytes as its body.
HARMLESS = frozenset(
    {
        *(UNCLOSED, AFTER, NOTHING, "two Content-Disposition fields"),
    }
)
_ONCE = (
    *("From", "Date", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-ID"),
    *("Content-Description", "Content-Language", "Content-Location", "Content-MD5"),
)


class MalformedMessage(ValueError):
    """Not a message we may pass. `reason` never quotes it, `offset` is where, `reply` a constant to answer with."""

    def __init__(self, reason: str, offset: int, reply: Reply = MALFORMED) -> None:
        super().__init__(f"{reason} (octet {offset})")
        self.reason = reason
        self.offset = offset
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `raw[start:end]` is all of it with its CRLF; the value starts at `value`, after the colon."""

    name: bytes
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME entity; offsets count in the whole message.

    `path` is "1" for the root, then "1.1", "1.2.1" …; a message/rfc822 part has the root of the inner message as its
    only child. `header` ends after the last field, before the blank line. `sealed` says why the part is opaque ("" when
    it is not), `broken` why it can be passed on but not edited. A multipart that is `unclosed` has no closing boundary,
    and all readers take it alike: what is edited in it gets one.
    """

    path: str
    fields: tuple[Field, ...]
    header: tuple[int, int]
    body: tuple[int, int]
    children: tuple[Part, ...]
    content_type: str
    parameters: Mapping[str, str]
    charset: str
    encoding: str
    disposition: str
    filename: str
    attachment: bool
    sealed: str
    broken: str
    unclosed: bool = False

    @property
    def bare(self) -> bool:
        """No blank line ends the header, so there is no body; whoever writes one writes that line too."""
        return self.header[1] == self.body[0]

    @property
    def opaque(self) -> bool:
        """Signed or encrypted: never edited inside (I-6)."""
        return bool(self.sealed)


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message: its bytes and the tree over them."""

    raw: bytes
    root: Part
    _index: Mapping[bytes, tuple[Field, ...]] = field(repr=False)

    def walk(self) -> Iterator[Part]:
        """All parts, depth first, the content of message/rfc822 parts included."""
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))

    def fields(self, name: str) -> tuple[Field, ...]:
        """Fields of the top header with this name, in any case, in order."""
        return self._index.get(name.lower().encode("latin-1", "replace"), ())

    def raw_value(self, field: Field) -> bytes:
        """The value as written: after the colon, still folded, without the last CRLF."""
        return _value(self.raw, field)

    def text_value(self, field: Field) -> str:
        """The value unfolded, its encoded words decoded, stripped. Bounded by the header limit of `parse`."""
        return header_text(_value(self.raw, field))

    def text_parts(self) -> tuple[Part, ...]:
        """The text/plain and text/html a reader sees: no attachments, nothing opaque or inside message/rfc822.

        The two halves of a multipart/appledouble are one file (RFC 1740), whatever they say about themselves.
        """
        found: list[Part] = []
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            if part.sealed or part.attachment or part.content_type in FILES:
                continue
            if part.content_type in ("text/plain", "text/html") and not part.children:
                found.append(part)
            waiting.extend(reversed(part.children))
        return tuple(found)


def bare_line_ends(raw: bytes) -> bool:
    """Whether there is a CR without LF, an LF without CR, or a NUL (I-8). Three passes at memory speed."""
    return any(not base64_lines.lines(piece) and _bare(piece) for piece in base64_lines.stretches(raw))


def _bare(piece: bytes) -> bool:
    pairs = piece.count(b"\r\n")
    return piece.count(b"\n") != pairs or piece.count(b"\r") != pairs or b"\0" in piece


def parse(raw: bytes, limits: Limits = Limits()) -> Message:  # noqa: B008 - frozen value
    """Map a message. Raises `MalformedMessage` for what is over the limits, ambiguous or not allowed out."""
    if len(raw) > limits.message_size:
        raise MalformedMessage("message over the size limit", limits.message_size, TOO_BIG)
    if bare_line_ends(raw):
        raise MalformedMessage("bare CR, bare LF or NUL", 0, BARE_LINE_END)
    root = _Parser(raw, limits).top()
    index: dict[bytes, tuple[Field, ...]] = {}
    for one in root.fields:
        low = one.name.lower()
        index[low] = (*index.get(low, ()), one) if low in index else (one,)
    if len(index.get(b"received", ())) >= MOST_RECEIVED:
        raise MalformedMessage(f"{MOST_RECEIVED} Received fields or more", 0, LOOP)
    return Message(raw, root, index)


def duplicates(message: Message) -> list[str]:
    """Fields of the top header that stand there more than once and may not (RFC 5322 3.6), in their usual spelling."""
    return [name for name in _ONCE if len(message.fields(name)) > 1]


def _value(raw: bytes, field: Field) -> bytes:
    return raw[field.value : field.end].removesuffix(b"\r\n")


@dataclass(frozen=True, slots=True)
class _Place:
    """What a part inherits from the parts around it."""

    path: str
    depth: int
    default: str
    sealed: str = ""
    broken: str = ""
    attached: bool = False  # in a message/rfc822: passed on, never edited
    boundaries: tuple[bytes, ...] = ()


class _Parser:
    """One walk over one message; counts parts and fields as it goes."""

    def __init__(self, raw: bytes, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits
        self._deepest = min(limits.depth, _DEEPEST)
        self._parts = 0
        self._fields_left = limits.header_fields * 20
        self._scan_left = _SCANS * len(raw) + (1 << 20)

    def top(self) -> Part:
        # The line of a mailbox file before each mail is no part of it (RFC 4155), nor are blanks, which readers skip;
        # `Draft.remove_lead` takes them out.
        lead = _LEAD.match(self._raw) if _FIELD.match(self._raw) is None else None
        return self._part(lead.end() if lead else 0, len(self._raw), _Place("1", 1, "text/plain"))

    def _part(self, start: int, end: int, place: _Place) -> Part:
        self._count(start, place)
        fields, header_end, body, wrong = self._header(start, end, place)
        kinds = self._content_fields(fields, top=place.depth == 1)
        kind = self._kind(kinds.get(b"content-type"))
        content_type = kind.main if kind.main.count("/") == 1 else place.default
        if content_type in FORBIDDEN:
            raise MalformedMessage(f"{content_type} is not passed on", start, UNSUPPORTED_MEDIA)
        encoding = self._encoding(kinds.get(b"content-transfer-encoding"), content_type)
        shown = _read(self._raw, kinds.get(b"content-disposition"))
        broken = wrong or place.broken or ("two Content-Disposition fields" if b"" in kinds else "")
        sealed = place.sealed or SEALED.get(content_type, "")
        composite = content_type.startswith("multipart/") or content_type in NESTED
        children: tuple[Part, ...] = ()
        unclosed = False
        if composite:
            inner = _Place(place.path, place.depth, content_type, sealed, broken, place.attached, place.boundaries)
            children, broken, unclosed = self._children(kind, encoding, (body, end), inner)
        elif content_type.startswith("text/"):
            if encoding == "base64" and ambiguous_base64(self._raw, body, end):
                raise MalformedMessage("base64 text that goes on after its end", body)
            sealed = sealed or pgp_text(self._raw, body, end, encoding)
        filename = decode_words(shown.values.get("filename") or kind.values.get("name", ""))
        return Part(
            path=place.path,
            fields=fields,
            header=(start, header_end),
            body=(body, end),
            children=children,
            content_type=content_type,
            parameters=kind.values,
            charset=kind.values.get("charset", "").strip().lower(),
            encoding=encoding,
            disposition=shown.main,
            filename=filename,
            attachment=is_attachment(shown.main, content_type, filename),
            sealed=sealed,
            broken=broken,
            unclosed=unclosed,
        )

    def _count(self, start: int, place: _Place) -> None:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise MalformedMessage(f"more than {self._limits.parts} parts", start)
        if place.depth > self._deepest:
            raise MalformedMessage(f"parts nested more than {self._deepest} deep", start)

    def _kind(self, field: Field | None) -> Parameters:
        if field is None:
            return _NOTHING
        value = _value(self._raw, field)
        shared = len(value) < _SHARED and b"boundary" not in value and b"name" not in value.lower()
        kind, reason = _judged(value) if shared else _judge(value)
        if reason:
            raise MalformedMessage(reason, field.start)
        return kind

    def _encoding(self, field: Field | None, content_type: str) -> str:
        if field is None:
            return "7bit"  # RFC 2045 6.1
        name, reason = transfer_encoding(_value(self._raw, field))
        if reason and not content_type.startswith("multipart/"):  # nobody decodes those
            raise MalformedMessage(reason, field.start)
        return name

    def _header(self, start: int, end: int, place: _Place) -> tuple[tuple[Field, ...], int, int, str]:
        """Fields, end of the header, start of the body, and what is wrong with it ("" when nothing)."""
        raw = self._raw
        if raw.startswith(b"\r\n", start, end):
            return (), start, start + 2, ""
        blank = raw.find(b"\r\n\r\n", start, end)
        header_end, body = (blank + 2, blank + 4) if blank >= 0 else (end, end)
        if header_end - start > self._limits.header_octets:
            raise MalformedMessage("header over the size limit", start, TOO_BIG)
        fields, garbage = self._scan_fields(start, header_end)
        if garbage >= 0 and not place.attached:  # some readers end the header there
            raise MalformedMessage("a header line is neither a field nor its continuation", garbage)
        wrong = "a header line is no field" if garbage >= 0 else "" if fields or blank >= 0 else NOTHING
        return fields, header_end, body, wrong

    def _scan_fields(self, start: int, end: int) -> tuple[tuple[Field, ...], int]:
        fields: list[Field] = []
        position, garbage = start, -1
        match = _FIELD.match
        most = min(self._limits.header_fields, self._fields_left)
        while position < end:
            found = match(self._raw, position, end)
            if found is None:
                garbage = position if garbage < 0 else garbage
                line_end = self._raw.find(b"\r\n", position, end)
                position = end if line_end < 0 else line_end + 2
                continue
            fields.append(Field(found[1], position, found.start(2), found.end()))
            position = found.end()
            if len(fields) > most:
                raise MalformedMessage(f"more than {self._limits.header_fields} header fields", start)
        self._fields_left -= len(fields)
        return tuple(fields), garbage

    def _content_fields(self, fields: tuple[Field, ...], *, top: bool) -> dict[bytes, Field]:
        """The three fields that shape a part, by lower-case name; the key b"" marks a doubled Content-Disposition."""
        found: dict[bytes, Field] = {}
        for one in fields:
            if one.name[:1] not in b"Cc":
                continue
            low = one.name.lower()
            if low not in (b"content-type", b"content-transfer-encoding", b"content-disposition"):
                continue
            if low in found and low != b"content-disposition":
                raise MalformedMessage(f"two {low.decode()} fields in one part", one.start)
            if not top and one.value - one.start > len(low) + 1:  # in the top header `Draft.join_name` takes it out
                raise MalformedMessage(f"white space before the colon of {low.decode()}", one.start)
            if low in found:
                found[b""] = one
            found.setdefault(low, one)
        return found

    def _children(
        self, kind: Parameters, encoding: str, body: tuple[int, int], place: _Place
    ) -> tuple[tuple[Part, ...], str, bool]:
        """Parts inside, why they are broken, and whether a closing boundary is missing."""
        broken = place.broken
        if place.default in NESTED:
            if encoding not in IDENTITY:  # RFC 2046 5.2.1 forbids it
                return (), broken or "an attached message with a transfer encoding", False
            path, depth = f"{place.path}.1", place.depth + 1
            inner = _Place(path, depth, "text/plain", place.sealed, broken, True, place.boundaries)
            return (self._part(*body, inner),), broken, False
        boundary = kind.values.get("boundary", "").encode("ascii", "replace")
        if not boundary:
            return (), broken or "a multipart without boundary", False
        if boundary in place.boundaries:
            raise MalformedMessage("one boundary on two levels", body[0])
        found = self._split(boundary, *body)
        broken = broken or found.wrong
        if found.unclosed and not broken and not self._ends_for_all(boundary, body[1], found, place):
            broken = UNCLOSED
        default = "message/rfc822" if place.default == "multipart/digest" else "text/plain"
        rest = (place.depth + 1, default, place.sealed, broken, place.attached, (*place.boundaries, boundary))
        parts = tuple(
            self._part(start, end, _Place(f"{place.path}.{number}", *rest))
            for number, (start, end) in enumerate(found.spans, 1)
        )
        return parts, broken, found.unclosed and not broken

    def _split(self, boundary: bytes, start: int, end: int) -> Split:
        self._scan_left -= end - start
        if self._scan_left < 0:
            raise MalformedMessage("too much content nested too deep", start)
        try:
            return split(self._raw, boundary, start, end, most=self._limits.parts - self._parts)
        except TooMany as error:
            what = f"more than {self._limits.parts} parts" if error.reason == "parts" else f"too many {error.reason}"
            raise MalformedMessage(what, error.offset) from None

    def _ends_for_all(self, boundary: bytes, end: int, found: Split, place: _Place) -> bool:
        """Whether every reader ends an unclosed multipart where we do. What is sealed or attached stays as it is."""
        behind = len(self._raw) - end
        if place.sealed or place.attached or found.lookalikes or behind > self._scan_left:
            return False
        self._scan_left -= behind
        return stands_alone(self._raw, boundary, end)


def _judge(value: bytes) -> tuple[Parameters, str]:
    kind = parameters(value)
    return kind, ambiguous_type(value, kind)


_SHARED = 80  # octets; short values without a boundary or a name are the same in many mails
_judged = lru_cache(maxsize=256)(_judge)


def _read(raw: bytes, field: Field | None) -> Parameters:
    return _NOTHING if field is None else parameters(_value(raw, field))


_NOTHING = Parameters("", {})
