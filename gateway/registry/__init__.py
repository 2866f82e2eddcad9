"""People: pseudonymous facts, append-only events, the block journal, and proof that this is the right registry."""
