"""What a part is, by what it says about itself.

what:       media types that hold messages, that are refused, that are opaque; attachments; PGP in the text
takes→gives: header values, spans of the body → what the parser writes into a `Part`
knows not:  the part tree
fails by:   nothing
standard:   RFC 2046 5.2, RFC 1740, RFC 1847, RFC 8551, RFC 2183 2.8; R-044, R-045, R-048, I-6
"""

from __future__ import annotations

import re

from gateway.message.encodings import decode

NESTED = frozenset({"message/rfc822", "message/global"})
FILES = NESTED | {"multipart/appledouble"}
"""What is in these is a file to its reader, never text of the mail itself."""
FORBIDDEN = frozenset({"message/partial", "message/external-body"})
SEALED = {
    "multipart/signed": "signed",
    "multipart/encrypted": "encrypted",
    "application/pkcs7-mime": "signed or encrypted",
    "application/x-pkcs7-mime": "signed or encrypted",
    "application/pgp": "signed or encrypted",
    "application/pgp-encrypted": "encrypted",
}
"""Opaque media types, and why."""
_PGP = re.compile(rb"(?:\A|\n)-----BEGIN PGP (?:SIGNED )?MESSAGE")


def is_attachment(disposition: str, content_type: str, filename: str) -> bool:
    """RFC 2183 2.8: an unknown disposition counts as attachment. Without one, a named file that is no text does."""
    if disposition:
        return disposition != "inline"
    return bool(filename) and not content_type.startswith(("text/", "multipart/", "message/"))


def pgp_text(raw: bytes, start: int, end: int, encoding: str) -> str:
    """ "PGP text" when a text part holds an inline PGP message (it is opaque like multipart/signed), else ""."""
    if encoding == "base64":
        content = decode(encoding, raw[start:end])
        return "PGP text" if b"-----BEGIN PGP " in content and _PGP.search(content) else ""
    if raw.find(b"-----BEGIN PGP ", start, end) < 0:
        return ""
    return "PGP text" if _PGP.search(raw, max(start - 1, 0), end) else ""  # with the LF before the first line
