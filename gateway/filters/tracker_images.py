"""Which remote loads record that a mail was opened, and which of them can be made common instead.

what:       one address, how it is shown, what other copies say → `Judgement`
takes→gives: `Look` + `Url` + facts + verdict → kind of tracker, and the address to load instead if there is one
knows not:  spans, edits, consent
fails by:   nothing
standard:   R-058, R-059; EDPB Guidelines 2/2023; S-47

In this order: what other copies prove individual goes, or is made common (differs, made-common); a fact that says the
address records opens (known-host, known-path); a mail address in it (individual); tiny or hidden and not plainly one
file for everybody (pixel, hidden). What then is left and common to other copies stays. Without other copies an
individual value in the query of a picture is cut (made-common); what shows no size and no text goes where it names no
file and looks individual (individual), or says by a word what it is for (pixel). So a spacer stays, and so does a
picture of visible size. What a known proxy fetches is judged in its place, and what a mail loads more than once from
one plain file holds its layout apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from gateway.compared import Sameness, Verdict
from gateway.config import weburl
from gateway.config.targets import decoded
from gateway.config.trackers import Trackers
from gateway.filters.tracker_styles import TINY, UnreadableStyle, declarations, dimension, hides, may_hide, pixels

MAX_PROXIES = 3
MAX_ADDRESS = 16 * 1024
"""Characters; no picture has a longer address."""
_NUMBER = 8
"""Digits that make a number individual where size and hiding say nothing: fewer are colours, sizes, article numbers."""
_FEW = 5
"""The same where a folder says that opens are counted there."""
_LINE = 20.0
"""Pixels: what is this long and up to TINY high is a line that somebody sees."""
_SMALL = 3.0
"""Pixels: what is not larger either way shows nothing."""
_CONTENT = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-z])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-z])",
    re.I,
)
"""Ids and digests by which file stores name a file."""
_TIME = re.compile(r"1\d{9}(?:\d{3})?")
"""Seconds or milliseconds since 1970: when a picture was changed."""
_SIZE_WORDS = re.compile(r"width|height", re.IGNORECASE)


_PHOTO = re.compile(r"\.(?:jpe?g|png|webp)$", re.IGNORECASE)
_LETTER = re.compile(r"[a-z]\.(?:gif|png|php|aspx?|jsp|ashx|cgi|pl)", re.IGNORECASE)
"""The name of a counter rather than of a picture, where a query follows it."""
_LONG_NUMBER = re.compile(r"(?<![0-9a-z])\d{5,}(?![0-9a-z])", re.IGNORECASE)

LOOKED_AT = frozenset({"width", "height", "alt", "style", "hidden"})
"""Attributes that say how an element shows."""


class Look(NamedTuple):
    """How an element shows. `line`: tiny, but long; `dot`: tiny both ways; `bare`: neither a size nor a text is given;
    `backdrop`: it could have none."""

    tiny: bool = False
    hidden: bool = False
    bare: bool = False
    line: bool = False
    dot: bool = False
    backdrop: bool = False

    @property
    def unseen(self) -> bool:
        return self.tiny or self.hidden


SIZELESS = Look(bare=True, backdrop=True)
"""Style sheets, frames, backgrounds, sound: loads without a size of their own."""


class Judgement(NamedTuple):
    """`kind`: pixel | hidden | known-host | known-path | individual | differs | made-common, or "" when it may stay.

    `instead` is the address to load in its place; "" when nothing is.
    """

    kind: str
    instead: str = ""


STAYS = Judgement("")
UNKNOWN = Verdict(Sameness.UNKNOWN)


def judge(
    address: str,
    url: weburl.Url,
    look: Look,
    facts: Trackers,
    verdict: Verdict = UNKNOWN,
    *,
    reader: str = "",
    often: bool = False,
) -> Judgement:
    """What becomes of one load. `reader` is the only recipient's address in lower case, "" where there are several;
    `often`: the mail loads it in more than one place."""
    if len(address) > MAX_ADDRESS:
        return Judgement("individual")
    static = facts.static_host(url)
    known = "" if static or _shown_file(url, look, facts) else _known(url, facts)
    if verdict.sameness is Sameness.INDIVIDUAL:
        return _differs(known, look, verdict)
    if static:
        return STAYS
    if known:
        return Judgement(known)
    if weburl.holds_address(text := f"{url.path}?{url.query}#{url.fragment}"):
        return _named(address, url, unquote(text).lower(), look, reader)
    found = _by_look(address, url, look, facts, verdict, alone=bool(reader), often=often)
    return STAYS if found.kind and facts.common_picture(url) else found


def _by_look(
    address: str, url: weburl.Url, look: Look, facts: Trackers, verdict: Verdict, *, alone: bool, often: bool
) -> Judgement:
    """What no fact is about."""
    shown = _behind(url, facts) or url
    if look.unseen:
        return _unseen(shown, look, facts, verdict, often=often)
    # One mail to several people has one address for all: that they share it does not say what a picture is for.
    excused = verdict.sameness is Sameness.COMMON and (alone or look.backdrop)
    if look.bare and not excused and (kind := _bare(shown, facts)):
        return Judgement(kind)
    if shown is url and verdict.sameness is not Sameness.COMMON and url.query and weburl.names_file(url):
        return _cut(address, url, facts)
    return STAYS


def ordinary(url: weburl.Url, look: Look, facts: Trackers) -> bool:
    """What nearly all pictures are: something to see, in a file with a name, on a host that no fact is about."""
    if look.tiny or look.hidden or url.query or url.fragment or "@" in url.path or "%" in url.path:
        return False
    if look.bare and (facts.pixel(url) or facts.opens_folder(url) or url.path[-4:].lower() == ".css"):
        return False
    return weburl.names_file(url) and facts.ordinary(url.host) and not facts.known_path(url)


def _shown_file(url: weburl.Url, look: Look, facts: Trackers) -> bool:
    """Whether it is a picture of visible size in one file for everybody, on a host that no fact is about.

    Shops keep photographs in folders of letters and numbers, as some counters do: a photograph without a query counts
    unless a word says what it is for.
    """
    if look.unseen or look.bare or not facts.ordinary(url.host):
        return False
    photo = not url.query and _PHOTO.search(url.path) and not facts.opens_word(url.path[:1000].lower())
    return bool(photo) or weburl.static_file(url)


def _bare(url: weburl.Url, facts: Trackers) -> str:
    """Kind of tracker of what shows neither size nor text, or "". A file is one only where its name shows nothing."""
    if weburl.names_file(url):
        return "pixel" if _shows_nothing(url, facts) else ""
    if _individual(url, facts):
        return "individual"
    return "pixel" if facts.says_opens(url) or _counter(url) else ""


def _shows_nothing(url: weburl.Url, facts: Trackers) -> bool:
    """Whether a file that shows no size is named like a point or a counter, and its address says for whom."""
    if facts.pixel(url) and facts.says_opens(url):
        return True
    if weburl.static_file(url):
        return False
    if facts.pixel(url) or _counter(url):
        return True
    if url.path.lower().endswith(".css") and len(_LONG_NUMBER.findall(url.path)) > 1:
        return True
    return facts.opens_folder(url) and _any_individual(url, digits=_FEW)


def _counter(url: weburl.Url) -> bool:
    return bool(url.query) and _LETTER.fullmatch(url.path.rpartition("/")[2]) is not None


def _known(url: weburl.Url, facts: Trackers) -> str:
    """What facts say about the address, or about the one that a proxy fetches for it."""
    for _ in range(MAX_PROXIES):
        if found := facts.open_kind(url):
            return found
        inner = weburl.read(facts.behind(url)) or _carried(url)
        if inner is None:
            break
        url = inner
    return ""


def _behind(url: weburl.Url, facts: Trackers) -> weburl.Url | None:
    """What a known proxy fetches; None where it is none."""
    if facts.ordinary(url.host):
        return None
    return weburl.read(facts.behind(url))


def _carried(url: weburl.Url) -> weburl.Url | None:
    """An address written out in the query or the fragment: any server can fetch a picture for another."""
    if "http" not in url.query and "http" not in url.fragment:
        return None
    for text in (url.fragment, *(value for _, value in url.parameters)):
        if "http" in text[:5] and (found := decoded(text)):
            return weburl.read(found)
    return None


def _differs(known: str, look: Look, verdict: Verdict) -> Judgement:
    if known:
        return Judgement(known)
    if verdict.common and not look.unseen:
        return Judgement("made-common", verdict.common)
    return Judgement("pixel" if look.tiny else "hidden" if look.hidden else "differs")


def _named(address: str, url: weburl.Url, text: str, look: Look, reader: str) -> Judgement:
    """A mail address in it: the reader's, or of somebody whom the picture shows, such as who invites."""
    if look.unseen or look.bare:
        return Judgement("individual")
    if weburl.names_file(url) and not weburl.holds_address(url.path):
        return Judgement("made-common", without(address, lambda name, value: weburl.holds_address(value)))
    return Judgement("individual") if reader and reader in text else STAYS


