"""What is known about trackers: hosts, shapes of addresses, link parameters, redirectors. Facts, no behaviour.

what:       the frozen model of `config/trackers.yaml`, with the look-ups filters ask
takes→gives: a `Url`, a parameter name → known or not
knows not:  mail, HTML, consent
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   R-058, R-060; sources and licences stand with each group of the file
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from gateway.config.base import Name, Settings
from gateway.config.weburl import Shape, Url, shape, suffixes


def _readable(text: str) -> str:
    shape(text)
    return text


ShapeText = Annotated[str, AfterValidator(_readable)]
HostText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9#_-]+(\.[a-z0-9#_-]+)+$")]
ParameterText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~-]+\*?$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]*$")]


class Group(Settings):
    """Facts that belong together, and where they were learnt."""

    name: Name
    source: str
    """Where the facts can be read again."""
    licence: str
    """What the source allows."""


class Addresses(Group):
    """Addresses of one sending system."""

    hosts: tuple[HostText, ...] = ()
    """Host suffixes; `#` stands for a run of digits. Everything under them counts."""
    shapes: tuple[ShapeText, ...] = ()
    """See `config.weburl.Shape`."""


class Parameters(Group):
    """Parameters that name a person or a campaign."""

    names: tuple[ParameterText, ...]
    """Exact names, or `begin*`."""
    hosts: tuple[HostText, ...] = ()
    """Only on links to these hosts; empty: on all."""


class Exempt(Group):
    """What is left alone: stores of files that are the same for everybody, and links a person must be able to use."""

    hosts: tuple[HostText, ...] = ()
    words: tuple[Word, ...] = ()
    """A link with one of these words in host, path or parameter names is an opt-out or account link."""


class _Index:
    """Hosts and shapes of some groups, ready to be asked: no shape is looked at unless host or a segment fits."""

    def __init__(self, groups: tuple[Addresses, ...]) -> None:
        self.hosts = frozenset(host for group in groups for host in group.hosts)
        self.by_host: dict[str, list[Shape]] = {}
        self.by_segment: dict[str, list[Shape]] = {}
        for made in (shape(text) for group in groups for text in group.shapes):
            table, key = (self.by_host, made.host) if made.host else (self.by_segment, made.key)
            table.setdefault(key, []).append(made)

    def host(self, url: Url) -> bool:
        return any(suffix in self.hosts for suffix in suffixes(url.host))

    def match(self, url: Url) -> str | None:
        """None when no shape fits; else the {target} of the one that does, or ""."""
        for suffix in suffixes(url.host) if self.by_host else ():
            for made in self.by_host.get(suffix, ()):
                if (found := made.match(url)) is not None:
                    return found
        for at, segment in enumerate(url.segments if self.by_segment else ()):
            for made in self.by_segment.get(segment.lower(), ()):
                if (found := made.match(url, at)) is not None:
                    return found
        return None


class Trackers(Settings):
    """All facts of the file."""

    version: date
    """When the facts were last looked over."""
    opens: tuple[Addresses, ...] = ()
    """Images that record that a mail was opened."""
    clicks: tuple[Addresses, ...] = ()
    """Links that record a click and do not show where they lead."""
    redirects: tuple[Addresses, ...] = ()
    """Links that record a click and carry their {target}."""
    parameters: tuple[Parameters, ...] = ()
    exempt: tuple[Exempt, ...] = ()
    hints: tuple[Word, ...] = ()
    """Words in the path that make a tiny or hidden image a tracker although its address looks like a plain file."""

    @classmethod
    def empty(cls) -> Trackers:
        """No facts: only size, hiding and individual look decide."""
        return cls(version=date(1970, 1, 1))

    def open_kind(self, url: Url) -> str:
        """`known-host`, `known-path`, or "" when no fact says that loading `url` records an open."""
        if self._opens.host(url):
            return "known-host"
        return "" if self._opens.match(url) is None else "known-path"

    def records_click(self, url: Url) -> bool:
        """Whether the link is a known click recorder that hides where it leads."""
        return self._clicks.host(url) or self._clicks.match(url) is not None

    def target(self, url: Url) -> str:
        """The address a known redirector would lead to, decoded once; "" when it is not one or does not say."""
        return self._redirects.match(url) or ""

    def parameter(self, name: str, host: str) -> bool:
        """Whether a parameter of a link to `host` names a person or campaign. Names in any case."""
        name = name.lower()
        if name in self._names or name.startswith(self._prefixes):
            return True
        if not self._hosted:
            return False
        return any(name in self._hosted[s] for s in suffixes(host) if s in self._hosted)

    def static_host(self, url: Url) -> bool:
        """Whether the host serves the same file to everybody."""
        return any(suffix in self._static for suffix in suffixes(url.host))

    def leave_alone(self, url: Url) -> bool:
        """Whether a link must stay as it is: an exempt host, or a word of opt-out and account links."""
        if self.static_host(url):
            return True
        text = "/".join((url.host, url.path[:1000], *(name for name, _ in url.parameters))).lower()
        return any(word in text for word in self._words)

    @cached_property
    def hint_words(self) -> frozenset[str]:
        return frozenset(self.hints)

    @cached_property
    def _opens(self) -> _Index:
        return _Index(self.opens)

    @cached_property
    def _clicks(self) -> _Index:
        return _Index(self.clicks)

    @cached_property
    def _redirects(self) -> _Index:
        return _Index(self.redirects)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(n.lower() for p in self.parameters if not p.hosts for n in p.names if not n.endswith("*"))

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        return tuple(n[:-1].lower() for p in self.parameters if not p.hosts for n in p.names if n.endswith("*"))

    @cached_property
    def _hosted(self) -> dict[str, frozenset[str]]:
        table: dict[str, frozenset[str]] = {}
        for group in (p for p in self.parameters if p.hosts):
            for host in group.hosts:
                table[host] = table.get(host, frozenset()) | {n.lower() for n in group.names}
        return table

    @cached_property
    def _static(self) -> frozenset[str]:
        return frozenset(host for group in self.exempt for host in group.hosts)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return tuple(word for group in self.exempt for word in group.words)
