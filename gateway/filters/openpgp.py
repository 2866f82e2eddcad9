"""How many keys can open an OpenPGP message.

what:       packet headers up to the encrypted data; session keys for named keys counted
takes→gives: octets, binary or armoured (a prefix is enough) → number
knows not:  MIME, who the keys belong to; nothing is decrypted
fails by:   `Unreadable`
standard:   RFC 9580 4.2 (both packet formats), 5.1 (PKESK versions 3 and 6) and 6 (armour); R-047
"""

from __future__ import annotations

import binascii
import re

from gateway.filters.ber import Unreadable

_PKESK, _ENCRYPTED = 1, frozenset({9, 18, 20})
_BEFORE = frozenset({3, 10, 21})  # symmetric session key, marker, padding
_PLAIN = frozenset({2, 4, 8, 11})  # signature, one-pass signature, compressed, literal: not encrypted
_ARMOUR = re.compile(rb"-----BEGIN PGP MESSAGE[^\r\n]*-----[ \t]*\r?\n((?:[^\r\n:]+:[^\r\n]*\r?\n)*[ \t]*\r?\n)?")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n \t]*")
_MOST_PACKETS = 10_000


def keys(data: bytes, *, most: int) -> int:
    """Keys that can open this message, counted up to `most`; hidden recipients (key id 0) show nobody and do not count.

    0 also for what is only signed or needs a password. Raises `Unreadable` for anything that is no message.
    """
    packets = _dearmoured(data) if b"-----BEGIN PGP" in data else data
    position, named = 0, set[bytes]()
    for _ in range(_MOST_PACKETS):
        tag, start, end = _header(packets, position)
        if tag in _ENCRYPTED:
            return len(named)
        if tag in _PLAIN and not named:
            return 0
        if tag == _PKESK:
            if key := _key(packets[start:end]):
                named.add(key)
            if len(named) >= most:
                return most
        elif tag not in _BEFORE:
            raise Unreadable(f"packet type {tag} where a message begins")
        position = end
    raise Unreadable("too many packets")


def _header(data: bytes, at: int) -> tuple[int, int, int]:
    """Type of the packet at `at`, start and end of its body (RFC 9580 4.2)."""
    try:
        first = data[at]
        if not first & 0x80:
            raise Unreadable("not a packet")
        if not first & 0x40:
            return _old_header(data, at)
        tag, length = first & 0x3F, data[at + 1]
        if length < 192:
            return tag, at + 2, at + 2 + length
        if length < 224:
            return tag, at + 3, at + 3 + ((length - 192) << 8) + data[at + 2] + 192
        if length == 255:
            return tag, at + 6, at + 6 + int.from_bytes(data[at + 2 : at + 6])
        return tag, at + 2, at + 2 + (1 << (length & 0x1F))  # partial: encrypted data only, where reading ends
    except IndexError:
        raise Unreadable("packets go on beyond what is there") from None


def _old_header(data: bytes, at: int) -> tuple[int, int, int]:
    tag, kind = (data[at] >> 2) & 0x0F, data[at] & 0x03
    if kind == 3:
        return tag, at + 1, len(data)
    size = 1 << kind
    if at + 1 + size > len(data):
        raise IndexError("the length is cut off")
    return tag, at + 1 + size, at + 1 + size + int.from_bytes(data[at + 1 : at + 1 + size])


def _key(body: bytes) -> bytes:
    """Key id or fingerprint that a session key is for; b"" for a hidden one (RFC 9580 5.1)."""
    if body[:1] == b"\x03" and len(body) >= 9:
        return body[1:9] if any(body[1:9]) else b""
    if body[:1] == b"\x06" and len(body) >= 2:
        return body[3 : 2 + body[1]] if body[1] else b""
    return body[:32] or b"?"  # an unknown version is somebody's all the same


def _dearmoured(data: bytes) -> bytes:
    found = _ARMOUR.search(data)
    if found is None:
        raise Unreadable("armour without a message")
    packed = _BASE64.match(data, found.end())
    body = packed[0].translate(None, b"\r\n \t") if packed else b""
    try:
        return binascii.a2b_base64(body[: len(body) // 4 * 4])
    except binascii.Error:
        raise Unreadable("armour that is no base64") from None
