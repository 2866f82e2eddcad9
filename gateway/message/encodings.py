"""Transfer encodings and charsets: what a part's bytes mean, and how to write them again.

what:       base64, quoted-printable, 7bit, 8bit; which charsets can be scanned as bytes and which must be recoded
takes→gives: encoded body ↔ content; (charset, content) → `Scan`
knows not:  parts, edits, headers
fails by:   `Undecodable` when two readers could decode differently
standard:   RFC 2045 6, RFC 2046 4.1.2; R-041, R-043
"""

from __future__ import annotations

import binascii
import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

IDENTITY = frozenset({"7bit", "8bit", "binary"})
KNOWN = IDENTITY | {"base64", "quoted-printable"}
LINE_LIMIT = 998  # RFC 5322 2.1.1, without CRLF
QP_LINE = 76
# Python writes the space that ends a line as =20 after it has counted the line: such a line gets one more soft break.
# Its end is looked for first: looking behind from every octet takes twenty times as long.
_LATE_SPACE = re.compile(rb"(=20|=09)(?<=[^\r\n]{77})\r\n")
_QP_PADDING = re.compile(rb"=[ \t]+\r\n")
_CODED = re.compile(r"^x-|64|base|uu|zip|yenc|hex|crypt|deflate|compress")  # names of something to be undone
_BEGIN = re.compile(rb"(?:\A|\n)(?:begin|=ybegin|-----BEGIN) ")
_ESCAPED = re.compile(rb"=(?:[0-9A-Fa-f]{2}|[ \t]*(?:\r\n|\Z))")
_SHORT = 20  # octets: of anything that is really encoded there is more
_NOT_BASE64 = bytes(set(range(128)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))

# No byte of a multi-byte character in these is an HTML or ASCII syntax byte (checked over all code points), so that
# their bytes can be scanned and spliced as they are. Everything else is recoded.
_SCANNABLE = frozenset(
    ["ascii", "utf-8", "utf-8-sig", "koi8-r", "koi8-u", "kz1048", "ptcp154", "mac-roman", "tis-620", "gb2312", "gbk"]
    + ["gb18030", "big5", "big5hkscs", "cp949", "euc_kr", "euc_jp", "shift_jis", "cp932", "cp874", "cp437", "cp850"]
    + [f"iso8859-{n}" for n in (*range(1, 12), 13, 14, 15, 16)]
    + [f"cp{n}" for n in range(1250, 1259)]
)
# Not charsets of mail, or costly on hostile input (punycode and idna are quadratic).
_REFUSED = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "palmos"})


# Names that Python does not know, beside those it knows without their "x-".
_ALIASES = {
    **dict.fromkeys(["unicode-1-1-utf-8", "unicode20utf8", "utf8mb4", "utf-8mb4", "utf_8"], "utf-8"),
    **dict.fromkeys(["iso-8859-8-i", "iso-8859-8-e", "logical", "visual"], "iso8859-8"),
    **dict.fromkeys(["iso-8859-6-i", "iso-8859-6-e"], "iso8859-6"),
    **dict.fromkeys(["cp50220", "cp50221", "iso-2022-jp-ms"], "iso2022_jp"),
    **dict.fromkeys(["ks_c_5601-1987", "ks_c_5601-1989", "ksc5601", "korean"], "cp949"),
    **dict.fromkeys(["ansi", "ansi_x3.110-1983"], "cp1252"),
    **dict.fromkeys(["sjis", "x-sjis", "ms_kanji"], "cp932"),
    **dict.fromkeys(["mac-ce", "mac-centraleurroman"], "mac-latin2"),
    "cn-big5": "big5",
    "cn-gb": "gb2312",
    "mac-ukrainian": "mac-cyrillic",
    "win-874": "cp874",
}
_NUMBERED = re.compile(r"(?:x-)?(?:(windows|win|cp|ms|dos|ibm)|iso|latin)?[-_ ]?(?:8859[-_ ])?(\d{1,4})")


