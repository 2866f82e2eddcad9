"""The opt-out of one stream, and the texts of all: what the link stops, where it stands, what stands beside it.

what:       `OptOutRule` (per stream), `Footer` (per organisation)
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   S-21, S-51, S-60; R-041, R-042, R-044; L-29
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.config.base import Settings

ScopeName = Literal["everything", "marketing", "source", "list", "topic", "category"]
# Begins and ends with a sign, so that no word of a text is one by accident; nothing that HTML or a quoted attribute
# would read otherwise; blanks inside only.
_SIGN = "[!#-&(-/:;=?@\\[\\]-`{-~]"
_PLACEHOLDER = re.compile(rf"{_SIGN}[ !#-&(-;=?-\[\]-~]{{2,60}}{_SIGN}")


def _placeholder(text: str) -> str:
    if not _PLACEHOLDER.fullmatch(text) or not re.search("[A-Za-z0-9]{2}", text):
        raise ValueError("expected ASCII that begins and ends with a sign, such as {{unsubscribe}}, without < > quotes")
    return text


Placeholder = Annotated[str, AfterValidator(_placeholder)]


class OptOutRule(Settings):
    """The opt-out a stream carries (S-21, S-51, S-60; D-02)."""

    scope: ScopeName | None = None
    """What the link stops; None: no link."""
    header: Literal["one-click", "link", "none"] = "none"
    """one-click: List-Unsubscribe and -Post; link: List-Unsubscribe only."""
    text: Literal["link", "how-to", "none"] = "none"
    """link: visible link at the end; how-to: text that says how to stop, without a link."""
    when_sealed: Literal["header", "wrap", "refuse"] = "header"
    """Signed or encrypted mail, where no text can be added. header: the header alone carries the link, and mail without
    such a header is refused; wrap: the sealed mail becomes the first part of a mail whose second part is the text."""
    when_no_text: Literal["header", "wrap", "refuse"] = "refuse"
    """The same for mail without any text, such as a single PDF."""


class Footer(Settings):
    """Texts of the visible opt-out, by language; `{name}`, `{address}`, `{policy}` and `{link}` are filled in."""

    link: dict[str, str] = Field(default={})
    """Texts with a link, for streams with text link."""
    how_to: dict[str, str] = Field(default={})
    """Texts that say how to stop, for streams with text how-to."""
    placeholders: tuple[Placeholder, ...] = ()
    """What the organisation's own templates write where the link belongs, such as `{{unsubscribe}}`: filled, instead of
    a text at the end. Printable ASCII that begins and ends with a sign, without `<`, `>`, quotes and backslash."""
