"""Checks of `content:`: clients and streams that are there, exceptions that change something and are reached.

takes→gives: `Organisation` → findings (place, "what is wrong, what is expected")
knows not:  mails
standard:   S-11, S-53
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.content import ContentException
from gateway.config.organisation import Organisation
from gateway.config.source import Loc
from gateway.decision import Stream

Finding = tuple[Loc, str]
_CHANGES = ("addresses", "unreadable", "most", "bsn")


def check_content(settings: Organisation) -> Iterator[Finding]:
    """Everything about `content:`."""
    # The default names a stream that not everybody has; one that somebody wrote down must be there.
    if "streams" in settings.content.name_list.model_fields_set:
        yield from _streams(settings, settings.content.name_list.streams, ("content", "name_list", "streams"))
    for index, exception in enumerate(settings.content.exceptions):
        loc: Loc = ("content", "exceptions", index)
        if exception.client is not None and exception.client not in settings.by_client:
            listed = ", ".join(sorted(settings.by_client))
            yield (*loc, "client"), f"no client {exception.client!r}, expected one of: {listed}"
        yield from _streams(settings, exception.streams, (*loc, "streams"))
        if all(getattr(exception, name) is None for name in _CHANGES):
            yield loc, f"changes nothing, expected one of: {', '.join(_CHANGES)}"
        if any(_covers(earlier, exception) for earlier in settings.content.exceptions[:index]):
            yield loc, "is never reached, expected it before the exception that covers it"
    yield from _own(settings)


def _streams(settings: Organisation, named: tuple[Stream, ...], loc: Loc) -> Iterator[Finding]:
    for place, stream in enumerate(named):
        if stream not in settings.streams:
            yield (*loc, place), f"stream {stream.value!r} has no rule in streams, expected one that has"


def _covers(earlier: ContentException, later: ContentException) -> bool:
    clients = earlier.client in (None, later.client)
    return clients and (not earlier.streams or (bool(later.streams) and set(later.streams) <= set(earlier.streams)))


def _own(settings: Organisation) -> Iterator[Finding]:
    for index, text in enumerate(settings.content.own):
        if not any(c.isdigit() or c == "@" for c in text):
            text = f"holds no number or address ({len(text)} characters), expected contact data such as 070 123 45 67"
            yield ("content", "own", index), text