class Undecodable(ValueError):
    """The encoded body can be read in more than one way."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Content in an ASCII-compatible charset: `codec` is its Python name, `recoded` whether that is not the part's own.

    `why_not` says why the content may be read but not edited.
    """

    content: bytes
    codec: str
    recoded: bool = False
    why_not: str = ""


@lru_cache(maxsize=512)
def codec(charset: str) -> str:
    """Python's name for a MIME charset as real programs write it, "" when it is none."""
    if len(charset) > 40 or not charset.isascii():
        return ""
    label = charset.strip(" \t\"';,").lower().removeprefix("charset=")
    label = _ALIASES.get(label, label)
    numbered = _NUMBERED.fullmatch(label)
    other = f"{'cp' if numbered[1] else 'iso8859-'}{numbered[2]}" if numbered else label.removeprefix("x-")
    return _lookup(label) or (_lookup(_ALIASES.get(other, other)) if other != label else "")


def _lookup(label: str) -> str:
    try:
        found = codecs.lookup(label)
    except (LookupError, ValueError):
        return ""
    text = getattr(found, "_is_text_encoding", True)
    return "" if not text or found.name.replace("-", "_") in _REFUSED else found.name


def scan(charset: str, content: bytes) -> Scan:
    """How to scan and edit `content` (transfer-decoded) of a part that declares `charset`."""
    name = codec(charset) if charset else "ascii"
    if not name and _SHIFTS.search(content):
        return Scan(content, "latin-1", why_not=f"charset {_printable(charset)} unknown")
    if name in ("ascii", ""):  # readers guess at an unknown name as at none
        return Scan(content, _guess(content))
    if name in _SCANNABLE:
        return Scan(content, "utf-8" if name == "utf-8-sig" else name)
    return _recode(name, content)


_SHIFTS = re.compile(
    rb"[\x00\x0e\x0f\x1b]|~\{|\+[A-Za-z0-9+/]{2,}-"
)  # octets whose meaning depends on those before them


def _guess(content: bytes) -> str:
    # Pure ASCII is UTF-8 too, so that an edit may add any character; 8-bit bytes under an ASCII label keep their kind.
    try:
        content.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _recode(name: str, content: bytes) -> Scan:
    name = _ordered(name, content)
    try:
        text = content.decode(name)
        same = _encode_as(name, text, content) == content
    except (UnicodeError, ValueError):
        return Scan(content.decode(name, "replace").encode("utf-8", "replace"), "utf-8", True, f"charset {name} broken")
    recoded = text.encode("utf-8", "replace")
    return Scan(recoded, "utf-8", True, "" if same else f"charset {name} does not round trip")


def _ordered(name: str, content: bytes) -> str:
    """UTF-16 without a mark of byte order: the order in which its ASCII makes sense (RFC 2781 4.3 says big-endian)."""
    if name != "utf-16" or content.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return name
    return "utf-16-le" if content[1::2].count(0) > content[::2].count(0) else "utf-16-be"


