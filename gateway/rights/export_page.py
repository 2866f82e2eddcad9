"""The page of an export that a person reads: self-contained, without scripts, in Dutch or English.

what:       HTML of the same tables, with titles and words in the dossier's language
takes→gives: `Dossier`, tables → text
knows not:  the profile's selection, files
fails by:   nothing: every value is escaped
standard:   GDPR 12(1), 15(1)(a)-(h); WCAG 2.2 AA; no request leaves the page (Content-Security-Policy)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from importlib.resources import files as resources

from gateway.rights.dossier import Dossier, when
from gateway.rights.export_text import Words, words
from gateway.rights.tables import Row, columns

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_WIDE = 5  # a table with more columns is shown as one card per row
_TIMES = frozenset({"at", "since", "until", "start", "end", "outcome_at"})


def page(dossier: Dossier, profile: str, tables: Mapping[str, Sequence[Row]]) -> str:
    """The whole page."""
    say = words(dossier.language)
    return "".join(
        (
            f'<!DOCTYPE html>\n<html lang="{say.language}">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f'<meta name="robots" content="noindex">\n<title>{escape(say.title(profile))}</title>\n',
            f"<style>\n{_style()}</style>\n</head>\n<body>\n",
            *_head(dossier, profile, say),
            *_contents(tables, say),
            "<main>\n",
            *(part for name, rows in tables.items() for part in _section(name, rows, say)),
            *_foot(dossier, say),
            "</main>\n</body>\n</html>\n",
        )
    )


def _head(dossier: Dossier, profile: str, say: Words) -> Iterator[str]:
    controller = dossier.organisation.controller
    number = f", {controller.register_number}" if controller.register_number else ""
    by = f"{controller.name}, {controller.postal_address}{number}"
    yield f'<header>\n<p class="who">{escape(controller.name)}</p>\n<h1>{escape(say.title(profile))}</h1>\n<dl>\n'
    yield f"<div><dt>{say['about']}</dt><dd>{escape(dossier.address)}</dd></div>\n"
    yield f"<div><dt>{say['made']}</dt><dd>{_time(when(dossier.made))}</dd></div>\n"
    yield f"<div><dt>{say['by']}</dt><dd>{escape(by)}</dd></div>\n"
    yield f"</dl>\n<p>{say['intro-' + profile]}</p>\n"
    if not dossier.known:
        yield f'<p class="note">{say["unknown"]}</p>\n'
    yield "</header>\n"


def _contents(tables: Mapping[str, Sequence[Row]], say: Words) -> Iterator[str]:
    yield f'<nav aria-label="{say["contents"]}">\n<ul>\n'
    for name, rows in tables.items():
        yield f'<li><a href="#{name}">{escape(say.table(name))}</a> <span>{len(rows)}</span></li>\n'
    yield "</ul>\n</nav>\n"


def _section(name: str, rows: Sequence[Row], say: Words) -> Iterator[str]:
    yield f'<section id="{name}" aria-labelledby="t-{name}">\n<h2 id="t-{name}">{escape(say.table(name))}</h2>\n'
    yield f"<p>{escape(say.about(name))}</p>\n"
    if not rows:
        yield f'<p class="none">{say["none"]}</p>\n'
    elif len(_filled(name, rows)) > _WIDE:
        yield from _cards(name, rows, say)
    else:
        yield from _table(name, rows, say)
    yield "</section>\n"


def _table(name: str, rows: Sequence[Row], say: Words) -> Iterator[str]:
    shown = _filled(name, rows)
    head = "".join(f'<th scope="col">{escape(say.column(c))}</th>' for c in shown)
    label = f'role="region" tabindex="0" aria-labelledby="t-{name}"'
    yield f'<div class="scroll" {label}>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
    for row in rows:
        values = asdict(row)
        yield "<tr>" + "".join(f"<td>{_value(c, values[c], say)}</td>" for c in shown) + "</tr>\n"
    yield "</tbody>\n</table>\n</div>\n"


def _cards(name: str, rows: Sequence[Row], say: Words) -> Iterator[str]:
    yield '<ol class="cards">\n'
    for row in rows:
        values = {c: v for c, v in asdict(row).items() if v != ""}
        pairs = "".join(
            f"<div><dt>{escape(say.column(c))}</dt><dd>{_value(c, v, say)}</dd></div>" for c, v in values.items()
        )
        yield f"<li><dl>{pairs}</dl></li>\n"
    yield "</ol>\n"


def _foot(dossier: Dossier, say: Words) -> Iterator[str]:
    authority, controller = dossier.organisation.rights.authority, dossier.organisation.controller
    yield f'<section id="rights" aria-labelledby="t-rights">\n<h2 id="t-rights">{say["rights"]}</h2>\n'
    yield f"<p>{say['source']}</p>\n<p>{say['your-rights']}</p>\n<p>{say['automated']}</p>\n"
    yield f"<p>{say['policy'].format(url=escape(controller.policy_url), day=controller.policy_date.isoformat())}</p>\n"
    where = f"{escape(authority.name)}, {escape(authority.postal_address)} ({escape(authority.site)})"
    yield f"<p>{say['authority'].format(where=where)}</p>\n</section>\n"


def _filled(name: str, rows: Sequence[Row]) -> list[str]:
    """Columns in which any row has something."""
    return [c for c in columns(name) if any(getattr(row, c) != "" for row in rows)]


def _value(column: str, value: object, say: Words) -> str:
    text = str(value)
    return _time(text) if column in _TIMES and text else escape(say.value(column, text))


def _time(iso: str) -> str:
    shown = iso.replace("T", " ").removesuffix("Z").removesuffix(":00")
    return f'<time datetime="{escape(iso)}">{escape(shown)} UTC</time>'


def _style() -> str:
    return resources("gateway.rights").joinpath("page", "export.css").read_text("utf-8")
