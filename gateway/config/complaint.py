"""One pydantic error → what is wrong and what is expected, in words an operator can act on.

takes→gives: error details, the settings model and its source → text
knows not:  files, cross checks
fails by:   nothing
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gateway.config.source import Loc, Source

_SHOWN = 60  # characters of a wrong value that are repeated

_PATTERNS = {
    r"^[a-z0-9][a-z0-9_-]{0,62}$": "a name of lower-case letters, digits, - and _ (at most 63)",
    r"^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z0-9-]{2,63}$": "a domain in lower case (A-label), no dot at the end",
    r"^[a-z]{2}$": "a language of two letters, such as nl",
}

_KINDS = {
    "bool": "yes or no",
    "int": "a whole number",
    "float": "a number",
    "string": "text (in quotes when it looks like a number)",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a mapping",
    "model": "a mapping of settings",
    "date": "a date such as 2026-11-22",
    "path": "a path",
}


def complaint(details: ErrorDetails, model: type[BaseModel], source: Source) -> tuple[Loc, str]:
    """Where (a path that exists in the file, or its parent) and what: "… , expected …"."""
    loc = known_path(tuple(details["loc"]), source)
    if details["type"] == "extra_forbidden":
        return loc, unknown_key(str(loc[-1]), fields_at(model, loc[:-1]))
    if details["type"] == "missing":
        return tuple(details["loc"]), _missing(tuple(details["loc"]), source)
    if details["loc"][-1:] == ("[key]",):
        return loc, f"unknown key {loc[-1]!r}, {_expected(details)}"
    return loc, f"{_is(details['input'])}, {_expected(details)}"


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Names the nearest key, or all keys when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    if near:
        return f"unknown key {key!r}, expected perhaps {near[0]!r}"
    return f"unknown key {key!r}, expected one of {', '.join(names)}"


def known_path(loc: Loc, source: Source) -> Loc:
    """`loc` without what pydantic adds for unions and keys ("[key]", type names)."""
    for end in range(len(loc), 0, -1):
        if loc[:end] in source.lines:
            return loc[:end]
    return ()


def fields_at(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """Keys that the mapping at `loc` may have."""
    here: type[BaseModel] | None = model
    annotation: Any = model
    for part in loc:
        if isinstance(part, str) and here is not None and part in here.model_fields:
            annotation = here.model_fields[part].annotation
        here = _model_in(annotation)
    return tuple(here.model_fields) if here is not None else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in reversed(get_args(annotation)):
        if (found := _model_in(inner)) is not None:
            return found
    return None


def _missing(loc: Loc, source: Source) -> str:
    text = "missing, expected a value"
    if len(loc) == 3 and loc[0] in ("providers", "third_parties") and loc[2] in ("contract", "rights_clause"):
        routes = _routes(loc, source) if loc[0] == "providers" else ""
        return f"missing, expected the processing contract's {_contract_part(loc[2])} (S-27){routes}"
    return text


def _contract_part(key: str | int) -> str:
    return "date" if key == "contract" else "answer yes: it says what happens when people use their rights"


def _routes(loc: Loc, source: Source) -> str:
    name = source.dotted(loc[:2]).partition(".")[2]
    return routes_of(name, source.data.get("routes"))


def routes_of(provider: str, routes: Any) -> str:
    """ "; without it route 1 and 3 …", for an error about a provider. Routes have no names, so they are counted."""
    items = routes if isinstance(routes, list) else []
    found = [
        str(i) for i, route in enumerate(items, 1) if isinstance(route, Mapping) and route.get("provider") == provider
    ]
    if not found:
        return ""
    return f"; without it route {' and '.join(found)} to {provider!r} does not load"


def _is(value: Any) -> str:
    if isinstance(value, Mapping):
        return "is a mapping"
    if isinstance(value, list | tuple):
        return "is a list"
    if value is None:
        return "is empty"
    if isinstance(value, bool):
        return f"is {str(value).lower()}"
    text = repr(value) if isinstance(value, str) else str(value)
    return f"is {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}"


def _expected(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx") or {}
    if kind == "string_pattern_mismatch":
        return f"expected {_PATTERNS.get(context['pattern'], 'text matching ' + context['pattern'])}"
    if kind in ("literal_error", "enum"):
        return f"expected {context['expected']}"
    if kind == "value_error":
        return str(context["error"])
    if (bound := _bound(kind, context)) is not None:
        return f"expected {bound}"
    for name, words in _KINDS.items():
        if kind.startswith(name + "_") or kind == "model_attributes_type":
            return f"expected {words}"
    return f"expected otherwise: {details['msg']}"


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    words = {
        "greater_than_equal": ("ge", "{} or more"),
        "greater_than": ("gt", "more than {}"),
        "less_than_equal": ("le", "{} or less"),
        "less_than": ("lt", "less than {}"),
        "string_too_long": ("max_length", "at most {} characters"),
        "string_too_short": ("min_length", "at least {} characters"),
        "too_short": ("min_length", "at least {} entries"),
        "too_long": ("max_length", "at most {} entries"),
    }
    if kind not in words:
        return None
    key, text = words[kind]
    return text.format(context[key])
