"""Backups of what an organisation needs, their restore, and escrow of its keys."""
