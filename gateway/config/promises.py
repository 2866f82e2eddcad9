"""What a published policy promises, row by row, and what makes each promise true.

what:       the frozen model of `config/promises/*.yaml`
takes→gives: path → `Promises`
knows not:  how a rule works, what was counted
fails by:   `SettingsError` with every error as `file:line: dotted.key: what is wrong, what is expected`
standard:   rows S-01..S-69; GDPR 5(2), 24 (accountability)
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from gateway.config.base import Name, Settings
from gateway.config.complaint import complaint
from gateway.config.load import SettingsError
from gateway.config.source import read

Status = Literal["enforced", "supported", "measured", "later", "outside"]
_EXPLAINED = ("later", "outside")


class Promise(Settings):
    """One promise of a policy."""

    id: Annotated[str, Field(pattern=r"^[A-Z]-\d{2,3}$")]
    """The row, such as S-18; tests carry it in their names."""
    section: str
    """Where it stands in the policy."""
    promise: str
    """What is promised, in our own words."""
    rule: str
    """What the gateway does about it."""
    where: tuple[str, ...]
    """Files below gateway/ that do it."""
    status: Status
    """How true it is made."""
    why: str = ""
    """Why it is later, or not the gateway's to do."""
    counts: dict[str, dict[str, str]] = Field(default={})
    """Metric → labels to select by; their sum shows the promise at work."""

    @model_validator(mode="after")
    def _says_why(self) -> Promise:
        if (self.status in _EXPLAINED) != bool(self.why):
            raise ValueError("why: expected with status later or outside, and only there")
        return self


class Promises(Settings):
    """One organisation's policy."""

    organisation: Name
    """Name of the organisation in the settings."""
    policy_date: date
    """Date of the policy these rows were read from."""
    promises: tuple[Promise, ...]
    """Row by row."""

    @model_validator(mode="after")
    def _once_each(self) -> Promises:
        ids = [p.id for p in self.promises]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"promises: {', '.join(twice)} twice, expected each row once")
        return self


def load_promises(path: Path) -> Promises:
    """Read and check one file. Raises `SettingsError`."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}, expected the promises of a policy"]) from error
    source = read(str(path), octets)
    if source.errors or source.data is None:
        raise SettingsError(source.errors)
    try:
        return Promises.model_validate(source.data)
    except ValidationError as error:
        found = [complaint(details, Promises, source) for details in error.errors(include_url=False)]
        raise SettingsError([source.complain(loc, text) for loc, text in found]) from None
