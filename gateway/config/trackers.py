"""What is known about trackers: hosts, shapes of addresses, link parameters, redirectors. Facts, no behaviour.

what:       the frozen model of `config/trackers.yaml`, with the look-ups filters ask
takes→gives: a `Url`, a parameter name → known or not
knows not:  mail, HTML, consent
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   R-058, R-060; sources and licences stand with each group of the file
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, StringConstraints

from gateway.config.base import Name, Settings
from gateway.config.targets import decoded, hosted
from gateway.config.tracker_index import Index, by_itself, fitting, named, whole_labels
from gateway.config.weburl import Shape, Url, shape, suffixes

_HOSTS_KEPT = 4096


def _readable(text: str) -> str:
    shape(text)
    return text


ShapeText = Annotated[str, AfterValidator(_readable)]
HostText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9#_-]+(\.[a-z0-9#_-]+)+$")]
ParameterText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~-]+\*?$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]*$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]


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
    """Host suffixes whose files are the same for everybody."""
    words: tuple[Word, ...] = ()
    """A link with one of these anywhere in host, path or parameter names stays as it is."""
    whole: tuple[Word, ...] = ()
    """The same, but only where it stands by itself, with no letter beside it."""
    pictures: tuple[ShapeText, ...] = ()
    """Shapes of pictures that are the same for everybody however individual they look."""
    pages: tuple[ShapeText, ...] = ()
    """Shapes of links whose ids name what is shown there, and nobody who is shown it. Parameters are cleaned all the
    same."""


class Words(Settings):
    """Words that tell what an address is for; each stands by itself in it, with no letter beside it."""

    opens: tuple[Word, ...] = ()
    """In the path: a tiny or hidden image is a tracker although its address reads like a plain file."""
    clicks: tuple[Word, ...] = ()
    """In host or path: a link that carries an address leads there over a counter."""
    targets: tuple[ParameterText, ...] = ()
    """Names of parameters in which such links carry it."""
    readers: tuple[ParameterText, ...] = ()
    """Names of parameters that say whose copy a link stood in; such links are reported, not changed."""
    spacers: tuple[Word, ...] = ()
    """In the file name: a tiny image that holds a layout apart."""
    pixels: tuple[FileName, ...] = ()
    """The whole file name, with or without its ending: nothing to see. Stretched to a line it may hold a layout apart;
    of one point, or without a size where the address says more, it is a tracker."""
    signatures: tuple[ParameterText, ...] = ()
    """Names of parameters that a picture's server checks or needs: they are never cut."""


