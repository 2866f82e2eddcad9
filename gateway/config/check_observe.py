"""Checks of `observe:`: only streams that the client may send, and only for a while.

takes→gives: `Organisation`, today → findings (place, "what is wrong, what is expected")
knows not:  messages, people
standard:   docs/observe-mode.md. A day that has passed is no error: a restart must not fail because of the date
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.config.observe_mode import LONGEST
from gateway.config.organisation import Client, Organisation
from gateway.config.source import Loc
from gateway.decision import Stream

Finding = tuple[Loc, str]

# Asked for by the person: nothing stops them, so unmarked mail must never be taken for one of them.
_NEVER = frozenset({Stream.RIGHTS, Stream.CONFIRMATION, Stream.UNCLASSIFIED})


def check_observe(settings: Organisation, today: date) -> Iterator[Finding]:
    """Each entry by itself, and each stream once per client."""
    for number, client in enumerate(settings.clients):
        seen: set[Stream] = set()
        for index, item in enumerate(client.observe):
            loc: Loc = ("clients", number, "observe", index)
            yield from _stream(settings, client, item.stream, loc)
            if item.stream in seen:
                yield (*loc, "stream"), f"{item.stream.value} stands here a second time, expected each stream once"
            seen.add(item.stream)
            if item.until - today > LONGEST:
                yield (*loc, "until"), f"is {item.until}, expected a day at most {LONGEST.days} days ahead"


def _stream(settings: Organisation, client: Client, stream: Stream, loc: Loc) -> Iterator[Finding]:
    if stream in _NEVER:
        yield (*loc, "stream"), f"{stream.value} cannot be observed, expected a stream with rules that people can stop"
    elif not any(e.stream is stream and e.when.client in (None, client.name) for e in settings.classify):
        text = f"{stream.value} is no stream of client {client.name!r}, expected one that a classify entry gives it"
        yield (*loc, "stream"), text
