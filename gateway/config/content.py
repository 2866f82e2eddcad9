"""What may stand in the content of mail: lists of names, personal data that goes outside, files nobody can look into.

what:       the frozen model of `content:` in an organisation's file, and which limits hold for one client and stream
takes→gives: settings, client, stream → `Limits`
knows not:  how anything is found, whose it is
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   S-11, S-53; R-050; GDPR 87 (BSN: UAVG 46)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.base import Name, Settings
from gateway.decision import Stream
from gateway.inspection import Kind

Verdict = Literal["hold", "refuse", "pass"]
Count = Annotated[int, Field(ge=0)]


class Most(Settings):
    """How many different values of each kind one list of people may show beside their names."""

    email: Count = 0
    """E-mail addresses."""
    phone: Count = 0
    """Telephone numbers."""
    postcode: Count = 0
    """Postcodes."""
    street: Count = 0
    """Streets with a number."""
    birth_date: Count = 0
    """Dates of birth."""

    def of(self, kind: Kind) -> int:
        """The limit of a kind; BSN has its own key."""
        return int(getattr(self, kind.value.replace("-", "_"), 0))


class NameList(Settings):
    """Lists of people in mail to several: first and last names, and nothing else (S-11)."""

    streams: tuple[Stream, ...] = (Stream.PARTICIPATION,)
    """In mail of which streams lists are looked for; only where each recipient gets a copy of their own."""
    most: Most = Most()
    """What a list may hold all the same."""
    unreadable: Verdict = "hold"
    """What happens to such mail with a file that nobody can look into (password, damage, unknown format)."""


class Outside(Settings):
    """Personal data of many in one mail to others than third parties under contract (S-53)."""

    addresses: Annotated[int, Field(ge=1)] = 50
    """From how many different addresses, numbers or dates of one kind on mail is held."""
    unreadable: Verdict = "pass"
    """What happens to any mail with a file that nobody can look into."""


class ContentException(Settings):
    """Other limits for some mail. All given conditions must hold; the first exception that fits counts."""

    client: Name | None = None
    """Name of the client; None: all."""
    streams: tuple[Stream, ...] = ()
    """Empty: all."""
    addresses: Annotated[int, Field(ge=1)] | None = None
    """In place of `outside.addresses`."""
    unreadable: Verdict | None = None
    """In place of both `unreadable`."""
    most: Most | None = None
    """In place of `name_list.most`."""
    bsn: Count | None = None
    """In place of `bsn`."""


class Content(Settings):
    """What may stand in the content of mail to people outside the organisation."""

    name_list: NameList = NameList()
    """Lists of people in mail to several."""
    outside: Outside = Outside()
    """Personal data of many in one mail."""
    bsn: Count = 0
    """How many citizen service numbers one mail may hold. Their use needs a law that says so (UAVG 46)."""
    own: tuple[str, ...] = ()
    """Texts with contact data of the organisation itself, its teachers and venues, which never count."""
    exceptions: tuple[ContentException, ...] = ()
    """Other limits for a client or stream."""


class Limits(Settings):
    """What holds for one client and stream, exceptions applied."""

    lists: bool
    """Whether lists of people are judged."""
    most: Most
    """Values of each kind in a list."""
    addresses: int
    """From how many values of one kind on mail is held."""
    bsn: int
    """Citizen service numbers."""
    unreadable: Verdict
    """A file that nobody can look into."""


def limits(content: Content, client: str, stream: Stream, *, private: bool) -> Limits:
    """`private`: each recipient gets a copy of their own."""
    lists = private and stream in content.name_list.streams
    found: Mapping[str, object] = {
        "most": content.name_list.most,
        "addresses": content.outside.addresses,
        "bsn": content.bsn,
        "unreadable": content.name_list.unreadable if lists else content.outside.unreadable,
    }
    special = next((e for e in content.exceptions if _fits(e, client, stream)), None)
    changes = {name: value for name in found if (value := getattr(special, name, None)) is not None}
    return Limits.model_construct(lists=lists, **{**found, **changes})


def _fits(exception: ContentException, client: str, stream: Stream) -> bool:
    return exception.client in (None, client) and (not exception.streams or stream in exception.streams)
