"""What people see: templates and texts, Dutch and English.

takes→gives: a page name, an organisation, a language → HTML bytes
knows not:  tokens, journals, requests
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

from jinja2 import Environment, FunctionLoader, StrictUndefined

from gateway.config.organisation import MailingList, Organisation, Topic
from gateway.facts import Scope, ScopeKind

LANGUAGES = ("nl", "en")
_HERE = files("gateway.web")
TEXTS: Mapping[str, Mapping[str, str]] = {
    language: json.loads((_HERE / "locales" / f"{language}.json").read_text("utf-8")) for language in LANGUAGES
}
STYLE = (_HERE / "templates" / "style.css").read_bytes()

_environment = Environment(
    loader=FunctionLoader(lambda name: (_HERE / "templates" / name).read_text("utf-8")),
    autoescape=True,
    undefined=StrictUndefined,
)


def choose_language(organisation: Organisation | None, accept: str, wanted: str = "") -> str:
    """`wanted` (from the page's own link), else the first we speak in Accept-Language, else the organisation's."""
    asked = [wanted, *(part.split(";")[0].strip()[:2].lower() for part in accept[:200].split(","))]
    default = organisation.language if organisation is not None and organisation.language in LANGUAGES else "nl"
    return next((language for language in asked if language in LANGUAGES), default)


def reach(organisation: Organisation, scope: Scope, language: str, form: Literal["stops", "stopped"]) -> str:
    """The reach of the link in words, before ("stops") or after ("stopped") the button (S-22, S-60)."""
    texts, name = TEXTS[language], organisation.controller.name
    lists: tuple[MailingList | Topic, ...] = ()
    if scope.kind is ScopeKind.LIST:
        lists = organisation.lists
    elif scope.kind is ScopeKind.TOPIC:
        lists = organisation.topics
    elif scope.kind is ScopeKind.CATEGORY:
        lists = organisation.categories
    title = next((item.title for item in lists if item.id == scope.id), "")
    if title:
        return texts[f"{form}_named"].format(title=title, name=name)
    return texts[f"{form}_{'source' if scope.kind is ScopeKind.SOURCE else 'marketing'}"].format(name=name)


def wider_offered(scope: Scope) -> bool:
    """Whether the page also offers to stop all marketing (S-60): not where the link already stops that or more."""
    return scope.kind in (ScopeKind.LIST, ScopeKind.TOPIC, ScopeKind.CATEGORY)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, for programs (RFC 3339) and for people."""

    machine: str
    people: str

    @classmethod
    def of(cls, at: int, language: str) -> Moment:
        """`at`: seconds since 1970. In UTC, and saying so: the page cannot know where its reader is."""
        when = datetime.fromtimestamp(at, UTC)
        month = TEXTS[language]["months"].split()[when.month - 1]
        return cls(f"{when:%Y-%m-%dT%H:%M:%SZ}", f"{when.day} {month} {when:%Y, %H:%M} UTC")


def render(page: str, organisation: Organisation | None, language: str, **values: object) -> bytes:
    """One page as UTF-8."""
    template = _environment.get_template(f"{page}.html")
    others = [(code, TEXTS[code]["language_name"]) for code in LANGUAGES if code != language]
    known = {"t": TEXTS[language], "language": language, "others": others, "organisation": organisation}
    return template.render(known | values).encode()
