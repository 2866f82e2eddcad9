"""Small settings for the tests of this room, taken from the good settings of `tests/bad_config`."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.config.gateway import Gateway
from gateway.config.load import Loaded, load_texts, read_texts
from gateway.config.organisation import Organisation
from gateway.config.source import read

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "bad_config" / "good"
SHIPPED = ROOT / "config" / "gateway.yaml"


def raw(name: str = "organisations/alpha") -> dict[str, Any]:
    """Plain data of one of the good files."""
    return copy.deepcopy(_read(name))


@lru_cache
def _read(name: str) -> dict[str, Any]:
    return dict(read(name, (GOOD / f"{name}.yaml").read_bytes()).data)


def organisation(**changes: Any) -> Organisation:
    return Organisation.model_validate(raw() | changes)


def gateway(**changes: Any) -> Gateway:
    return Gateway.model_validate(raw("gateway") | changes)


def shipped() -> Loaded:
    return load_texts(read_texts(SHIPPED), remembered=())
