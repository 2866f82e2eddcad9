"""Text out of attachments, and what in a text is personal. Start with `protocol.py`, then `read.py`."""
