"""How many keys can open a CMS message, and what an opaque signature wraps.

what:       RecipientInfos counted; the content of SignedData
takes→gives: BER octets (a prefix is enough to count) → number; content
knows not:  MIME, who the keys belong to
fails by:   `Unreadable`
standard:   RFC 5652 3, 5.1, 6.1 and 6.2.2; RFC 5083; R-046, R-047
"""

from __future__ import annotations

from gateway.filters.ber import Element, Reader, Unreadable, octets

_PKCS7 = bytes.fromhex("2a864886f70d0107")
_SMIME = bytes.fromhex("2a864886f70d01091001")
SIGNED = _PKCS7 + b"\x02"
COMPRESSED = _SMIME + b"\x09"
FOR_KEYS = frozenset({_PKCS7 + b"\x03", _PKCS7 + b"\x04", _SMIME + b"\x02", _SMIME + b"\x17"})
"""EnvelopedData, PKCS #7's SignedAndEnvelopedData, AuthenticatedData, AuthEnvelopedData."""

_SEQUENCE, _SET, _OID, _EXPLICIT, _AGREED = 0x30, 0x31, 0x06, 0xA0, 0xA1
_PASSWORD = 0xA3  # opened by a password, which is nobody's key


def kind(data: bytes) -> bytes:
    """The content type of a ContentInfo, as the octets of its OID. Raises `Unreadable`."""
    return _content_info(Reader(data))[0]


def keys(data: bytes, *, most: int) -> int:
    """Keys that can open this, counted up to `most`. Raises `Unreadable` when it is nothing of `FOR_KEYS`."""
    reader = Reader(data)
    oid, content = _content_info(reader)
    if oid not in FOR_KEYS:
        raise Unreadable("not for keys")
    infos = next((e for e in reader.children(content) if e.tag == _SET), None)
    if infos is None:
        raise Unreadable("no RecipientInfos in what is there")
    found = 0
    for info in reader.children(infos):
        found += _in_agreement(reader, info) if info.tag == _AGREED else info.tag != _PASSWORD
        if found >= most:
            return most
    if not infos.whole:
        raise Unreadable("RecipientInfos go on beyond what is there")
    return found


def signed_content(data: bytes) -> bytes:
    """What an opaque SignedData wraps; b"" for a detached one. Raises `Unreadable` when it is none."""
    reader = Reader(data)
    oid, content = _content_info(reader)
    if oid != SIGNED:
        raise Unreadable("not signed data")
    wrapped = next((e for e in reader.children(content) if e.tag == _SEQUENCE), None)
    if wrapped is None:
        raise Unreadable("no content in signed data")
    for element in reader.children(wrapped):
        if element.tag == _EXPLICIT:
            return b"".join(octets(reader, piece) for piece in reader.children(element))
    return b""


def _content_info(reader: Reader) -> tuple[bytes, Element]:
    root = reader.root()
    if root.tag != _SEQUENCE:
        raise Unreadable("not a ContentInfo")
    inside = iter(reader.children(root))
    oid, explicit = next(inside, None), next(inside, None)
    if oid is None or explicit is None or oid.tag != _OID or explicit.tag != _EXPLICIT:
        raise Unreadable("not a ContentInfo")
    content = next(iter(reader.children(explicit)), None)
    if content is None:
        raise Unreadable("an empty ContentInfo")
    return reader.data[oid.start : oid.end], content


def _in_agreement(reader: Reader, info: Element) -> int:
    """KeyAgreeRecipientInfo holds its recipients in its last element (RFC 5652 6.2.2)."""
    last = None
    for element in reader.children(info):
        last = element
    return sum(1 for _ in reader.children(last)) if last is not None and last.tag == _SEQUENCE else 1
