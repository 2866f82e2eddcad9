"""How much of a mail's attachments is read, and by how large a process.

what:       the frozen model of `inspector:` in `config/gateway.yaml`
takes→gives: YAML values → `Inspector`
knows not:  formats, processes
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   R-050; S-11, S-53

What is over one of these limits "cannot be inspected", which an organisation's `content:` settings judge.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.config.base import Duration, Octets, Settings


def _at_least_a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("expected a duration of a second or more")
    return value


Seconds = Annotated[Duration, AfterValidator(_at_least_a_second)]


class Inspector(Settings):
    """Limits of the process in which a worker has attachments read (docs/content.md)."""

    unpacked: Octets = Field(default="64MiB", validate_default=True)
    """What may come out of the files of one mail, counted as it comes."""
    ratio: Annotated[int, Field(ge=10)] = 250
    """Most octets out of one octet in, from 4 MiB on."""
    depth: Annotated[int, Field(ge=0, le=8)] = 2
    """Archives within archives: 1 reads archives, 2 also those in them."""
    files: Annotated[int, Field(ge=1)] = 2_000
    """Most files inside the files of one mail."""
    rows: Annotated[int, Field(ge=1)] = 500_000
    """Most rows and pages of one mail."""
    processor_time: Seconds = Field(default="20s", validate_default=True)
    """What reading one file may take of a processor, in whole seconds."""
    time: Seconds = Field(default="1m", validate_default=True)
    """What reading one mail may take by the clock."""
    memory: Octets = Field(default="1GiB", validate_default=True)
    """Address space of the process; one for each worker, started with the first attachment."""
    waiting: Annotated[int, Field(ge=1)] = 64
    """Mails that wait for one worker's process; the next one is stored undecided."""
