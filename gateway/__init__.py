"""Briefgeheim: a privacy gateway for outgoing mail. Start reading at `docs/flow.md`."""
