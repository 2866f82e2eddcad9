"""Briefgeheim: a privacy gateway for outgoing mail. Start reading at `docs/flow.md`."""

__version__ = "0.1.0"