def _unseen(url: weburl.Url, look: Look, facts: Trackers, verdict: Verdict, *, often: bool) -> Judgement:
    plain = _plain(url, look, facts)
    if verdict.sameness is Sameness.COMMON:
        plain = plain or not _any_individual(url)
    elif plain:
        plain = not facts.opens_word(url.path[:1000].lower()) and (often or not _point(url, look, facts))
    return STAYS if plain else Judgement("pixel" if look.tiny else "hidden")


def _point(url: weburl.Url, look: Look, facts: Trackers) -> bool:
    """Whether nobody can see it and its name does not say that it holds a layout apart."""
    if facts.pixel(url) or (facts.says_opens(url) and not look.line):
        return look.dot or look.bare
    return look.dot and not facts.spacer(url)


def _plain(url: weburl.Url, look: Look, facts: Trackers) -> bool:
    """Whether the address is one file for everybody.

    A hidden picture that has a size may be shown by a style sheet (on telephones), a line is seen, and a spacer says so
    in its name: there the file name counts even where the folder looks individual.
    """
    if weburl.static_file(url):
        return True
    swapped = look.hidden and not look.tiny and not look.bare
    return not url.query and weburl.names_file(url) and (swapped or look.line or facts.spacer(url))


def _any_individual(url: weburl.Url, *, digits: int = _NUMBER) -> bool:
    values = (*url.segments, *(value for _, value in url.parameters))
    return any(weburl.individual(unquote(value), digits=digits) for value in values)