def _encode_as(name: str, text: str, content: bytes) -> bytes:
    """Encode with the byte order that `content` starts with: Python's utf-16 always writes its own."""
    for mark, family, ordered in (
        (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
        (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    ):
        if name == family and content.startswith(mark):
            return mark + text.encode(ordered)
    return text.encode(name)


def _printable(charset: str) -> str:
    if "@" in charset:
        return "(not a name)"  # reasons stand in replies and in the audit, where no address may (I-7)
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in charset[:40])


def decode(encoding: str, body: bytes) -> bytes:
    """Undo a content-transfer-encoding, leniently, for reading. Unknown encodings come back as they are."""
    if encoding == "base64":
        return _lenient_base64(body)
    if encoding == "quoted-printable":
        return decode_quoted_printable(body)
    return body


def _lenient_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        return binascii.a2b_base64(_whole_quads(body))


def _whole_quads(body: bytes) -> bytes:
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", body.split(b"=", 1)[0])
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return kept + b"=" * (-len(kept) % 4)


def decode_quoted_printable(body: bytes) -> bytes:
    """RFC 2045 6.7, with transport padding after a soft break (rule 3) accepted."""
    if b"= " in body or b"=\t" in body:
        body = _QP_PADDING.sub(b"=\r\n", body)
    return binascii.a2b_qp(body)


def check(encoding: str, body: bytes) -> None:
    """Raise `Undecodable` when readers could disagree on what `body` decodes to."""
    if encoding not in KNOWN and not _as_it_stands(encoding, body):
        raise Undecodable(f"encoding {_printable(encoding)} unknown")
    if encoding != "base64":
        return
    packed = body.translate(None, _NOT_BASE64)  # RFC 2045 6.8: what is not in the table is ignored
    try:
        binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error:
        if packed:
            raise Undecodable("base64 that is cut short or goes on after its end") from None


def _as_it_stands(encoding: str, body: bytes) -> bool:
    """Whether a body whose encoding nobody knows can only be read as it stands: the name promises no coding, and there
    are words, and nothing that quoted-printable or uuencode would read otherwise."""
    if _CODED.search(encoding) or _ESCAPED.search(body) or _BEGIN.search(body):
        return False
    return b" " in body.strip() or len(body) < _SHORT


def encode_base64(content: bytes) -> bytes:
    """Lines of 76 characters with CRLF between them, none after the last."""
    packed = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join([packed[i : i + QP_LINE] for i in range(0, len(packed), QP_LINE)])


def encode_quoted_printable(content: bytes) -> bytes:
    """Text as quoted-printable: CRLF stays a line break, bare CR and LF become =0D and =0A. Lines of 76 at most."""
    if content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r"):
        return _quoted(content, istext=True)
    return b"\r\n".join([_quoted_line(line) for line in content.split(b"\r\n")])


def _quoted_line(line: bytes) -> bytes:
    """A line with bare CR or LF in it. Each =0A ends a line of its own, since Python counts wrongly just before LF."""
    pieces = [_quoted(piece, istext=False) for piece in line.split(b"\n")]
    fitted = [piece if _last_width(piece) <= QP_LINE - 4 else soft_break(piece) for piece in pieces[:-1]]
    return b"=0A=\r\n".join([*fitted, pieces[-1]])


def _last_width(encoded: bytes) -> int:
    return len(encoded) - (encoded.rfind(b"\n") + 1)


def _quoted(content: bytes, *, istext: bool) -> bytes:
    encoded = binascii.b2a_qp(content, istext=istext)
    # Without a CRLF in the content Python ends its soft breaks with LF alone; "=" is never followed by LF otherwise.
    encoded = encoded if b"\r\n" in content else encoded.replace(b"=\n", b"=\r\n")
    return (
        encoded if first_long_line(encoded, 0, len(encoded), QP_LINE) < 0 else _LATE_SPACE.sub(rb"=\r\n\1\r\n", encoded)
    )


def soft_break(encoded: bytes) -> bytes:
    """What to write after `encoded` so that the next piece starts on a line of its own, as (changed) `encoded`."""
    if not encoded or encoded.endswith(b"\r\n"):
        return encoded
    if _last_width(encoded) >= QP_LINE:  # no room left for the "="
        return encoded[:-1] + b"=\r\n" + encoded[-1:] + b"=\r\n"
    return encoded + b"=\r\n"


def short_lines(content: bytes, limit: int = LINE_LIMIT) -> bool:
    """Whether every line has at most `limit` octets and ends with CRLF (the last may have no end)."""
    if not content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r"):
        return False
    return first_long_line(content, 0, len(content), limit) < 0


def first_long_line(raw: bytes, start: int, end: int, limit: int = LINE_LIMIT) -> int:
    """Offset of the first line over `limit` octets in `raw[start:end]`, or -1. Steps of a whole window, so linear."""
    while end - start > limit:
        feed = raw.rfind(b"\n", start, min(end, start + limit + 2))
        if feed < 0:
            return start
        start = feed + 1
    return -1
