"""The gateway's own settings: where it listens, stores, and how much it takes.

what:       the frozen model of `config/gateway.yaml`
fails by:   pydantic ValidationError (→ file:line in `load`)
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.api import Api
from gateway.config.base import Duration, Name, Octets, Settings
from gateway.config.inspector import Inspector
from gateway.config.store import Store


class Listener(Settings):
    """One SMTP listener."""

    name: Name
    """For logs, and for systemd's FileDescriptorName."""
    address: str = "127.0.0.1"
    """IP address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)]
    """0 picks a free port (tests, demo); the chosen one is written to `state/listening.json`."""
    role: Literal["relay", "submission"]
    """relay: clients by network, loopback or private wire; submission: TLS and AUTH required."""
    tls: Literal["none", "starttls", "implicit"] = "none"
    """starttls: offered, and demanded for submission; implicit: from the first octet (RFC 8314)."""
    certificate: Path | None = None
    """PEM file with the chain; needed with tls."""
    key: Path | None = None
    """PEM file with its key; needed with tls."""


class Limits(Settings):
    """What one node takes."""

    message_size: Octets = Field(default="50MiB", validate_default=True)
    """Largest message; announced as SIZE."""
    connections: Annotated[int, Field(ge=1)] = 500
    """At once, per worker."""
    connections_per_address: Annotated[int, Field(ge=1)] = 100
    """At once from one address, per worker."""
    idle: Duration = Field(default="5m", validate_default=True)
    """RFC 5321 4.5.3.2.7: at least five minutes on a public listener."""
    failed_logins: Annotated[int, Field(ge=3)] = 3
    """Per connection (R-099: at least three)."""
    errors: Annotated[int, Field(ge=5)] = 20
    """Refused commands per connection before it is closed."""
    header_octets: Octets = Field(default="256KiB", validate_default=True)
    """Largest top header."""
    header_fields: Annotated[int, Field(ge=10)] = 1000
    """Most fields in one header."""
    parts: Annotated[int, Field(ge=1)] = 1000
    """Most MIME parts in one message."""
    depth: Annotated[int, Field(ge=1)] = 50
    """Deepest nesting of MIME parts."""
    memory: Octets = Field(default="2GiB", validate_default=True)
    """Octets of messages in flight over all sessions of a worker; beyond it DATA answers 451."""


class Delivery(Settings):
    """Retry schedule and timers (R-016, R-017)."""

    retry: tuple[Duration, ...] = Field(default=("5m", "30m", "1h", "2h", "4h"), validate_default=True)
    """Waits between attempts; the last repeats."""
    give_up: Duration = Field(default="5d", validate_default=True)
    """Age at which a message that cannot be delivered fails, with a report to its sender."""
    delay_notice: Duration = Field(default="4h", validate_default=True)
    """Age at which its sender is told that it waits."""
    concurrency: Annotated[int, Field(ge=1)] = 20
    """Transactions at once per worker."""
    idle_connection: Duration = Field(default="10s", validate_default=True)
    """How long a connection to a provider is kept for the next message."""
    decision_age: Duration = Field(default="100ms", validate_default=True)
    """L of invariant I-2: how old a decision may be at MAIL FROM, and how long an opt-out's 200 waits."""
    command_timeout: Duration = Field(default="5m", validate_default=True)
    """Wait for a provider's answer to one command (RFC 5321 4.5.3.2)."""
    data_timeout: Duration = Field(default="10m", validate_default=True)
    """Wait for the answer after the final dot (RFC 5321 4.5.3.2.6)."""
    self_check: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of the messages whose first copy is read by a second parser before it leaves; 0 switches it off."""


class Web(Settings):
    """The opt-out page's process."""

    address: str = "127.0.0.1"
    """IP address to listen on; an https proxy stands in front."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8025
    """0 picks a free port."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    """Addresses or networks whose X-Forwarded fields are believed."""
    folder: Path | None = None
    """Where opt-outs are journalled; default `state/web`. Its own user's folder where the page is a unit of its own."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9026
    """For /metrics and /healthz when the page runs as a unit of its own (`serve --only web`)."""


class Observe(Settings):
    """Metrics, health, log."""

    address: str = "127.0.0.1"
    """IP address for /metrics, /healthz and /readyz."""
    port: Annotated[int, Field(ge=0, le=65535)] = 9025
    """0 picks a free port."""
    log: Literal["json", "console"] = "json"
    """json: one object per line; console: for people."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe kind of line that is written."""


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
    """File with what is known about trackers."""
    own_trackers: tuple[Path, ...] = ()
    """Further files of the same form with what you know yourself: they are added to the shipped one."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Processes that take, edit, sign and deliver; about one per core."""
    listen: tuple[Listener, ...]
    """Where mail is taken."""
    limits: Limits = Limits()
    """What one node takes."""
    inspector: Inspector = Inspector()
    """How much of attachments is read."""
    delivery: Delivery = Delivery()
    """Retry schedule and timers."""
    web: Web = Web()
    """The opt-out page."""
    observe: Observe = Observe()
    """Metrics, health, log."""
    api: Api | None = None
    """The API for client systems."""
    registry: Store = Store()
    """Where the registries are kept."""

    @property
    def web_folder(self) -> Path:
        """Where the page keeps its journals, and everything else when it is a unit of its own."""
        return self.web.folder or self.state / "web"
