"""What the visible opt-out says: the organisation's own text or ours, filled in, as plain text and as HTML.

what:       texts by language with {link} {name} {address} {policy} {contact} → one block per kind of part
takes→gives: `Context`, language of the mail, charset, line end → `Block` (bytes before the URL, the URL or not, after)
knows not:  where the block goes, the URL itself
fails by:   nothing: what a charset lacks is written in ASCII
standard:   S-21, S-38, S-51, S-54, S-69, L-29; RFC 3676 4 (fixed lines); R-041, R-077
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gateway.filters.context import Context
from gateway.filters.opt_out_words import HOW_TO, LABEL, LINK
from gateway.message.draft import Replacement, Slot

RULE = "-" * 24
CLASS = "briefgeheim"
"""Of the HTML block, so that a later pass knows it."""
_PLACE = re.compile(r"\{(link|name|address|policy|contact)\}")
_WHO = ("{name}", "{address}", "{policy}")
_WIDTH = 72
# No background, and the colour of the text around it: dark mode then turns the block as it turns the mail.
_BLOCK_STYLE = (
    "clear:both;max-width:600px;margin:24px auto 0;padding:12px 16px;border-top:1px solid;{colour}"
    "font-family:Arial,Helvetica,sans-serif;font-size:14px;font-style:normal;font-weight:normal;line-height:1.5"
)
_LINK_STYLE = "color:inherit;text-decoration:underline"


class _Names(NamedTuple):
    """What stands for {name} {address} {policy} {contact}."""

    name: str
    address: str
    policy: str
    contact: str


class Wording(NamedTuple):
    """One text to write: the template, its language, and whether it carries the link."""

    template: str
    language: str
    linked: bool


@dataclass(frozen=True, slots=True)
class Block:
    """`before`, then the opt-out URL where `linked`, then `after`; encoded in the part's charset."""

    before: bytes
    after: bytes
    linked: bool

    @property
    def replacement(self) -> Replacement:
        return (self.before, Slot.OPT_OUT, self.after) if self.linked else (self.before + self.after,)


def wording(context: Context, language: str = "", *, identity: bool = False) -> Wording:
    """What is said, in the language of the mail, the person or the organisation: the first that there is a text in.

    Configured texts go before ours in each language. `identity`: only who sends, for mail that shows its link already.
    """
    rule = context.rule.opt_out
    linked = rule.text == "link" and rule.scope is not None
    footer = context.organisation.footer
    configured, ours = (footer.link, LINK) if linked else (footer.how_to, HOW_TO)
    for tongue in (language, context.variant.language, context.organisation.language, "en"):
        if text := configured.get(tongue) or ours.get(tongue):
            return Wording(
                _complete(_who(text) if identity else text, linked and not identity), tongue, linked and not identity
            )
    raise AssertionError("there is always an English text")


def text_block(context: Context, said: Wording, *, charset: str, line_end: bytes) -> Block:
    """For text/plain. The URL stands on a line of its own; no line ends in a space, so that flowed text stays fixed."""
    return _text_block(said, _names(context), charset, line_end)


def fits(context: Context, said: Wording, charset: str) -> bool:
    """Whether the charset holds every character of the text."""
    return _fits(said, _names(context), charset)


def html_block(context: Context, said: Wording, *, charset: str, line_end: bytes, colour: str = "") -> Block:
    """For text/html: one block with its language and a link whose words say what it does. `colour`: of the text, where
    that of the mail would not be seen."""
    return _html_block(said, _names(context), charset, line_end, colour)


def label(said: Wording, charset: str) -> bytes:
    """The words of a link, in HTML."""
    return _encode_html(html.escape(LABEL.get(said.language, LABEL["en"])), charset)


def anchor(said: Wording, charset: str) -> tuple[bytes, bytes]:
    """A link before and after its URL, in HTML."""
    before, after = _anchor(said.language).split("\0")
    return _encode_html(before, charset), _encode_html(after, charset)


@lru_cache(maxsize=128)  # the same for every mail of a stream
def _text_block(said: Wording, names: _Names, charset: str, line_end: bytes) -> Block:
    before, after = _text_lines(said, names)
    end = line_end.decode("ascii")
    first = _encode("".join(line + end for line in before), charset)
    if not said.linked:
        return Block(first, b"", linked=False)
    return Block(first, _encode(end.join(("", *after, "")), charset), linked=True)


