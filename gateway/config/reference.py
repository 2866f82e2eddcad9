"""`docs/settings.md`, written from the settings models, so that page and program cannot differ.

what:       every key of every file: type, default, meaning
takes→gives: models → Markdown; `python -m gateway.config.reference` prints it
knows not:  values in use
fails by:   `ValueError` for a type that has no words yet
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from gateway.config.base import DomainName, Name, Octets, Settings
from gateway.config.check_streams import BASES
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation
from gateway.config.retention import Kept
from gateway.config.trackers import Trackers
from gateway.decision import Basis, Stream

_HEAD = """# Settings

Made by `python -m gateway.config.reference`; a test compares this page with the program.

Files are YAML 1.2 in UTF-8. Unknown keys, keys that stand twice, tags, aliases and tabs are errors. All errors are
shown at once, as `file:line: key: what is wrong, what is expected`; `briefgeheim check-config` shows them without
starting anything. Durations are written as `100ms`, `30s`, `5m`, `2h` or `5d`; terms as `30 days` or `2 years`; sizes
as `500kB` or `25MiB`; names in lower-case letters, digits, `-` and `_`; `yes` and `no` are as good as `true` and
`false`.

A *stream* is one of {streams}. A *basis* is one of {bases}; which stream may rest on which basis is a fixed table:

{table}
"""

_FILES: tuple[tuple[str, type[Settings]], ...] = (
    ("gateway.yaml", Gateway),
    ("organisations/*.yaml", Organisation),
    ("trackers.yaml", Trackers),
)

_PLAIN: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "yes or no",
    date: "date",
    timedelta: "duration",
    Path: "path",
    IPv4Network: "network",
    IPv6Network: "network",
    Stream: "stream",
    Basis: "basis",
    Name: "name",
    DomainName: "domain",
    Octets: "size",
    Kept: "term",
}


def page() -> str:
    """The whole page."""
    seen: set[type[Settings]] = set()
    lines = [_head()]
    for file, model in _FILES:
        lines.append(f"## {file}\n")
        for section in _models(model, seen):
            lines.extend(_section(section, top=section is model))
    return "\n".join(lines)


def _head() -> str:
    rows = [f"| `{s}` | {', '.join(f'`{b}`' for b in sorted(bases))} |" for s, bases in BASES.items()]
    return _HEAD.format(
        streams=", ".join(f"`{s}`" for s in BASES),
        bases=", ".join(f"`{b}`" for b in Basis),
        table="\n".join(["| stream | basis |", "|---|---|", *rows]),
    )


def _models(model: type[Settings], seen: set[type[Settings]]) -> Iterator[type[Settings]]:
    """`model` and every model inside it, each once, in the order of the file."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for info in model.model_fields.values():
        for inner in _inner(info.annotation):
            yield from _models(inner, seen)


def _inner(annotation: Any) -> Iterator[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for argument in get_args(annotation):
        yield from _inner(argument)


def _section(model: type[Settings], *, top: bool) -> Iterator[str]:
    if not top:
        yield f"### {model.__name__}\n"
    yield " ".join((model.__doc__ or "").split()) + "\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, info in model.model_fields.items():
        meaning = " ".join((info.description or "").split())
        yield f"| `{name}` | {_cell(_type(info))} | {_default(info)} | {_cell(meaning)} |"
    yield ""


def _type(info: FieldInfo) -> str:
    # pydantic takes the outermost Annotated apart; put together again it is one of the types of `config.base`.
    whole = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return _words(whole)


def _words(annotation: Any) -> str:
    if (plain := next((text for kind, text in _PLAIN.items() if kind == annotation), None)) is not None:
        return plain
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " / ".join(_value(a) for a in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(a) for a in arguments if a is not types.NoneType))
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"mapping of {_words(arguments[0])} to {_words(arguments[1])}"
    if origin is Annotated:
        return _words(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    raise ValueError(f"no words for {annotation!r} in the settings reference")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**needed**"
    return _value(info.default)


def _value(value: Any) -> str:
    if value is None or value in ((), {}, "") or isinstance(value, Settings):
        return "–"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    if isinstance(value, tuple):
        return f"`{', '.join(str(v) for v in value)}`"
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
