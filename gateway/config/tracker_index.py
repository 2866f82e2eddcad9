"""Facts about addresses, ready to be asked: by host, by the first segment of a shape, by words.

what:       look-ups that touch no shape unless host or a segment fits, and words as one pattern
takes→gives: texts of shapes, hosts, words → `Index`, patterns
knows not:  which facts there are, what they are for
fails by:   `ValueError` for a shape that cannot be read
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.config.weburl import Shape, Url, shape, suffixes

_LONG = 5
"""Letters of a word that is no part of a title by chance."""


class Index:
    """Hosts and shapes of some facts, ready to be asked: no shape is looked at unless host or a segment fits."""

    def __init__(self, shapes: Iterable[str], hosts: Iterable[str] = ()) -> None:
        self.hosts = frozenset(hosts)
        self.by_host: dict[str, list[Shape]] = {}
        self.by_segment: dict[str, list[Shape]] = {}
        for made in map(shape, shapes):
            table, key = (self.by_host, made.host) if made.host else (self.by_segment, made.key)
            table.setdefault(key, []).append(made)

    def about(self, host: str) -> tuple[bool, tuple[Shape, ...]]:
        """Whether the whole host counts, and its shapes otherwise."""
        found = suffixes(host)
        return any(s in self.hosts for s in found), tuple(made for s in found for made in self.by_host.get(s, ()))

    def fits(self, url: Url) -> bool:
        """Whether host or shape of any of them fits."""
        if not (self.by_host or self.by_segment or self.hosts):
            return False
        whole, shapes = self.about(url.host)
        return whole or self.match(url, shapes) is not None

    def match(self, url: Url, shapes: tuple[Shape, ...]) -> tuple[Shape, str] | None:
        """The first shape that fits, of `shapes` and those for any host, and its {target} or ""."""
        for made in shapes:
            if (found := made.match(url)) is not None:
                return made, found
        by_segment = self.by_segment
        for at, segment in enumerate(url.segments):
            if (many := by_segment.get(segment.lower())) is None:
                continue
            for made in many:
                if (found := made.match(url, at)) is not None:
                    return made, found
        return None


def fitting(hosts: Iterable[str], shapes: Iterable[str], url: Url) -> list[str]:
    """Of these hosts and shapes those that fit, as they are written: for people."""
    found = [host for host in hosts if host in suffixes(url.host)]
    for text in shapes:
        made = shape(text)
        if made.host and made.host not in suffixes(url.host):
            continue
        places = range(1 if made.host else max(1, len(url.segments)))
        if any(made.match(url, at) is not None for at in places):
            found.append(text)
    return found


def by_itself(words: tuple[str, ...]) -> re.Pattern[str]:
    """A single letter has no digit beside it either: keys are full of those."""
    longer, letters = [re.escape(w) for w in words if len(w) > 1], [w for w in words if len(w) == 1]
    found = [rf"(?<![a-z])(?:{'|'.join(longer)})(?![a-z])"] if longer else []
    found += [rf"(?<![a-z0-9])[{''.join(letters)}](?![a-z0-9])"] if letters else []
    return re.compile("|".join(found) or r"(?!)")


def whole_labels(words: Iterable[str]) -> re.Pattern[str]:
    """Long words stand by themselves; short ones, which titles of articles hold too (`go-out-tonight`), are a whole
    label of the host, the name of a file before its ending, or a whole segment that no title follows."""
    every = list(words)
    longer = [re.escape(w) for w in every if len(w) >= _LONG]
    shorter = [re.escape(w) for w in every if len(w) < _LONG]
    found = [rf"(?<![a-z])(?:{'|'.join(longer)})(?![a-z])"] if longer else []
    found += [rf"(?<![^/.])(?:{'|'.join(shorter)})(?![^/.]|/[a-z]+-)"] if shorter else []
    return re.compile("|".join(found) or r"(?!)")


def named(name: str, names: frozenset[str]) -> bool:
    """Whether `name` is one of these, of which some end in `*`."""
    return name in names or any(n.endswith("*") and name.startswith(n[:-1]) for n in names)
