"""From a queued row to a provider's answer: render, check, sign, connect, decide again, send, record."""
