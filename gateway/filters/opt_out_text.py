"""What the visible opt-out says: the organisation's own text or ours, filled in, as plain text and as HTML.

what:       texts by language with {link} {name} {address} {policy} {contact} → one block per kind of part
takes→gives: `Context`, charset, line end → `Block` (bytes before the URL, the URL or not, bytes after)
knows not:  where the block goes, the URL itself
fails by:   nothing: what a charset lacks is written in ASCII
standard:   S-21, S-51, S-54, S-69, L-29; RFC 3676 4 (fixed lines); R-041, R-077
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
from gateway.message.draft import Replacement, Slot

_LINK = {
    "nl": "Je ontvangt deze mail van {name}, {address}.\nGeen mail van deze soort meer ontvangen? {link}\n"
    "Hoe we met je gegevens omgaan: {policy}",
    "en": "You receive this mail from {name}, {address}.\nNo more mail of this kind? {link}\n"
    "How we handle your data: {policy}",
}
_HOW_TO = {
    "nl": "Je ontvangt deze mail van {name}, {address}.\nWil je zulke berichten niet meer ontvangen? "
    "Laat het ons weten via {contact}.\nHoe we met je gegevens omgaan: {policy}",
    "en": "You receive this mail from {name}, {address}.\nDo you want to stop such messages? "
    "Tell us at {contact}.\nHow we handle your data: {policy}",
}
_LABEL = {"nl": "Meld je hier af", "en": "Unsubscribe here", "de": "Hier abmelden", "fr": "Se désabonner ici"}
_PLACE = re.compile(r"\{(link|name|address|policy|contact)\}")
_WIDTH = 72
_RULE = "-" * 24
# Both colours are given, so that the text is readable whatever colours the mail sets and dark mode turns both at once.
_BLOCK_STYLE = (
    "clear:both;max-width:600px;margin:24px auto 0;padding:12px 16px;background-color:#ffffff;color:#222222;"
    "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5;text-align:left"
)
_LINK_STYLE = "color:#0b4f9e;text-decoration:underline"


class _Names(NamedTuple):
    """What stands for {name} {address} {policy} {contact}."""

    name: str
    address: str
    policy: str
    contact: str


_Chosen = tuple[str, str, bool]
"""The text, its language, and whether it carries the link."""


@dataclass(frozen=True, slots=True)
class Block:
    """`before`, then the opt-out URL where `linked`, then `after`; encoded in the part's charset."""

    before: bytes
    after: bytes
    linked: bool

    @property
    def replacement(self) -> Replacement:
        return (self.before, Slot.OPT_OUT, self.after) if self.linked else (self.before + self.after,)


def text_block(context: Context, *, charset: str, line_end: bytes) -> Block:
    """For text/plain. The URL stands on a line of its own; no line ends in a space, so that flowed text stays fixed."""
    return _text_block(_template(context), _names(context), charset, line_end)


def html_block(context: Context, *, charset: str, line_end: bytes) -> Block:
    """For text/html: one block with a language, own colours, and a link whose words say what it does."""
    return _html_block(_template(context), _names(context), charset, line_end)


@lru_cache(maxsize=128)  # the same for every mail of a stream
def _text_block(chosen: _Chosen, names: _Names, charset: str, line_end: bytes) -> Block:
    template, _, linked = chosen
    lines = [_RULE]
    at = 1
    for line in template.split("\n"):
        before, link, after = line.partition("{link}") if linked else (line, "", "")
        lines += _wrapped(before, names)
        if link:
            at = len(lines)
            lines += ["", *_wrapped(after, names)]
    end = line_end.decode("ascii")
    if not linked:
        return Block(_encode(end.join((*lines, "")), charset), b"", linked=False)
    before = "".join(line + end for line in lines[:at])
    return Block(_encode(before, charset), _encode(end.join(("", *lines[at + 1 :], "")), charset), linked=True)


@lru_cache(maxsize=128)
def _html_block(chosen: _Chosen, names: _Names, charset: str, line_end: bytes) -> Block:
    template, language, linked = chosen
    end = line_end.decode("ascii")
    anchor = f'<a\nhref="\0"\nstyle="{_LINK_STYLE}">{html.escape(_label(language))}</a>'
    lines = []
    for line in template.split("\n"):
        before, link, after = line.partition("{link}") if linked else (line, "", "")
        written = _escaped(before, names) + (anchor if link else "") + _escaped(after, names)
        lines.append(f'<p style="margin:0 0 8px">{written}</p>')
    whole = "\n".join((f'<div lang="{language}" dir="auto" style="{_BLOCK_STYLE}">', *lines, "</div>", ""))
    before, _, after = whole.replace("\n", end).partition("\0")
    return Block(_encode_html(before, charset), _encode_html(after, charset), linked)


def _template(context: Context) -> _Chosen:
    """The text, its language, and whether it carries the link. Configured texts go before ours in each language."""
    rule = context.rule.opt_out
    linked = rule.text == "link" and rule.scope is not None
    footer = context.organisation.footer
    configured, ours = (footer.link, _LINK) if linked else (footer.how_to, _HOW_TO)
    for language in (context.variant.language, context.organisation.language, "en"):
        if text := configured.get(language) or ours.get(language):
            return _complete(text, linked), language, linked
    raise AssertionError("there is always an English text")


@lru_cache(maxsize=128)
def _complete(text: str, linked: bool) -> str:
    """A text with exactly one link where it is linked, and with identity and address, which the law asks (L-29)."""
    text = "\n".join(line.strip() for line in text.strip().splitlines())
    if not linked:
        return text.replace("{link}", "")
    text = text if "{link}" in text else f"{text}\n{{link}}"
    begin, link, rest = text.partition("{link}")
    text = begin + link + rest.replace("{link}", "")
    missing = ", ".join(place for place in ("{name}", "{address}") if place not in text)
    return f"{text}\n{missing}" if missing else text


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


def _label(language: str) -> str:
    return _LABEL.get(language, _LABEL["en"])


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
