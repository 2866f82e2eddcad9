"""E-mail addresses as people write them in documents.

what:       an "@" with a plain local part before it and a domain name after it
takes→gives: text → (address, offset)
knows not:  whose address it is; quoted, encoded or hidden spellings, which the leak check reads in the mail itself
fails by:   nothing
standard:   RFC 5321 4.1.2, RFC 6531 3.3. Linear: one pass
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.address import Address

_LOCAL = r"\w.!#$%&*+/=?^`{|}~'-"
_LOCAL_MOST = 64
_DOMAIN = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
_DOMAIN_MOST = 255
# What is a domain here may be the local part of the next sign.
_ADDRESS = re.compile(rf"(?<![{_LOCAL}])([{_LOCAL}]++)@(?=({_DOMAIN}))")
_WRAPPED = ".'`*_~|/="


def addresses(text: str) -> Iterator[tuple[Address, int]]:
    """Each occurrence, in order, once in a line; the offset is that of its first character."""
    if "@" not in text:
        return
    known: dict[tuple[str, str], Address] = {}
    said, end = set[tuple[str, str]](), -1
    for match in _ADDRESS.finditer(text):
        if match.end() > end:
            said.clear()
            end = text.find("\n", match.end())
            end = len(text) if end < 0 else end
        written = match[1], match[2]
        if written in said:
            continue
        said.add(written)
        if (address := known.get(written)) is None:
            local = written[0][-_LOCAL_MOST:]
            address = known[written] = Address(local.lstrip(_WRAPPED) or local, written[1])
        if len(address.domain) <= _DOMAIN_MOST:
            yield address, match.end() - 1 - len(address.local)
