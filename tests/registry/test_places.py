"""Where the files are: the page may write in a folder of its own, and both sides find the same journal."""

from __future__ import annotations

from pathlib import Path

from gateway.registry.places import places, web_journal


def test_the_page_writes_below_the_state_unless_it_has_a_folder_of_its_own() -> None:
    state, own = Path("/var/lib/x"), Path("/var/lib/page")
    assert places(state, "school").web == state / "web" / "school.journal"
    assert places(state, "school", own).web == web_journal(own, "school") == own / "school.journal"


def test_the_journal_lies_beside_what_a_backup_of_the_registry_takes() -> None:
    found = places(Path("/var/lib/x"), "school")
    assert len({found.registry.parent, found.journal.parent, found.node.parent, found.web.parent}) == 4
