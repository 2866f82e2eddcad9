"""Which provider carries a mail: the first route that fits sender domain and stream, and never a default.

what:       the mapping of S-12 and S-14, as intake and delivery both read it
takes→gives: `Organisation`, domain of From, stream → `Provider` or None
knows not:  whether a provider answers; there is no fail-over to another one
fails by:   nothing; None refuses at intake and holds what is already queued
standard:   S-12, S-14
"""

from __future__ import annotations

from gateway.config.organisation import Organisation, Provider
from gateway.decision import Stream


def route(organisation: Organisation, sender_domain: str, stream: Stream) -> Provider | None:
    """The provider of the first route that names this domain (lower-case A-label) and stream, or None."""
    for entry in organisation.routes:
        if entry.domains and sender_domain not in entry.domains:
            continue
        if entry.streams and stream not in entry.streams:
            continue
        return organisation.by_provider.get(entry.provider)
    return None
