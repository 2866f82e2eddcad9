"""Which format a file has: by what is in it, then by its name, then by what its sender calls it.

what:       `Format`, `of`
takes→gives: name, media type, content → `Format`
knows not:  how any format is read
fails by:   nothing; what fits nothing is `UNKNOWN`
standard:   R-050; the formats' own signatures (RFC 1952, PKWARE APPNOTE 4.3, ISO 32000-2 7.5.2, MS-CFB 2.2 …)
"""

from __future__ import annotations

import re
from enum import Enum, auto

from gateway.documents import plain
from gateway.documents.protocol import UNKNOWN


class Format(Enum):
    """What a reader is there for, and what needs none."""

    EMPTY = auto()
    PICTURE = auto()
    """Image, sound, film, font: nothing to look into."""
    SIGNATURE = auto()
    """A detached signature or a key."""
    ZIP = auto()
    TAR = auto()
    GZIP = auto()
    BZIP2 = auto()
    XZ = auto()
    PDF = auto()
    OLE = auto()
    RTF = auto()
    HTML = auto()
    XML = auto()
    JSON = auto()
    CARD = auto()
    MAIL = auto()
    DELIMITED = auto()
    PLAIN = auto()
    ENCRYPTED = auto()
    UNKNOWN = auto()


_STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"PK\x03\x04", Format.ZIP),
    (b"PK\x05\x06", Format.ZIP),
    (b"PK\x07\x08", Format.ZIP),
    (b"PK00PK\x03\x04", Format.ZIP),
    (b"\x1f\x8b", Format.GZIP),
    (b"BZh", Format.BZIP2),
    (b"\xfd7zXZ\0", Format.XZ),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format.OLE),
    (b"{\\rtf", Format.RTF),
    (b"-----BEGIN PGP MESSAGE-----", Format.ENCRYPTED),
    (b"age-encryption.org/", Format.ENCRYPTED),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", Format.ENCRYPTED),
    (b"Salted__", Format.ENCRYPTED),
    (b"\x89PNG", Format.PICTURE),
    (b"\xff\xd8\xff", Format.PICTURE),
    (b"GIF8", Format.PICTURE),
    (b"II*\0", Format.PICTURE),
    (b"MM\0*", Format.PICTURE),
    (b"\0\0\x01\0", Format.PICTURE),
    (b"\0\0\x02\0", Format.PICTURE),
    (b"8BPS", Format.PICTURE),
    (b"\xd7\xcd\xc6\x9a", Format.PICTURE),
    (b"\x01\0\0\0\x6c\0\0\0", Format.PICTURE),
    (b"\0\0\0\x0cjP", Format.PICTURE),
    (b"\xff\x0a", Format.PICTURE),
    (b"ID3", Format.PICTURE),
    (b"OggS", Format.PICTURE),
    (b"fLaC", Format.PICTURE),
    (b"MThd", Format.PICTURE),
    (b"#!AMR", Format.PICTURE),
    (b"FLV\x01", Format.PICTURE),
    (b"\x1aE\xdf\xa3", Format.PICTURE),
    (b"\0\0\x01\xba", Format.PICTURE),
    (b"\0\0\x01\xb3", Format.PICTURE),
    (b"wOFF", Format.PICTURE),
    (b"wOF2", Format.PICTURE),
    (b"OTTO\0", Format.PICTURE),
    (b"\0\x01\0\0\0", Format.PICTURE),
    (b"VCLMTF", Format.PICTURE),
)
_RIFF = re.compile(rb"RIFF....(?:WEBP|WAVE|AVI |ACON)", re.DOTALL)
_FTYP = re.compile(rb"....ftyp", re.DOTALL)
_BMP = re.compile(rb"BM....\0\0\0\0", re.DOTALL)
_MPEG_SOUND = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]", re.DOTALL)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|table|meta|div|style)\b", re.IGNORECASE)
_XML = re.compile(r"<(?:\?xml\b|[A-Za-z_][\w.-]*:[A-Za-z_]|svg\b|!doctype\s|!--)", re.IGNORECASE)
_CARD = re.compile(r"BEGIN:(?:VCARD|VCALENDAR)\b", re.IGNORECASE)
_MAIL = re.compile(
    r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,200}?"
    r"(?:Received|Message-ID|MIME-Version|Content-Transfer-Encoding|DKIM-Signature|Return-Path):",
    re.IGNORECASE,
)
_MARKED = ("image/", "audio/", "video/", "font/")
_PICTURES = frozenset(
    name
    for names in (
        "png jpg jpeg jpe gif bmp webp heic heif avif tif tiff ico emf wmf",
        "mp3 mp4 m4a m4v wav ogg mov avi mkv webm ttf otf woff woff2 eot",
    )
    for name in names.split()
)
_FOREIGN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"MSCF", "a cabinet archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x78\x9f\x3e\x22", "an Outlook winmail.dat"),
    (b"SQLite format 3\0", "a database"),
    (b"\0\1\0\0Standard ", "an Access database"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_SIGNATURES = tuple(
    f"application/{name}"
    for name in (
        "pgp-signature", "pkcs7-signature", "x-pkcs7-signature", "pgp-keys", "pkix-cert", "x-x509-ca-cert",
    )
)  # fmt: skip
_BY_NAME: dict[str, Format] = {
    **dict.fromkeys(["csv", "tsv", "tab", "psv", "xls", "xlsx"], Format.DELIMITED),
    **dict.fromkeys(["htm", "html", "xhtml", "shtml"], Format.HTML),
    **dict.fromkeys(["xml", "xsl", "svg", "rdf", "kml", "gpx", "fods", "fodt", "fodp"], Format.XML),
    **dict.fromkeys(["vcf", "vcard", "ics", "ical", "ifb"], Format.CARD),
    **dict.fromkeys(["json", "jsonl", "ndjson", "geojson"], Format.JSON),
    **dict.fromkeys(["eml", "mht", "mhtml"], Format.MAIL),
    **dict.fromkeys(["p7m", "p12", "pfx", "gpg", "pgp", "age", "kdbx"], Format.ENCRYPTED),
    **dict.fromkeys(["p7s", "p7b", "p7c", "sig", "asc", "cer", "crt"], Format.SIGNATURE),
}
_BY_TYPE: dict[str, Format] = {
    **dict.fromkeys(["text/csv", "text/tab-separated-values", "application/csv"], Format.DELIMITED),
    **dict.fromkeys(["application/vnd.ms-excel", "text/comma-separated-values"], Format.DELIMITED),
    **dict.fromkeys(["text/html", "application/xhtml+xml"], Format.HTML),
    **dict.fromkeys(["text/xml", "application/xml"], Format.XML),
    **dict.fromkeys(["text/vcard", "text/x-vcard", "text/calendar", "text/directory"], Format.CARD),
    **dict.fromkeys(["application/json", "application/x-ndjson"], Format.JSON),
    **dict.fromkeys(["message/rfc822", "message/global", "multipart/related"], Format.MAIL),
    **dict.fromkeys(_SIGNATURES, Format.SIGNATURE),
    **dict.fromkeys(["application/pkcs7-mime", "application/x-pkcs7-mime"], Format.ENCRYPTED),
}
_ARMOUR = re.compile(r"-----BEGIN (?:PGP (?:SIGNATURE|PUBLIC KEY BLOCK)|CERTIFICATE|PKCS7)-----")
_TAIL = 65_557  # the end record of a ZIP file with the longest comment
_HEAD = 64 * 1024


def of(name: str, media_type: str, content: bytes) -> Format:
    """The format of `content`. A name or media type counts only where the content leaves it open."""
    if not content.strip(b"\0 \t\r\n"):
        return Format.EMPTY
    media_type = media_type.lower()
    found = _signed(content)
    if found is not None and found is not Format.PICTURE:
        return found
    if _zip_at_end(content):
        return Format.ZIP  # a program or a picture with an archive behind it: every archiver opens it
    if found is Format.PICTURE and not is_text(content):  # "ID3;Naam" begins a table, and no song
        return found
    ending = name.lower().rpartition(".")[2]
    told = _BY_NAME.get(ending) or _BY_TYPE.get(media_type)
    marked = media_type.startswith(_MARKED) or ending in _PICTURES
    if is_text(content) and not (marked and plain.charset(content) == "cp1252"):
        return _text(told, media_type, plain.decode(content[:_HEAD]))
    if told in (Format.ENCRYPTED, Format.SIGNATURE):
        return told
    return Format.PICTURE if marked else Format.UNKNOWN


def foreign(content: bytes) -> str:
    """What a file is that has no reader here, for people."""
    return next((noun for start, noun in _FOREIGN if content.startswith(start)), UNKNOWN)


def _signed(content: bytes) -> Format | None:
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, found in _STARTS:
        if head.startswith(start) or content.startswith(start):
            return found
    if b"%PDF-" in content[:1024]:
        return Format.PDF
    if content[257:262] == b"ustar":
        return Format.TAR
    if any(shape.match(content) for shape in (_RIFF, _FTYP, _BMP)):
        return Format.PICTURE
    return Format.PICTURE if _MPEG_SOUND.match(content) and not is_text(content) else None


def _zip_at_end(content: bytes) -> bool:
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - _TAIL))
    if at < 0 or len(content) < at + 22:
        return False
    end = content[at : at + 22]
    size, comment = int.from_bytes(end[12:16], "little"), int.from_bytes(end[20:22], "little")
    return at + 22 + comment == len(content) and content[at - size : at - size + 4] == b"PK\x01\x02"


_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f")) + b"\x7f"


def is_text(content: bytes) -> bool:
    """Whether a person could read it as it is: next to no control characters once its charset is known."""
    sample = content[:_HEAD]
    if plain.charset(sample).startswith("utf-16") or sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        sample = plain.decode(sample[: len(sample) // 2 * 2]).encode("utf-8", "replace")
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls * 500 <= len(sample)


def _text(told: Format | None, media_type: str, head: str) -> Format:
    start = head.lstrip()[:2048]
    if _CARD.match(start):
        return Format.CARD
    if _HTML.match(start) and told is not Format.XML:
        return Format.HTML
    if _XML.match(start):
        return Format.HTML if "<html" in head[:4096].lower() else Format.XML
    if told is Format.MAIL or (told is None and not media_type.startswith("text/") and _MAIL.match(start)):
        return Format.MAIL
    if told is Format.SIGNATURE and _ARMOUR.match(start):
        return told
    if told in (None, Format.ENCRYPTED, Format.SIGNATURE):
        return Format.PLAIN if not media_type.endswith(("+xml", "+json")) else Format.JSON
    return told
