"""The campaigns of an organisation, kept where its registry is: SQLite on this machine, or Redis.

what:       opening one, whichever backend it is
takes→gives: organisation, `Gateway` → `CampaignStore`
knows not:  what is asked of it
fails by:   nothing: what is wrong shows when it is asked
standard:   R-059; I-12
"""

from __future__ import annotations

from pathlib import Path

from gateway.campaigns.protocol import CampaignStore
from gateway.campaigns.sqlite import SQLiteCampaigns
from gateway.config.gateway import Gateway
from gateway.config.organisation import Organisation


def open_campaigns(organisation: Organisation, gateway: Gateway, *, read_only: bool = False) -> CampaignStore:
    """`read_only`: nothing is made or stored, not even the file."""
    if gateway.registry.backend == "redis":
        return _shared(organisation, gateway, read_only=read_only)
    return SQLiteCampaigns(place(gateway.state, organisation.name), read_only=read_only)


def place(state: Path, organisation: str) -> Path:
    """The file of an organisation below the state folder."""
    return state / "campaigns" / f"{organisation}.sqlite"


def _shared(organisation: Organisation, gateway: Gateway, *, read_only: bool) -> CampaignStore:
    # Loaded only where it is used: the client would cost every process start a tenth of its time.
    from gateway.campaigns.redis import RedisCampaigns
    from gateway.registry.redis_primary import Reach

    reach, _ = Reach.of(organisation.name, gateway)  # the registry of the same name says what is missing
    return RedisCampaigns(reach, organisation.campaigns.ends, read_only=read_only)
