"""A mail as the standard library reads it: leaves, sealed parts, texts, addresses. For judging, so nothing of ours.

what:       walks `email.message_from_bytes`, decodes, and slices what must keep its bytes
takes→gives: bytes → `Leaf`s, sealed slices, decoded text
knows not:  our parser, our filters
fails by:   nothing: what the standard library cannot decode is read as Latin-1
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

_SEALED = ("multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
MARKUP = ("text/html", "text/x-amp-html", "text/watch-html")
_TEXT = ("text/plain", "text/html", "text/x-amp-html", "text/watch-html", "text/enriched")
_PGP = re.compile(rb"^-----BEGIN PGP (?:SIGNED )?MESSAGE-----", re.MULTILINE)
"""Where signed or encrypted text begins; quoted, or with an end alone, it can be verified by nobody (RFC 4880 7)."""
_RECIPIENTS = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc", "apparently-to")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One part without parts."""

    path: str
    type: str
    shown: bool
    """A text of the mail itself: no attachment, not under a signature, not in an attached mail."""
    raw: bytes
    content: bytes
    charset: str

    @property
    def text(self) -> str:
        return as_text(self.content, self.charset)

    @property
    def digests(self) -> tuple[str, str, str]:
        """Type, digest of the octets as they stand, digest of the decoded ones. 8-bit text and lines over 998
        octets may be encoded on the way (RFC 6152, RFC 5322 2.1.1): then only the second counts."""
        fit = self.raw.isascii() and max(map(len, self.raw.split(b"\n"))) <= 999
        return self.type, _digest(self.raw) if fit else "", _digest(self.content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def as_text(content: bytes, charset: str) -> str:
    for codec in (charset, charset.removeprefix("x-"), "utf-8"):
        try:
            return content.decode(codec)
        except (LookupError, UnicodeError):
            continue
    return content.decode("latin-1")


def parsed(raw: bytes) -> Message:
    return message_from_bytes(raw)


def leaves(message: Message) -> list[Leaf]:
    """All leaves, those of attached mails too."""
    return list(_leaves(message, "1", hidden=False))


def _leaves(part: Message, path: str, *, hidden: bool) -> Iterator[Leaf]:
    kind = part.get_content_type()
    hidden = hidden or kind in _SEALED or kind.startswith("message/") or _attached(part)
    if part.is_multipart():
        for number, child in enumerate(part.get_payload(), 1):
            yield from _leaves(child, f"{path}.{number}", hidden=hidden)
        return
    raw = _octets(part)
    decoded = part.get_payload(decode=True)
    content = decoded if isinstance(decoded, bytes) else raw
    charset = str(part.get_content_charset() or "utf-8")
    shown = not hidden and kind in _TEXT and not _PGP.search(content)
    yield Leaf(path, kind, shown, raw, content, charset)


def _octets(part: Message) -> bytes:
    """The body as it stands. `get_payload()` would decode 8-bit text, so what it keeps is read."""
    payload = part._payload  # type: ignore[attr-defined]
    return payload.encode("ascii", "surrogateescape") if isinstance(payload, str) else b""


def _attached(part: Message) -> bool:
    disposition = part.get_content_disposition()
    return disposition is not None and disposition != "inline"


def sealed(raw: bytes) -> list[bytes]:
    """Signed and encrypted content as it stands in `raw`, outermost only."""
    return list(_sealed(message_from_bytes(raw), raw))


def _sealed(part: Message, raw: bytes) -> Iterator[bytes]:
    kind = part.get_content_type()
    if kind not in _SEALED:
        for child in part.get_payload() if part.is_multipart() else ():
            yield from _sealed(child, raw)  # type: ignore[arg-type]
        return
    boundary = (part.get_boundary() or "").encode("utf-8", "surrogateescape")
    if not kind.startswith("multipart/"):
        yield _octets(part).rstrip(b"\r\n")
    elif boundary:
        start = raw.find(b"--" + boundary + b"\r\n")
        end = raw.find(b"--" + boundary + b"--", start)
        if 0 <= start < end:
            yield raw[start:end]


def header_values(message: Message, name: str) -> list[str]:
    """All values of a field, decoded."""
    return [decoded(str(value)) for value in message.get_all(name, [])]


def decoded(value: str) -> str:
    try:
        pieces = decode_header(value)
    except (ValueError, LookupError):
        return value
    return "".join(as_text(p, c or "utf-8") if isinstance(p, bytes) else p for p, c in pieces)


def recipients(message: Message) -> set[str]:
    """Addresses in the recipient fields, in lower case."""
    return addresses(message, _RECIPIENTS)


def addresses(message: Message, names: tuple[str, ...]) -> set[str]:
    values = [str(v) for name in names for v in message.get_all(name, [])]
    found = {a.strip().lower() for _, a in getaddresses(values)}
    return {a for a in found if re.fullmatch(r"[^@\s\ufffd]+@[^@\s]+\.[^@\s]+", a)}


def stands(address: str, text: str) -> bool:
    """Whether this very address stands there: not as the end or the begin of a longer one, as ids often have it."""
    return bool(re.search(rf"(?<![\w.+%-]){re.escape(address)}(?![\w-]|\.\w)", text))


def everything(raw: bytes, texts: Iterator[str] | tuple[str, ...] = ()) -> str:
    """All that a reader could find in a copy, in lower case: octets, decoded fields, decoded parts, `texts`."""
    message = message_from_bytes(raw)
    found = [raw.decode("latin-1")]
    for part in message.walk():
        for name, value in part.items():
            found.append(f"{name}: {decoded(str(value))}")
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and part.get_content_maintype() in ("text", "message"):
                text = as_text(payload, str(part.get_content_charset() or "utf-8"))
                found += [text, re.sub(r"\r?\n[ \t]", "", text)]  # calendars fold anywhere
    return "\n".join([*found, *texts]).lower()
