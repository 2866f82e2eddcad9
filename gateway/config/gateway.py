"""The gateway's own settings: where it listens, stores, and how much it takes.

what:       the frozen model of `config/gateway.yaml`
fails by:   pydantic ValidationError (→ file:line in `load`)
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.base import Duration, Name, Octets, Settings


class Listener(Settings):
    """One SMTP listener."""

    name: Name
    address: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)]
    """0 picks a free port (tests, demo); the chosen one is written to `state/listening.json`."""
    role: Literal["relay", "submission"]
    """relay: clients by network, loopback or private wire; submission: TLS and AUTH required."""
    tls: Literal["none", "starttls", "implicit"] = "none"
    certificate: Path | None = None
    key: Path | None = None


class Limits(Settings):
    """What one node takes."""

    message_size: Octets = Field(default="50MiB", validate_default=True)
    connections: Annotated[int, Field(ge=1)] = 500
    connections_per_address: Annotated[int, Field(ge=1)] = 100
    idle: Duration = Field(default="5m", validate_default=True)
    """RFC 5321 4.5.3.2.7: at least five minutes on a public listener."""
    failed_logins: Annotated[int, Field(ge=3)] = 3
    """Per connection (R-099: at least three)."""
    errors: Annotated[int, Field(ge=5)] = 20
    """Refused commands per connection before it is closed."""
    header_octets: Octets = Field(default="256KiB", validate_default=True)
    header_fields: Annotated[int, Field(ge=10)] = 1000
    parts: Annotated[int, Field(ge=1)] = 1000
    depth: Annotated[int, Field(ge=1)] = 50
    memory: Octets = Field(default="2GiB", validate_default=True)
    """Octets of messages in flight over all sessions of a worker; beyond it DATA answers 451."""


class Delivery(Settings):
    """Retry schedule and timers (R-016, R-017)."""

    retry: tuple[Duration, ...] = Field(default=("5m", "30m", "1h", "2h", "4h"), validate_default=True)
    """Waits between attempts; the last repeats."""
    give_up: Duration = Field(default="5d", validate_default=True)
    delay_notice: Duration = Field(default="4h", validate_default=True)
    concurrency: Annotated[int, Field(ge=1)] = 20
    """Transactions at once per worker."""
    idle_connection: Duration = Field(default="10s", validate_default=True)
    decision_age: Duration = Field(default="100ms", validate_default=True)
    """L of invariant I-2: how old a decision may be at MAIL FROM, and how long an opt-out's 200 waits."""
    command_timeout: Duration = Field(default="5m", validate_default=True)
    data_timeout: Duration = Field(default="10m", validate_default=True)


class Web(Settings):
    """The opt-out page's process."""

    address: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8025
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)


class Observe(Settings):
    """Metrics, health, log."""

    address: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9025
    log: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Gateway(Settings):
    """Everything in `gateway.yaml`. Relative paths count from the file's folder."""

    name: str
    """Host name for EHLO, Received and DSNs."""
    state: Path
    """Folder for spool, registry, journals."""
    credentials: Path | None = None
    """Folder with keys and secrets; default $CREDENTIALS_DIRECTORY, else `state/credentials`."""
    organisations: Path = Path("organisations")
    """Folder with one file per organisation."""
    trackers: Path = Path("trackers.yaml")
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    listen: tuple[Listener, ...]
    limits: Limits = Limits()
    delivery: Delivery = Delivery()
    web: Web = Web()
    observe: Observe = Observe()
