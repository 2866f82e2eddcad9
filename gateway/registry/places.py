"""Where one organisation's people are kept on disk.

what:       the paths below the state folder
takes→gives: state folder and organisation name → paths
knows not:  what is in the files
fails by:   nothing
standard:   DESIGN §4 People: the journal lies beside, not inside, what a backup of the registry takes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """All files of one organisation's registry."""

    registry: Path
    journal: Path
    web: Path
    node: Path


def places(state: Path, organisation: str, web: Path | None = None) -> Places:
    """Paths of organisation `organisation` (its name) below the state folder.

    `web` is the folder of the page's journals where that has a place of its own; default `state/web`.
    """
    return Places(
        registry=state / "registry" / f"{organisation}.sqlite",
        journal=state / "journal" / f"{organisation}.journal",
        web=web_journal(web or state / "web", organisation),
        node=state / "node" / f"{organisation}.json",
    )


def web_journal(folder: Path, organisation: str) -> Path:
    """The journal that the web process appends to and the mail process reads, in the page's folder."""
    return folder / f"{organisation}.journal"
