"""Whether an S/MIME object asks for a signed receipt: an attribute under the signature that nobody can take out.

what:       signed attributes of each signer, also of a message wrapped in a signature
takes→gives: BER octets → yes, no, or "cannot tell" (damaged, or too large)
knows not:  MIME parts around it, what to do about it
fails by:   nothing
standard:   RFC 2634 2.2 (id-aa-receiptRequest, always a signed attribute); RFC 5652 5.3; R-055
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from asn1crypto.cms import CMSAttributes, ContentInfo, SignerInfo

from gateway.message.encodings import decode
from gateway.message.parse import MalformedMessage, Part, parse

_OID = "1.2.840.113549.1.9.16.2.1"
_OCTETS = bytes.fromhex("060b2a864886f70d0109100201")
_LARGEST = 4 << 20  # octets; a signature has some kB, an opaque one the whole mail
_DEEPEST = 3  # signed, encrypted, signed is the deepest wrapping anybody makes (RFC 2634 1.1)
_TYPES = frozenset(f"application/{prefix}pkcs7-{kind}" for prefix in ("", "x-") for kind in ("mime", "signature"))
_NAMES = (".p7m", ".p7s")


class Answer(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def is_smime(part: Part) -> bool:
    """By type, or by file name where a program sent it as something else."""
    return not part.children and (part.content_type in _TYPES or part.filename.lower().endswith(_NAMES))


def asks(content: bytes, depth: int = 0) -> Answer:
    """YES when a signer asks. What cannot be read is UNKNOWN when the octets of the attribute's name are in it."""
    if len(content) <= _LARGEST and depth < _DEEPEST:
        try:
            return Answer.YES if _asks(content, depth) else Answer.NO
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
            pass  # what the library raises on octets that are no CMS
    return Answer.UNKNOWN if _OCTETS in content else Answer.NO


def _asks(content: bytes, depth: int) -> bool:
    info = ContentInfo.load(content)
    if info["content_type"].native != "signed_data":
        return False
    signed = info["content"]
    if any(_requests(signer) for signer in signed["signer_infos"]):
        return True
    inner = signed["encap_content_info"]["content"].native
    return isinstance(inner, bytes) and any(asks(data, depth + 1) is not Answer.NO for data in _inside(inner))


def _requests(signer: SignerInfo) -> bool:
    attributes = signer["signed_attrs"]
    return isinstance(attributes, CMSAttributes) and any(one["type"].dotted == _OID for one in attributes)


def _inside(content: bytes) -> Iterator[bytes]:
    """S/MIME objects in a message that was wrapped in a signature."""
    try:
        message = parse(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    except MalformedMessage:
        return
    for part in message.walk():
        if is_smime(part):
            yield decode(part.encoding, message.raw[slice(*part.body)])
