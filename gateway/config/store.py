"""Where the registries are kept: SQLite on this machine, or Redis shared by several.

what:       the frozen model of `registry:` in `config/gateway.yaml`
takes→gives: YAML values → `Store`
knows not:  connections, people
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   DESIGN §4 Redis; I-12, I-13
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.base import Duration, Name, Settings


class Store(Settings):
    """Where the registries are kept. Everything but `backend` is for Redis only; docs/redis.md says how."""

    backend: Literal["sqlite", "redis"] = "sqlite"
    """sqlite: a file per organisation in the state folder; redis: shared by several nodes."""
    url: str | None = None
    """A single primary: `redis://HOST:PORT/DB`, `rediss://…` with TLS, or `unix:///PATH`."""
    sentinels: tuple[str, ...] = ()
    """Sentinels that know the primary, as `HOST:PORT`; needs `service`."""
    service: str | None = None
    """Name under which the Sentinels know the primary."""
    cluster: tuple[str, ...] = ()
    """Some nodes of a Redis Cluster, as `HOST:PORT`; the others are found through them."""
    prefix: Name = "bg"
    """First part of every key: `{PREFIX:ORGANISATION}:…`."""
    username: str | None = None
    """ACL user; `{organisation}` in it stands for the organisation's name."""
    password: bool = False
    """Whether Redis asks for a password; it is in the credential `ORGANISATION.redis`."""
    tls: bool = False
    """TLS to Redis and Sentinels, where the URL does not say so already."""
    ca: Path | None = None
    """PEM file of the authority that signed Redis's certificates; default: the system's."""
    replicas: Annotated[int, Field(ge=0, le=10)] | None = None
    """How many replicas must have a write before it counts (WAIT); default 1, and 0 for a single primary."""
    timeout: Duration = Field(default="3s", validate_default=True)
    """Longest wait for one answer of Redis; half of it for the replicas."""
    accept_loss: bool = False
    """yes: a crash or failover of Redis may lose writes that were acknowledged; blocks are replayed all the same."""

    @property
    def alone(self) -> bool:
        """Whether there is one primary and nothing that would put another in its place."""
        return self.url is not None

    @property
    def copies(self) -> int:
        """Replicas that must have a write before it counts."""
        if self.replicas is not None:
            return self.replicas
        return 0 if self.alone or self.accept_loss else 1
