"""How client systems ask and hear about people: the API's listener and the webhooks.

what:       the frozen models of `api:` in gateway.yaml and `webhooks:` of an organisation
fails by:   pydantic ValidationError (→ file:line in `load`)
standard:   DESIGN §4 People: telling the CRM who opted out
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.base import Name, Settings


class Api(Settings):
    """The API for client systems; without this section there is none."""

    address: str = "127.0.0.1"
    """IP address to listen on; an https proxy stands in front where clients are elsewhere."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8026
    """0 picks a free port."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    """Addresses or networks whose X-Forwarded fields are believed."""
    addresses: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """Most addresses in one question."""


class Webhook(Settings):
    """A place that is told of refusals and consents as they happen, signed."""

    name: Name
    """For logs and metrics, and its place in the feed."""
    url: str
    """https; http only on this machine."""
    client: Name
    """Whose contact ids stand in the lines."""
    secret: Name
    """Name of the credential file with the signing secret."""
