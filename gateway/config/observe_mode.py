"""`observe:` of a client: streams that are watched before their rules bite, and until when.

what:       the settings of a first day, which of them are in force, and what check-config says aloud about them
takes→gives: organisations, a time or day → entries in force; warnings in words
knows not:  what is reported instead of refused (`policy.observation`)
fails by:   nothing
standard:   docs/observe-mode.md; I-3: an end that has passed never keeps the gateway from starting
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gateway.config.base import Settings
from gateway.config.days import day_in
from gateway.decision import Stream

if TYPE_CHECKING:
    from gateway.config.organisation import Organisation

LONGEST = timedelta(days=90)


class ObserveMode(Settings):
    """One stream of one client: a missing consent or mark is reported instead of refused until the end of a day."""

    stream: Stream
    """Stream with rules, which this client may send."""
    until: date
    """Last day, in the organisation's time zone; at most 90 days ahead, and without effect once it is past."""


def in_force(organisation: Organisation, client: str, now: float) -> dict[Stream, date]:
    """Streams of this client that are observed at `now` (Unix seconds), with their last day. Empty for most."""
    found = organisation.by_client.get(client)
    if found is None or not found.observe:
        return {}
    day = day_in(organisation.time_zone, now)
    return {o.stream: o.until for o in found.observe if day is not None and day <= o.until}


def notices(organisations: Iterable[Organisation], now: float) -> list[str]:
    """One line for each `observe:` entry: in force until when, or past and to be removed."""
    return [line for organisation in organisations for line in _notices(organisation, now)]


def _notices(organisation: Organisation, now: float) -> Iterator[str]:
    for client in organisation.clients:
        active = in_force(organisation, client.name, now)
        for item in client.observe:
            what = f"{organisation.name}: {item.stream.value} of client {client.name}"
            if item.stream in active:
                yield f"{what} is only observed until {item.until}: missing consents and marks do not stop mail"
            else:
                yield f"{what} was observed until {item.until}, which is past: without effect, remove it"