class _About(NamedTuple):
    """What the facts say about one host."""

    static: bool
    opens: bool
    open_shapes: tuple[Shape, ...]
    clicks: bool
    click_shapes: tuple[Shape, ...]
    redirect_shapes: tuple[Shape, ...]
    proxy_shapes: tuple[Shape, ...]


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
    proxies: tuple[Addresses, ...] = ()
    """Servers that fetch a picture for the reader; the {target} is judged in their place."""
    parameters: tuple[Parameters, ...] = ()
    """Parameters of links."""
    exempt: tuple[Exempt, ...] = ()
    """What stays as it is."""
    words: Words = Words()
    """Words that tell what an address is for."""

    @classmethod
    def empty(cls) -> Trackers:
        """No facts: only size, hiding and individual look decide."""
        return cls(version=date(1970, 1, 1))

    def with_own(self, others: Iterable[Trackers]) -> Trackers:
        """These facts and those of an operator's own files. `version` stays that of this file."""
        files = (self, *others)
        lists = ("opens", "clicks", "redirects", "proxies", "parameters", "exempt")
        changes = {name: tuple(group for file in files for group in getattr(file, name)) for name in lists}
        names = Words.model_fields
        words = Words(**{name: tuple(w for file in files for w in getattr(file.words, name)) for name in names})
        return Trackers(version=self.version, words=words, **changes)

    def open_kind(self, url: Url) -> str:
        """`known-host`, `known-path`, or "" when no fact says that loading `url` records an open."""
        about = self._about(url.host)
        if about.opens:
            return "known-host"
        return "" if self._opens.match(url, about.open_shapes) is None else "known-path"

    def known_path(self, url: Url) -> bool:
        """Whether a shape for any host fits: cheap where `ordinary` said that none is about this one."""
        return self._opens.match(url, ()) is not None

    def records_click(self, url: Url) -> bool:
        """Whether the link is a known click recorder that hides where it leads."""
        about = self._about(url.host)
        return about.clicks or self._clicks.match(url, about.click_shapes) is not None

    def target(self, url: Url) -> str:
        """The address a known redirector would lead to, decoded; "" when it is not one or does not say."""
        found = self._redirects.match(url, self._about(url.host).redirect_shapes)
        if found is None:
            return ""
        return hosted(found[1]) if found[0].host and "{target}" in found[0].segments else decoded(found[1])

    def behind(self, url: Url) -> str:
        """The picture that a proxy fetches; "" where `url` is no known proxy."""
        found = self._proxies.match(url, self._about(url.host).proxy_shapes)
        return hosted(found[1]) if found is not None else ""

    def ordinary(self, host: str) -> bool:
        """Whether no fact is about this host."""
        about = self._about(host)
        return not (about.opens or about.open_shapes or about.proxy_shapes)

    def unknown(self, host: str, segments: list[str]) -> bool:
        """Whether no fact about links can be about this host and a path with these segments (lower case)."""
        about = self._about(host)
        if about.clicks or about.click_shapes or about.redirect_shapes:
            return False
        return self._link_keys.isdisjoint(segments)

    def why(self, url: Url) -> list[str]:
        """For people: which facts name this address, as `group: fact`."""
        groups = {"opens": self.opens, "clicks": self.clicks, "redirects": self.redirects, "proxies": self.proxies}
        found = [
            f"{kind}, {g.name}: {fact}"
            for kind, many in groups.items()
            for g in many
            for fact in fitting(g.hosts, g.shapes, url)
        ]
        for exempt in self.exempt:
            shapes = (*exempt.pictures, *exempt.pages)
            found += [f"exempt, {exempt.name}: {fact}" for fact in fitting(exempt.hosts, shapes, url)]
        if (found_word := self.exempt_word(url)) and not self.static_host(url):
            found.append(f"exempt as a link, word: {found_word}")
        names = [name for name, _ in url.parameters if self.parameter(name, url.host)]
        return found + [f"parameters: {name}" for name in names]

    def parameter(self, name: str, host: str) -> bool:
        """Whether a parameter of a link to `host` names a person or campaign. Names in any case."""
        name = name.lower()
        if name in self._names or name.startswith(self._prefixes):
            return True
        if not self._hosted:
            return False
        return any(named(name, self._hosted[s]) for s in suffixes(host) if s in self._hosted)

    def static_host(self, url: Url) -> bool:
        """Whether the host serves the same file to everybody."""
        return self._about(url.host).static

    def common_picture(self, url: Url) -> bool:
        """Whether everybody gets the same picture from there, whatever its address looks like."""
        return self.static_host(url) or self._pictures.fits(url)

    def page(self, url: Url) -> bool:
        """Whether the ids in a link name what is shown there."""
        return self._pages.fits(url)

    def leave_alone(self, url: Url) -> bool:
        """Whether a link must stay as it is: an exempt host, or a word of opt-out and account links."""
        return self.static_host(url) or bool(self.exempt_word(url))

    def exempt_word(self, url: Url) -> str:
        """The word by which a link is an opt-out, account, payment or confirmation link; "" without one."""
        text = "/".join((url.host, url.path[:1000], *(name for name, _ in url.parameters))).lower()
        found = self._exempt.search(text)
        return found[0] if found else ""

    def opens_word(self, text: str) -> bool:
        """Whether a word of `words.opens` stands in `text` (lower case)."""
        return self._open_words.search(text) is not None

    def clicks_word(self, url: Url) -> bool:
        """Whether host or path says that this link counts clicks."""
        return self._click_words.search(f"{url.host}/{url.path[:200]}".lower()) is not None

    def clicks_label(self, url: Url) -> bool:
        """The same, but short words must be a label of the host, a segment or the name of a file: titles hold them."""
        return self._click_labels.search(f"{url.host}/{url.path[:200]}".lower()) is not None

    def clicks_file(self, url: Url) -> bool:
        """Whether the link asks a program or a folder that is named for counting clicks."""
        last = url.path.rstrip("/").rpartition("/")[2]
        return last.lower().partition(".")[0] in self._click_files

    def spacer(self, url: Url) -> bool:
        """Whether the file is named like a picture that only holds a layout apart."""
        return self._spacers.search(url.path.rpartition("/")[2].lower()) is not None

    def pixel(self, url: Url) -> bool:
        """Whether the file is named like a picture of one point."""
        name = url.path.rpartition("/")[2].lower()
        return name in self.words.pixels or name.rpartition(".")[0] in self.words.pixels

    def says_opens(self, url: Url) -> bool:
        """Whether a host label or a value is a word of `words.opens`, or a segment (without its ending) ends in one."""
        said = {*url.host.split("."), *(value.lower() for _, value in url.parameters)}
        segments = (segment.lower().partition(".")[0] for segment in url.segments)
        return not said.isdisjoint(self.words.opens) or any(s.endswith(self.words.opens) for s in segments)

    def opens_folder(self, url: Url) -> bool:
        """Whether a folder, as a whole, is a word of `words.opens` or of the names of points."""
        folders = {segment.lower() for segment in url.segments[:-1]}
        return not folders.isdisjoint(self.words.opens) or not folders.isdisjoint(self.words.pixels)

    def carries(self, name: str) -> bool:
        """Whether a parameter is one in which redirectors carry their target."""
        return name.lower() in self._targets

    def reader(self, name: str) -> bool:
        """Whether a parameter says whose copy a link stood in."""
        return name.lower() in self._readers

    def signature(self, name: str) -> bool:
        """Whether a picture's server needs this parameter."""
        name = name.lower()
        return name in self._signatures or name.startswith(self._signature_prefixes)

    def _about(self, host: str) -> _About:
        known = self._hosts.get(host)
        if known is None:
            if len(self._hosts) >= _HOSTS_KEPT:
                self._hosts.clear()
            static = any(suffix in self._static for suffix in suffixes(host))
            opens, clicks = self._opens.about(host), self._clicks.about(host)
            others = self._redirects.about(host)[1], self._proxies.about(host)[1]
            known = self._hosts[host] = _About(static, *opens, *clicks, *others)
        return known

    @cached_property
    def _hosts(self) -> dict[str, _About]:
        return {}

    @cached_property
    def _opens(self) -> Index:
        return _index(self.opens)

    @cached_property
    def _clicks(self) -> Index:
        return _index(self.clicks)

    @cached_property
    def _redirects(self) -> Index:
        return _index(self.redirects)

    @cached_property
    def _proxies(self) -> Index:
        return _index(self.proxies)

    @cached_property
    def _pictures(self) -> Index:
        return Index(text for group in self.exempt for text in group.pictures)

    @cached_property
    def _pages(self) -> Index:
        return Index(text for group in self.exempt for text in group.pages)

    @cached_property
    def _link_keys(self) -> frozenset[str]:
        return frozenset(self._clicks.by_segment) | frozenset(self._redirects.by_segment)

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
    def _exempt(self) -> re.Pattern[str]:
        parts = [re.escape(word) for group in self.exempt for word in group.words]
        whole = [re.escape(word) for group in self.exempt for word in group.whole]
        if whole:
            parts.append(rf"(?<![a-z])(?:{'|'.join(whole)})(?![a-z])")
        return re.compile("|".join(parts) or r"(?!)")

    @cached_property
    def _open_words(self) -> re.Pattern[str]:
        return by_itself(self.words.opens)

    @cached_property
    def _click_words(self) -> re.Pattern[str]:
        return by_itself(self.words.clicks)

    @cached_property
    def _click_labels(self) -> re.Pattern[str]:
        return whole_labels(self.words.clicks)

    @cached_property
    def _click_files(self) -> frozenset[str]:
        return frozenset(self.words.clicks)

    @cached_property
    def _spacers(self) -> re.Pattern[str]:
        return by_itself(self.words.spacers)

    @cached_property
    def _targets(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.words.targets)

    @cached_property
    def _readers(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.words.readers)

    @cached_property
    def _signatures(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.words.signatures if not name.endswith("*"))

    @cached_property
    def _signature_prefixes(self) -> tuple[str, ...]:
        return tuple(name[:-1].lower() for name in self.words.signatures if name.endswith("*"))


def _index(groups: tuple[Addresses, ...]) -> Index:
    return Index(
        (text for group in groups for text in group.shapes), (host for group in groups for host in group.hosts)
    )
