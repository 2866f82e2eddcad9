"""Whether our own signature holds, by a verifier that shares no line with the signer.

what:       RFC 6376 verification of the topmost DKIM-Signature, relaxed/relaxed with rsa-sha256, as we sign
takes→gives: octets, public key → "" or what does not hold
knows not:  DNS, other people's signatures, the private key
fails by:   nothing
standard:   RFC 6376 3.4.2, 3.4.4, 3.7, 6.1; linear in the size of the message
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

_FIELD = re.compile(rb"([^:\r\n]+?)[ \t]*:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)\r\n")
_SPACES = re.compile(rb"[ \t]+")
_RUN = re.compile(rb"  +")
_TABS = bytes.maketrans(b"\t", b" ")
_WHITE = b" \t\r\n"
_BLOCK = 1 << 18
_PADDING, _HASH = PKCS1v15(), SHA256()
_B_VALUE = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")


def fault(octets: bytes, key: RSAPublicKey) -> str:
    """ "" when the first field is a signature that holds over the rest; else what is wrong with it."""
    end = octets.find(b"\r\n\r\n")
    end = end if end >= 0 else len(octets)
    fields = _FIELD.findall(octets[:end] + b"\r\n")
    if not fields or fields[0][0].lower() != b"dkim-signature":
        return "the first field is no signature"
    value = fields[0][1]
    tags = _tags(value)
    try:
        if base64.b64decode(tags[b"bh"], validate=True) != _body_hash(octets, end + 4):
            return "the body hash differs"
        signed = _signed(fields[1:], tags[b"h"]) + b"dkim-signature:" + _relaxed(_B_VALUE.sub(rb"\1", value))
        key.verify(base64.b64decode(tags[b"b"], validate=True), signed, _PADDING, _HASH)
    except KeyError as error:
        return f"the signature has no {error.args[0].decode()}="
    except (binascii.Error, InvalidSignature):
        return "the signature does not verify"
    return ""


def _tags(value: bytes) -> dict[bytes, bytes]:
    pairs = (item.partition(b"=") for item in value.split(b";"))
    return {name.strip(): b"".join(text.split()) for name, _, text in pairs}


def _signed(fields: list[tuple[bytes, bytes]], names: bytes) -> bytes:
    """The named fields, the last of a name first (RFC 6376 5.4.2); a name without a field left gives nothing."""
    left: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        left.setdefault(name.lower(), []).append(value)
    chosen = []
    for name in names.lower().split(b":"):
        if stack := left.get(name.strip()):
            chosen.append(name.strip() + b":" + _relaxed(stack.pop()) + b"\r\n")
    return b"".join(chosen)


def _relaxed(value: bytes) -> bytes:
    line = value.replace(b"\r\n", b"")
    return (_SPACES.sub(b" ", line) if b"\t" in line or b"  " in line else line).strip(b" \t")


def _body_hash(octets: bytes, start: int) -> bytes:
    """SHA-256 of the relaxed body `octets[start:]`, read in blocks of whole lines."""
    end = _last_said(octets, start)
    digest = hashlib.sha256()
    while start < end:
        cut = octets.find(b"\n", start + _BLOCK, end) + 1 or end
        block = octets[start:cut]
        digest.update(_relaxed_lines(block))
        start = cut
        if start == end:
            digest.update(b"\r\n")
    return digest.digest()


def _relaxed_lines(block: bytes) -> bytes:
    if b"\t" in block:
        block = block.translate(_TABS)
    if b"  " in block:
        block = _RUN.sub(b" ", block)
    return block.replace(b" \r\n", b"\r\n")


def _last_said(octets: bytes, start: int) -> int:
    """The end of the last line that says something, without the white space behind it; `start` when none does."""
    end = len(octets)
    while end > start:
        low = max(start, end - _BLOCK)
        if said := octets[low:end].rstrip(_WHITE):
            return low + len(said)
        end = low
    return start
