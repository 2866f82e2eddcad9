"""Composition root: settings → parts → start → drain → stop. Start with `parent.py`, then `worker.py`."""
