"""One organisation, ready to work: its rules with the keys and the registry that belong to them (I-12).

what:       a value that keeps everything of one organisation together, so that nothing of another gets mixed in
knows not:  where keys come from, how the registry stores
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.campaign import Campaigns
from gateway.config.organisation import Organisation
from gateway.pseudonym import Pseudonyms
from gateway.registry.protocol import Registry
from gateway.signing.dkim import Signer
from gateway.token import TokenKeys


@dataclass(frozen=True, slots=True)
class Tenant:
    """`signers` by From domain; a domain with `dkim: yes` and no signer is a start-up error, not a fallback."""

    organisation: Organisation
    pseudonyms: Pseudonyms
    tokens: TokenKeys
    registry: Registry
    signers: Mapping[str, Signer]
    opt_out_works: Callable[[], bool]
    """Whether the last probe of the opt-out page succeeded; while it did not, mail with a link is held (L-31)."""
    campaigns: Campaigns | None = None
    """What other copies of its campaigns showed; None: nothing is compared."""
