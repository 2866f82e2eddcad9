"""In which language a mail is written, so that its opt-out can be read by who reads the rest.

what:       Content-Language, else the words of the text, else the lang attribute of its html element
takes→gives: `Draft`, its bodies → primary language tag in lower case, "" when nothing says
knows not:  the person, the organisation, which texts there are
fails by:   nothing
standard:   RFC 5646 2.1 (primary tag), RFC 3282; S-21, S-51
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from gateway.filters.opt_out_text import CLASS, RULE
from gateway.message.draft import Draft
from gateway.message.html import Text, Unscannable
from gateway.message.parse import Part
from gateway.message.skim import Glance, Mark, skim

_READ = 16_384  # octets of a body that are read for its language: enough words, and the same work for every size
_OURS = re.compile(rb"\n" + RULE.encode() + rb"\r?\n|<div [^<>]{0,60}class=\"" + CLASS.encode())  # an earlier opt-out
_WORD = re.compile(r"[^\W\d_]+")
_TAG = re.compile(r"[A-Za-z]{2,3}(?![A-Za-z])")
# Words that hold a sentence together and that only one of these languages has.
_WORDS = {
    "nl": "het een van voor niet zijn met wij deze naar ook uw jij jullie wordt kunt ons onze aan bij nog maar meer je",
    "en": "the and for not with this that you your our from have will are can they which would been more when",
    "de": "das und ein eine für nicht mit wir sie ihre auf auch sich ist dem wird können oder von zum zur",
    "fr": "le les une pour pas avec nous vous est dans sur votre nos vos qui sont aux cette ou et mais plus",
}
_LANGUAGE = {word: language for language, words in _WORDS.items() for word in words.split()}
_LANGUAGE = {w: t for w, t in _LANGUAGE.items() if sum(w in words.split() for words in _WORDS.values()) == 1}
_HTML = frozenset({"html"})
_SURE = 4  # different words, and twice as many as of any other language


def language(draft: Draft, bodies: Iterable[Part]) -> str:
    """The language of the mail. What the words say goes before an html element's lang, which templates bring along."""
    if said := _header(draft):
        return said
    declared = ""
    for part in bodies:
        if draft.why_not(part):
            continue
        text, lang = _read(draft, part)
        if found := _by_words(text):
            return found
        declared = declared or lang
    return declared


def _header(draft: Draft) -> str:
    """Content-Language, when it names one language alone."""
    values = [draft.message.text_value(field) for field in draft.message.fields("Content-Language")]
    tags = {_primary(tag) for value in values for tag in value.split(",")}
    return tags.pop() if len(tags) == 1 else ""


def _primary(tag: str) -> str:
    found = _TAG.match(tag.strip())
    low = found[0].lower() if found else ""
    return "" if low in ("und", "mul", "zxx") else low


def _read(draft: Draft, part: Part) -> tuple[str, str]:
    """The first words a reader sees, and what the html element says."""
    content, codec = _OURS.split(draft.content(part)[:_READ], maxsplit=1)[0], draft.scan_charset(part)
    if part.content_type == "text/plain":
        return content.decode(codec, "replace"), ""
    words: list[bytes] = []
    lang = ""
    glance = Glance(_HTML, texts=True, comments=b"[if" in content)
    try:
        for node in skim(content, glance):
            if type(node) is Text:
                if not node.element and not node.within:
                    words.append(content[node.start : node.end])
            elif type(node) is Mark and not lang and not node.closing and (said := node.tag().get("lang")):
                lang = _primary(said.value)
    except Unscannable:
        return "", ""
    return b" ".join(words).decode(codec, "replace"), lang


def _by_words(text: str) -> str:
    """The language that most different words belong to, when it is clear."""
    pieces = set(text.lower().split())
    mixed = " ".join(piece for piece in pieces if not piece.isalpha())  # a pattern over the whole text costs most
    seen = _LANGUAGE.keys() & pieces.union(_WORD.findall(mixed))
    ranked = Counter(_LANGUAGE[word] for word in seen).most_common(2)
    if not ranked or ranked[0][1] < _SURE or (len(ranked) > 1 and ranked[1][1] * 2 > ranked[0][1]):
        return ""
    return ranked[0][0]