@lru_cache(maxsize=128)
def _fits(said: Wording, names: _Names, charset: str) -> bool:
    before, after = _text_lines(said, names)
    try:
        "".join((*before, *after)).encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _text_lines(said: Wording, names: _Names) -> tuple[list[str], list[str]]:
    """Lines before and after the URL's own line."""
    before, after = [RULE], list[str]()
    lines = before
    for line in said.template.split("\n"):
        first, link, rest = line.partition("{link}") if said.linked else (line, "", "")
        lines += _wrapped(first, names)
        if link:
            lines = after
            lines += _wrapped(rest, names)
    return before, after


@lru_cache(maxsize=128)
def _html_block(said: Wording, names: _Names, charset: str, line_end: bytes, colour: str) -> Block:
    lines = []
    for line in said.template.split("\n"):
        before, link, after = line.partition("{link}") if said.linked else (line, "", "")
        written = _escaped(before, names) + (_anchor(said.language) if link else "") + _escaped(after, names)
        lines.append(f'<p style="margin:0 0 8px">{written}</p>')
    style = _BLOCK_STYLE.format(colour=f"color:{colour};" if colour else "color:inherit;")
    opening = f'<div lang="{said.language}" dir="auto" class="{CLASS}" style="{style}">'
    whole = "\n".join((opening, *lines, "</div>", ""))
    before, _, after = whole.replace("\n", line_end.decode("ascii")).partition("\0")
    return Block(_encode_html(before, charset), _encode_html(after, charset), said.linked)


def _anchor(language: str) -> str:
    label = html.escape(LABEL.get(language, LABEL["en"]))
    return f'<a\nhref="\0"\nstyle="{_LINK_STYLE}">{label}</a>'


@lru_cache(maxsize=128)
def _complete(text: str, linked: bool) -> str:
    """A text with exactly one link where it is linked, and with identity and address, which the law asks (L-29)."""
    text = "\n".join(line.strip() for line in text.strip().splitlines())
    if not linked:
        return text.replace("{link}", "")
    text = text if "{link}" in text else f"{text}\n{{link}}"
    begin, link, rest = text.partition("{link}")
    text = begin + link + rest.replace("{link}", "")
    missing = ", ".join(place for place in _WHO[:2] if place not in text)
    return f"{text}\n{missing}" if missing else text


@lru_cache(maxsize=128)
def _who(text: str) -> str:
    """The lines of a text that say who sends: those without a link, and what they forget."""
    kept = [line for line in text.strip().splitlines() if "{link}" not in line and any(w in line for w in _WHO)]
    missing = ", ".join(place for place in _WHO if not any(place in line for line in kept))
    return "\n".join([*kept, missing] if missing else kept)


def _names(context: Context) -> _Names:
    controller = context.organisation.controller
    return _Names(controller.name, controller.postal_address, controller.policy_url, controller.contact)


def _fill(text: str, names: _Names) -> str:
    values = {"link": "", **names._asdict()}
    return _PLACE.sub(lambda found: values[found[1]], text)


def _escaped(text: str, names: _Names) -> str:
    """Filled in and escaped, the policy address as a link that can be clicked."""
    address = html.escape(names.policy)
    written = html.escape(_fill(text, names))
    return written.replace(address, f'<a href="{address}" style="{_LINK_STYLE}">{address}</a>')


def _wrapped(line: str, names: _Names) -> list[str]:
    """One line of the text, filled in, as lines of at most 72 characters; name, postal address and URLs stay whole."""
    whole = _PLACE.sub(lambda found: _fill(found[0], names).replace(" ", "\0"), line.strip())
    lines = textwrap.wrap(whole, _WIDTH, break_long_words=False, break_on_hyphens=False)
    # A line that starts like a quote or a mailbox separator would be read as one (RFC 3676 4.4).
    return [f" {text}" if text.startswith((">", "From ")) else text for text in (t.replace("\0", " ") for t in lines)]


def _encode(text: str, charset: str) -> bytes:
    """In the part's charset; what it lacks without accents, else as "?"."""
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        return "".join(_nearest(c, charset) for c in text).encode(charset, "replace")


def _nearest(character: str, charset: str) -> str:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        plain = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."}.get(character)
        return plain or unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"
    return character


def _encode_html(text: str, charset: str) -> bytes:
    return text.encode(charset, "xmlcharrefreplace")
