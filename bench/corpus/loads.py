"""What HTML loads and links to, read by the standard library: for the truth set and for judging what leaves.

what:       remote loads and links of one HTML text, in the order in which they stand
takes→gives: text → `Load`, `Link` with ordinal and digest
knows not:  our scanner and our filters, on purpose; what is a tracker
fails by:   nothing; odd markup is read as the standard library reads it
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

_URL = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]*))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)
_REMOTE = re.compile(r"\s*(?:https?:)?[/\\]{2}", re.IGNORECASE)
_LOADING = {
    "img": ("src", "srcset", "lowsrc", "dynsrc"),
    "source": ("src", "srcset"),
    "input": ("src",),
    "iframe": ("src",),
    "frame": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "bgsound": ("src",),
    "script": ("src",),
    "link": ("href",),
    "image": ("href", "xlink:href", "src"),
    "v:fill": ("src",),
    "v:imagedata": ("src",),
    "v:image": ("src",),
    "amp-img": ("src", "srcset"),
    "amp-pixel": ("src",),
}
_CONDITIONAL = re.compile(r"\[if[^\]]*\]>(.*?)<!\[endif\]", re.IGNORECASE | re.DOTALL)


def digest(url: str) -> str:
    """How the truth set names an address without holding it."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Load:
    """A remote address that is fetched when the mail is shown; `kind` is "img src", "style" …"""

    ordinal: int
    kind: str
    url: str
    attributes: str
    """The element as written: for who reads it, never stored."""

    @property
    def digest(self) -> str:
        return digest(self.url)


@dataclass(frozen=True, slots=True)
class Link:
    """An address behind a[href] or area[href]; `text` is what one clicks on."""

    ordinal: int
    url: str
    text: str

    @property
    def digest(self) -> str:
        return digest(self.url)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str, str]] = []
        self.links: list[tuple[str, list[str]]] = []
        self.base = ""
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = self.get_starttag_text() or ""
        values = {name: value or "" for name, value in reversed(attrs)}  # the first of two counts
        self._style = tag == "style"
        if tag == "base" and not self.base:
            self.base = values.get("href", "")
        if tag in ("a", "area") and "href" in values:
            self.links.append((values["href"].strip(), []))
        for name in _LOADING.get(tag, ()):
            for url in _candidates(values.get(name, "")) if name == "srcset" else [values.get(name, "")]:
                self._add(f"{tag} {name}", url, written)
        if "background" in values:
            self._add("background", values["background"], written)
        for url in _urls(values.get("style", "")):
            self._add("style", url, written)
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self._add("refresh", values.get("content", "").partition("=")[2].strip("'\" "), written)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._style = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            for url in _urls(data):
                self._add("style sheet", url, url)
        elif self.links:
            self.links[-1][1].append(data)

    def handle_comment(self, data: str) -> None:
        for inner in _CONDITIONAL.findall(data):
            self._inside(inner)

    def _inside(self, text: str) -> None:
        reader = _Reader()
        reader.feed(text)
        reader.close()
        self.found += [(f"conditional {kind}", url, written) for kind, url, written in reader.found]
        self.links += reader.links

    def _add(self, kind: str, url: str, written: str) -> None:
        whole = urljoin(self.base, url.strip()) if self.base and url.strip() else url.strip()
        if _REMOTE.match(whole):
            self.found.append((kind, whole, written))


def _urls(css: str) -> Iterator[str]:
    for groups in _URL.findall(css):
        yield next((g for g in groups if g), "")


def _candidates(srcset: str) -> Iterator[str]:
    return (part.split()[0] for part in re.split(r",\s+|,(?=https?:)", srcset) if part.split())


def _read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader


def loads(text: str) -> list[Load]:
    """Remote loads of one HTML text."""
    return [Load(number, *found) for number, found in enumerate(_read(text).found, 1)]


def links(text: str) -> list[Link]:
    """Links to the web of one HTML text."""
    found = [(url, " ".join("".join(words).split())) for url, words in _read(text).links if _REMOTE.match(url)]
    return [Link(number, *each) for number, each in enumerate(found, 1)]
