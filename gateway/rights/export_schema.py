"""The published JSON Schemas of exports, made from the tables: `python -m gateway.rights.export_schema PROFILE`.

what:       one schema for access (and legal), one for portability
takes→gives: profile → JSON Schema 2020-12
knows not:  any dossier
fails by:   nothing
standard:   JSON Schema 2020-12; S-64 (schema versioned)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields

from gateway.rights.export import VERSION, Profile
from gateway.rights.tables import PROVIDED, TABLES

_TIME = {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)?$"}
_TIMES = frozenset({"at", "since", "until", "start", "end", "outcome_at"})


def schema(profile: Profile) -> dict[str, object]:
    """Everything is required and nothing else allowed: a reader can rely on what it sees."""
    names = PROVIDED if profile is Profile.PORTABILITY else tuple(TABLES)
    profiles = [p.value for p in Profile if p.schema == profile.schema]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": profile.schema,
        "title": f"Export of one person's data, profile {' or '.join(profiles)}, version {VERSION}",
        "description": "Times are ISO 8601 in UTC. An empty text means: not known, or does not apply.",
        **_object(
            {
                "$schema": {"const": profile.schema},
                "version": {"const": VERSION},
                "profile": {"enum": profiles},
                "made": _TIME,
                "controller": _object(
                    {
                        "name": {"type": "string", "minLength": 1},
                        "postal_address": {"type": "string"},
                        "register_number": {"type": "string"},
                        "policy_url": {"type": "string"},
                        "policy_date": {"type": "string", "format": "date"},
                    }
                ),
                "person": _object({"address": {"type": "string"}, "known": {"type": "boolean"}}),
                **{name: _table(name) for name in names},
            }
        ),
    }


def text(profile: Profile) -> str:
    """The schema as its file has it."""
    return json.dumps(schema(profile), indent=1) + "\n"


def _table(name: str) -> dict[str, object]:
    kind = TABLES[name]
    columns = {f.name: _column(f.name, str(f.type)) for f in fields(kind)}
    return {"description": (kind.__doc__ or "").partition("\n")[0], "type": "array", "items": _object(columns)}


def _column(name: str, kind: str) -> dict[str, object]:
    if kind == "int":
        return {"type": "integer"}
    return dict(_TIME) if name in _TIMES else {"type": "string"}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


if __name__ == "__main__":
    sys.stdout.write(text(Profile(sys.argv[1])))
