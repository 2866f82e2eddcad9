"""A named operator vouches for a list that was there before: its rows as consents of grade "attested".

what:       what the operator says of the list, and the evidence that stands behind each row
takes→gives: `Attestation` and the list's header → the mapping by which it is read
knows not:  rows, storage
fails by:   `ValueError` naming the option and what is expected
standard:   S-03, L-09 (GDPR 7(1): the controller must be able to show the consent); I-10
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BufferedReader, BytesIO
from zoneinfo import ZoneInfo

from gateway.config.organisation import Organisation
from gateway.facts import Scope
from gateway.registry.columns import UNIX
from gateway.registry.events import ATTESTED, InvalidEvent, check
from gateway.registry.mapping import Mapping
from gateway.registry.planning import SOMEBODY
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.rows import Dialect
from gateway.registry.scopes import parse_scope, scope_text

_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Attestation:
    """What the operator says: these people agreed to `scope` through `form` within the period, to text `wording`.

    `at` (Unix seconds) is the end of the period: by then all had agreed. `digest` is the file's SHA-256.
    """

    operator: str
    form: str
    period: str
    wording: str
    scope: Scope
    at: int
    digest: str

    @property
    def evidence(self) -> Evidence:
        proof = f"sha256:{self.digest} form {self.form} period {self.period}"
        return Evidence(f"operator:{self.operator}", ATTESTED, self.wording, proof)

    def mapping(self, column: str, dialect: Dialect, organisation: Organisation) -> Mapping:
        """Reads a list by its address column: each row is one consent with this evidence."""
        consent = {
            "kind": EventKind.CONSENT.value,
            "scope": scope_text(self.scope, organisation),
            "at": str(self.at),
            "channel": ATTESTED,
            "wording": self.wording,
            "proof": self.evidence.proof,
        }
        written = {"encoding": dialect.encoding or None, "delimiter": dialect.delimiter or None}
        return Mapping.model_validate({**written, "dates": [UNIX], "address": column, "events": [consent]})


def attestation(
    organisation: Organisation,
    *,
    operator: str,
    form: str,
    period: str,
    wording: str,
    scope: str,
    digest: str,
    now: int,
) -> Attestation:
    """Checked as the registry will check every row. Raises `ValueError`."""
    for option, text in (("--form", form), ("--wording", wording)):
        if not text.strip():
            raise ValueError(f"{option}: is empty, expected what the people on the list saw")
    try:
        reach = parse_scope(scope, organisation)
    except ValueError as error:
        raise ValueError(f"--scope: {error}") from None
    end = min(_end(period, organisation.time_zone, now), now)
    made = Attestation(operator, form.strip(), period, wording.strip(), reach, end, digest)
    try:
        check(Event(EventKind.CONSENT, SOMEBODY, end, made.evidence, reach))
    except InvalidEvent as error:
        raise ValueError(str(error).replace("proof:", "--form:", 1)) from None
    return made


def digest_of(stream: BufferedReader | BytesIO) -> str:
    """SHA-256 of what is left of the stream, in hex."""
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _end(period: str, zone: str, now: int) -> int:
    """The last second of the period; its last day may be today."""
    found = _PERIOD.fullmatch(period.strip())
    try:
        first, last = (date.fromisoformat(day) for day in found.groups()) if found else (None, None)
    except ValueError:
        first = last = None
    if first is None or last is None or last < first:
        raise ValueError("--period: expected FROM..TO as 2018-05-25..2023-12-31")
    place = ZoneInfo(zone)
    if datetime.combine(last, time.min, place).timestamp() > now:
        raise ValueError("--period: ends in the future, expected a time that has been")
    return int(datetime.combine(last, time(23, 59, 59), place).timestamp())
