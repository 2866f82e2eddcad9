"""What delivery needs of one organisation, as a protocol that the wiring's own value fulfils.

what:       rules, people, pseudonyms and signing keys of one organisation, read only (I-12)
knows not:  tokens, clients, where any of it comes from
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.config.organisation import Organisation
from gateway.pseudonym import Pseudonyms
from gateway.registry.protocol import Registry
from gateway.signing.dkim import Signer


class Party(Protocol):
    """One organisation at work. `signers` by From domain; a `dkim: yes` domain without one sends nothing."""

    @property
    def organisation(self) -> Organisation: ...
    @property
    def pseudonyms(self) -> Pseudonyms: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def signers(self) -> Mapping[str, Signer]: ...
    @property
    def opt_out_works(self) -> Callable[[], bool]:
        """Says whether the last probe of the opt-out page succeeded (L-31)."""
        ...
