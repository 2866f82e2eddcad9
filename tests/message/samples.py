"""Messages to test with: our own, and the open corpus when it is there."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OWN = sorted((REPOSITORY / "tests" / "messages").glob("*.eml"))
CORPUS_FOLDER = REPOSITORY.parent / "shared" / "corpus"
CORPUS = sorted(CORPUS_FOLDER.rglob("*.eml"))
CORPUS_NAMES = [f"{path.parent.name}/{path.name}" for path in CORPUS]


def own(name: str) -> bytes:
    return (REPOSITORY / "tests" / "messages" / f"{name}.eml").read_bytes()


def normalised(path: Path) -> bytes:
    """As it would be handed to SMTP: CRLF line ends, no mbox line in front."""
    raw = path.read_bytes()
    if raw.count(b"\r\n") != raw.count(b"\n"):
        raw = re.sub(rb"\r?\n", b"\r\n", raw)
    return raw.partition(b"\r\n")[2] if raw.startswith(b"From ") else raw
