"""Finding the web process's journal, which may not exist yet and is written by somebody else.

what:       opens it for reading and checks that it is the one the registry knows
takes→gives: path and `Identity` → `Journal` and the mark up to which the registry has taken it in, or None
knows not:  what its blocks mean
fails by:   `JournalDamaged`; `OSError`
standard:   DESIGN §4: the web process is weak on purpose; I-12, I-13
"""

from __future__ import annotations

from pathlib import Path

from gateway.registry.identity import Identity
from gateway.registry.journal import Journal
from gateway.registry.record import JournalDamaged, Mark


def find(path: Path, identity: Identity) -> tuple[Journal, Mark] | None:
    """None as long as no web process ever wrote here. The caller closes the journal."""
    try:
        journal = Journal.open(path, write=False)
    except FileNotFoundError:
        if identity.web is not None:
            raise JournalDamaged("the web journal is gone") from None
        return None
    try:
        return journal, _taken(journal, identity)
    except JournalDamaged:
        journal.close()
        raise


def _taken(journal: Journal, identity: Identity) -> Mark:
    if journal.head.organisation != identity.organisation:
        raise JournalDamaged("the web journal belongs to another organisation")
    if identity.web is None or identity.ingested is None:
        return journal.head.start
    if journal.head.identity != identity.web:
        raise JournalDamaged("the web journal is another one than the registry knows")
    journal.check(identity.ingested)
    return identity.ingested
