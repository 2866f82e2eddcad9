"""E-mail addresses as people write them in documents.

what:       an "@" with a plain local part before it and a domain name after it
takes→gives: text → (address, offset)
knows not:  whose address it is; quoted, encoded or hidden spellings, which the leak check reads in the mail itself
fails by:   nothing
standard:   RFC 5321 4.1.2, RFC 6531 3.3. Linear: bounded work for each "@"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.address import Address

_LOCAL_MOST = 64
_MARKS = frozenset(".!#$%&*+/=?^_`{|}~'-")
_WRAPPED = ".'`*_~|/="
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_DOMAIN_MOST = 255


def addresses(text: str) -> Iterator[tuple[Address, int]]:
    """Each occurrence, in order; the offset is that of its first character."""
    at = text.find("@")
    while at >= 0:
        start = _local_start(text, at)
        domain = _DOMAIN.match(text, at + 1, at + 1 + _DOMAIN_MOST) if start < at else None
        if domain is not None:
            local = text[start:at]
            bare = local.lstrip(_WRAPPED) or local
            yield Address(bare, domain[0]), at - len(bare)
        at = text.find("@", at + 1)


def _local_start(text: str, at: int) -> int:
    start, least = at, max(0, at - _LOCAL_MOST)
    while start > least and (text[start - 1].isalnum() or text[start - 1] in _MARKS):
        start -= 1
    return start
