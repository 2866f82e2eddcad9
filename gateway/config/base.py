"""What every settings model shares: frozen, strict, no unknown keys, a help text per field.

fails by:   pydantic's ValidationError, turned into file:line by `load`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

_DURATION = re.compile(r"(\d+)\s*(ms|s|m|h|d)")
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|kB|MB|GB)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_UNIT_OCTETS = {None: 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Settings(BaseModel):
    """Base of all settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic would take `true` for a port and `on` or 1 for a yes; a settings file says what it means."""
        written = cls.model_fields[str(info.field_name)]
        if written.annotation is bool and not isinstance(value, bool):
            if value in ("yes", "no"):
                return value == "yes"
            raise ValueError("expected yes or no")
        if written.annotation is int and isinstance(value, bool | str) and not _reads_text(written):
            raise ValueError("expected a whole number")
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some values changed. What was computed from the old values stays behind."""
        copy = super().model_copy(update=update, deep=deep)
        for name in [key for key in copy.__dict__ if isinstance(getattr(type(self), key, None), cached_property)]:
            del copy.__dict__[name]
        return copy


def _reads_text(written: FieldInfo) -> bool:
    return any(isinstance(item, BeforeValidator) for item in written.metadata)


def _duration(value: Any) -> Any:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("expected a duration such as 100ms, 30s, 5m, 2h or 5d")


def _octets(value: Any) -> Any:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        return int(match[1]) * _UNIT_OCTETS[match[2]]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("expected a size such as 500kB or 25MiB")


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Octets = Annotated[int, BeforeValidator(_octets)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
DomainName = Annotated[
    str,
    StringConstraints(max_length=253, pattern=r"^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z0-9-]{2,63}$"),
]
