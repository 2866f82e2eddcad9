"""The conditions of one `classify:` entry.

what:       whether every condition that an entry gives holds for a mail
takes→gives: `When` and `Traits` → bool
knows not:  streams' rules, recipients, facts
fails by:   nothing; a condition that cannot be read never holds
standard:   DESIGN §5
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.address import Address, InvalidAddress
from gateway.config.organisation import When
from gateway.policy import marks

_COUNT = re.compile(r"(>=|<=|>|<|==|=|!=)?\s*(\d{1,9})")
_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What may be known about a mail to tell what it is. No body, no recipient.

    `recipients` counts those outside the organisation; `headers` maps lower-case names to decoded values in order,
    our own marks and List-Id included. `sender` None is the null reverse-path.
    """

    client: str
    sender: Address | None
    from_address: Address | None
    recipients: int
    headers: Mapping[str, tuple[str, ...]]


def holds(when: When, traits: Traits) -> bool:
    """Whether all given conditions hold; an entry without conditions matches every mail."""
    return (
        (when.client is None or when.client == traits.client)
        and (when.from_domain is None or _domain(traits.from_address) == when.from_domain)
        and (when.from_address is None or _same(when.from_address, traits.from_address))
        and (when.sender_tag is None or _tag(traits.sender) == when.sender_tag.lower())
        and (when.list_id is None or marks.list_id(traits.headers) == when.list_id.lower())
        and (when.recipients is None or count_holds(when.recipients, traits.recipients))
        and all(_header(traits, name, value) for name, value in when.header.items())
        and (when.stream_mark is None or _stream(traits) == when.stream_mark.value)
    )


def count_holds(condition: str, count: int) -> bool:
    """`condition` as ">=2", "<5" or "1"; one that cannot be read never holds."""
    match = _COUNT.fullmatch(condition.strip())
    return match is not None and _COMPARE[match[1] or ""](count, int(match[2]))


def _domain(address: Address | None) -> str:
    return address.canonical_domain if address else ""


def _same(wanted: str, address: Address | None) -> bool:
    try:
        return address is not None and Address.parse(wanted).exact() == address.exact()
    except InvalidAddress:
        return False


def _tag(sender: Address | None) -> str:
    return sender.local.partition("+")[2].lower() if sender else ""


def _header(traits: Traits, name: str, value: str | None) -> bool:
    present = traits.headers.get(name.lower(), ())
    return bool(present) if value is None else value in (v.strip() for v in present)


def _stream(traits: Traits) -> str:
    values = traits.headers.get(marks.STREAM, ())
    return values[0].strip().lower() if len(values) == 1 else ""