def _individual(url: weburl.Url, facts: Trackers) -> bool:
    """Whether something in it looks made for one person; names of stored files only where a word gives them away."""
    if any(_telling(name or value, value or name) for name, value in url.parameters):
        return True
    hinted = facts.opens_word(url.path[:1000].lower())
    segments = url.segments if hinted else [_CONTENT.sub("", segment) for segment in url.segments]
    return any(weburl.individual(unquote(segment), digits=_NUMBER) for segment in segments)


def _cut(address: str, url: weburl.Url, facts: Trackers) -> Judgement:
    """A picture's address without the individual pairs of its query; what its server checks is never cut, and no query
    that may be part of an address written out in the path."""
    if "//" in url.path[1:]:
        return STAYS
    telling = [(name, value) for name, value in url.parameters if _telling(name, value)]
    if not telling or any(facts.signature(name) and not value.isdecimal() for name, value in telling):
        return STAYS
    gone = {pair for pair in telling if not facts.signature(pair[0])}
    return Judgement("made-common", without(address, lambda *pair: pair in gone)) if gone else STAYS


def _telling(name: str, value: str) -> bool:
    value = unquote(value)
    return bool(name) and weburl.individual(value, digits=_NUMBER) and not _TIME.fullmatch(value)


def without(address: str, gone: Callable[[str, str], bool]) -> str:
    """The address without the pairs of its query of which `gone` says so; the others in their order and as written."""
    whole, mark, fragment = address.partition("#")
    before, _, query = whole.partition("?")
    kept = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        if not gone(unquote(name), value):
            kept.append(piece)
    return before + ("?" if kept else "") + "&".join(kept) + mark + fragment


def look_of(attributes: Mapping[str, str], *, within_hidden: bool, sheet: Mapping[str, str] | None = None) -> Look:
    """Read size and hiding from an element's attributes (decoded, names in lower case; the first of a name counts).

    `sheet` is what style sheets say about it; the element's own style outweighs that unless it is important there.
    """
    own = _own(attributes.get("style", ""))
    style = _merged(own, sheet)
    width, height = _size("width", attributes, style), _size("height", attributes, style)
    hidden = within_hidden or (bool(style) and hides(style)) or "hidden" in attributes
    said = any(attributes.get(n, "").strip() for n in ("width", "height", "alt"))
    bare = not said and not own.keys() & {"width", "height", "max-width", "max-height"}
    sizes = [size for size in (width, height) if size is not None]
    tiny = bool(sizes) and (min(sizes) <= TINY or (len(sizes) == 2 and max(sizes) <= _SMALL))
    line = tiny and min(sizes) > 0 and max(sizes) >= _LINE
    return Look(tiny, hidden, bare, line, len(sizes) == 2 and max(sizes) <= _SMALL)


def _size(name: str, attributes: Mapping[str, str], style: Mapping[str, str]) -> float | None:
    """Width or height in pixels: by style, else by attribute, and never more than the style's maximum."""
    first = pixels(style[name]) if name in style else dimension(attributes.get(name, ""))
    most = pixels(style.get(f"max-{name}", ""))
    return min((size for size in (first, most) if size is not None), default=None)


def _own(style: str) -> Mapping[str, str]:
    if not style or not (may_hide(style) or _SIZE_WORDS.search(style)):
        return {}
    try:
        return declarations(style)
    except UnreadableStyle:
        return {"display": "none"}  # what cannot be read is taken for hiding


def _merged(own: Mapping[str, str], sheet: Mapping[str, str] | None) -> Mapping[str, str]:
    """The element's own style outweighs the sheet unless that is important."""
    if not sheet:
        return own
    important = {name: value for name, value in sheet.items() if "!" in value and "!" not in own.get(name, "")}
    return {**sheet, **own, **important}
