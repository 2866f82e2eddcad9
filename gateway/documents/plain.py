"""Text as it is: charset found by content, cut into pieces at line ends; vCards and calendars unfolded; RTF stripped.

what:       `decode`, `texts`, `cards`, `json_texts`, `rich`
takes→gives: octets → `Text` with line numbers (RTF: without)
knows not:  tables, containers
fails by:   `TooMuch`
standard:   RFC 6350 3.2, RFC 5545 3.1 (folding), RFC 2045 6.7 in vCard 2.1; RFC 8259 7; RTF 1.9.1
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from gateway.documents.protocol import Meter, Text, Unreadable
from gateway.message.encodings import decode_quoted_printable

_PIECE = 64 * 1024  # characters of one Text
_LONGEST_LINE = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4096


def charset(content: bytes) -> str:
    """Python's name of the charset: by mark, by validity, by where the zero octets are; else Windows' western one."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    return _wide(content[:_SAMPLE]) or ("utf-8" if _valid(content) else "cp1252")


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: text has most of its zeros in one half of each pair."""
    pairs = len(sample) // 2
    if pairs < 2 or b"\0" not in sample:
        return ""
    even, odd = sample[: pairs * 2 : 2].count(0), sample[1 : pairs * 2 : 2].count(0)
    if odd > pairs * 0.4 and even < pairs * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.4 and odd < pairs * 0.05 else ""


def _valid(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode(content: bytes) -> str:
    """All of `content` as text, line ends as LF, never failing: what cannot be decoded is replaced."""
    name = charset(content)
    text = content.decode("latin-1" if name == "cp1252" and _undefined(content) else name, "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _undefined(content: bytes) -> bool:
    return any(bytes([octet]) in content for octet in (0x81, 0x8D, 0x8F, 0x90, 0x9D))


def texts(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """In pieces of some 64 thousand characters, cut at line ends."""
    meter.read(len(content))
    yield from pieces(decode(content), meter, where)


def pieces(text: str, meter: Meter, where: str = "", *, lines: bool = True) -> Iterator[Text]:
    """Cut `text`; a line over a million characters is cut too."""
    position, line = 0, 1
    while position < len(text):
        end = _cut(text, position)
        piece = text[position:end]
        meter.text()
        yield Text(where, piece, line=line if lines else 0)
        line += piece.count("\n")
        position = end


def _cut(text: str, start: int) -> int:
    if len(text) - start <= _PIECE:
        return len(text)
    end = text.find("\n", start + _PIECE, start + _LONGEST_LINE)
    if end < 0:
        end = text.rfind(" ", start + _PIECE, start + _LONGEST_LINE)
    return end + 1 if end >= 0 else min(len(text), start + _LONGEST_LINE)


_FOLD = re.compile(r"\n[ \t]")
_SOFT = re.compile(r"=\n")
_PACKED = re.compile(r";ENCODING=B(?:ASE64)?\b", re.IGNORECASE)
_QUOTED = re.compile(r";ENCODING=QUOTED-PRINTABLE\b", re.IGNORECASE)


def cards(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """vCard and iCalendar: folded lines joined, pictures left out, quoted-printable of old cards decoded."""
    meter.read(len(content))
    text = _FOLD.sub("", decode(content))
    if "quoted-printable" in text.lower():
        text = _SOFT.sub("", text)
    yield from pieces("\n".join(map(_card_line, text.split("\n"))), meter, where, lines=False)


def _card_line(line: str) -> str:
    head, colon, value = line.partition(":")
    if not colon or _PACKED.search(head):
        return head
    if _QUOTED.search(head):
        value = decode(decode_quoted_printable(value.encode("utf-8", "replace")))
    return f"{head}:{value}"


_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrtbf])|([\"\\/]))")


def json_texts(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """JSON is looked at as text, with its escapes resolved."""
    meter.read(len(content))
    yield from pieces(_JSON_ESCAPE.sub(_unescaped, decode(content)), meter, where, lines=False)


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return "\n" if match[2] else match[3]


# --- Rich text: control words go, text stays, whatever group it is in; what is hidden is still in the file ---

_RTF = re.compile(
    r"\\bin(\d{1,9}) ?|\\'([0-9a-fA-F]{2})|\\u(-?\d{1,6}) ?|\\([a-z]{1,32})(-?\d{1,9})? ?|\\(\n|.)|([{}])|\n",
    re.DOTALL,
)
_BREAKS = frozenset({"par", "line", "row", "sect", "page", "column", "cell", "nestcell", "nestrow", "tab", "pard"})
_HEX = re.compile(r"[0-9a-fA-F\s]{128,}")
_CODE_PAGE = re.compile(r"\\ansicpg(\d{3,5})")


def rich(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """RTF. Raises `Unreadable` after its text where another file is embedded in it."""
    meter.read(len(content))
    source = content.decode("latin-1").replace("\r", "")
    yield from pieces(_stripped(_HEX.sub(" ", source)), meter, where, lines=False)
    if "\\objdata" in source:
        raise Unreadable("another file is embedded in it")


def _stripped(source: str) -> str:
    found = _CODE_PAGE.search(source[:_SAMPLE])
    page = f"cp{found[1]}" if found else "cp1252"
    kept: list[str] = []
    octets = bytearray()
    position = skip = 0
    for match in _RTF.finditer(source):
        if match.start() < position:
            continue  # inside binary data, or a fallback that was left out
        between = source[position : match.start()]
        if between and skip:
            cut = min(skip, len(between))
            between, skip = between[cut:], skip - cut
        position = match.end()
        if between:
            kept += [_octets(octets, page), between]
        if match[1]:
            position += int(match[1])
        elif match[2]:
            if skip:
                skip -= 1
            else:
                octets.append(int(match[2], 16))
        else:
            kept.append(_octets(octets, page))
            kept.append(_word(match))
            skip = 1 if match[3] else 0
    return "".join([*kept, _octets(octets, page), source[position:]])


def _octets(octets: bytearray, page: str) -> str:
    if not octets:
        return ""
    try:
        text = octets.decode(page, "replace")
    except LookupError:
        text = octets.decode("cp1252", "replace")
    octets.clear()
    return text


def _word(match: re.Match[str]) -> str:
    if match[3]:
        return chr(int(match[3]) % 0x10000)
    if match[4]:
        return "\n" if match[4] in _BREAKS else ""
    if match[6]:
        return {"\n": "\n", "~": " ", "_": "-", "-": ""}.get(match[6], match[6] if match[6] in "\\{}" else "")
    return ""
