"""The opt-out page: its own process, weak on purpose. It can only add blocks, to its own journal (DESIGN §4)."""
