"""What is known to be otherwise in single messages of the corpus: file → property → why it stays so."""

from __future__ import annotations

KNOWN: dict[str, dict[str, str]] = {}
