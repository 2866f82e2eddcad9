"""A mail provider that carries an organisation's mail further, and how it is reached.

what:       the frozen model of one entry of `providers:`
knows not:  which mail goes there, connections
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   S-12, S-25, S-27, S-52; R-043
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.base import Name, Settings

AUTHENTICATED_TLS = frozenset({"verify", "implicit"})
"""Values of `tls` that mean: encrypted, and to whom it should be (S-25)."""


class Provider(Settings):
    """A mail provider we hand mail to (S-12, S-27, S-52)."""

    name: Name
    """Routes name it."""
    host: str
    """Host name or address; with tls it must be in the certificate."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """587 for STARTTLS, 465 for implicit TLS."""
    tls: Literal["verify", "implicit", "opportunistic", "none"] = "verify"
    """verify: STARTTLS with chain and host name; implicit: the same from the first octet (465); none: loopback only."""
    ca_file: str | None = None
    """PEM file with the authorities to trust instead of the system's."""
    username: str | None = None
    """For AUTH; only together with secret."""
    secret: str | None = None
    """Name of the credential file with the password."""
    contract: date
    """Date of the processing contract (S-27)."""
    rights_clause: bool
    """Whether it says what happens when people use their rights (S-27). Must be yes."""
    eight_bit: bool = False
    """Declares 8BITMIME; when no, mail is compiled to 7 bit (R-043)."""
    profile: Literal["plain", "ses"] = "plain"
    """Which fields the provider rewrites; those are not signed."""
    max_connections: Annotated[int, Field(ge=1)] = 10
    """For the whole node; divided over workers."""

    @property
    def authenticated(self) -> bool:
        """Whether mail travels there encrypted, to a host whose certificate was verified."""
        return self.tls in AUTHENTICATED_TLS
