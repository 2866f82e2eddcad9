"""What this node has seen of a registry, kept apart from it (I-13).

what:       identity, key check and journal position, in a small file beside the registry
takes→gives: `Memory` ↔ JSON on disk, replaced in one step
knows not:  SQL, people
fails by:   `ValueError` on a file that is not ours; `OSError`
standard:   DESIGN I-13
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gateway.registry import durable
from gateway.registry.record import Mark


@dataclass(frozen=True, slots=True)
class Memory:
    """Which registry and journal this node works with, and how far it has seen the journal reach.

    `file` is which file the registry was (inode, device): one that came in its place may not inherit its log.
    """

    registry: bytes
    journal: bytes
    organisation: int
    seen: Mark
    file: tuple[int, int]


def load(path: Path) -> Memory | None:
    """What was remembered, or None where nothing ever was."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    try:
        stored = json.loads(text)
        return Memory(
            registry=bytes.fromhex(stored["registry"]),
            journal=bytes.fromhex(stored["journal"]),
            organisation=int(stored["organisation"]),
            seen=Mark(int(stored["position"]), bytes.fromhex(stored["chain"])),
            file=(int(stored["file"][0]), int(stored["file"][1])),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is not a node file: {error!r}") from None


def store(path: Path, memory: Memory) -> None:
    """Replace the file; durable when this returns."""
    content = {
        "registry": memory.registry.hex(),
        "journal": memory.journal.hex(),
        "organisation": memory.organisation,
        "position": memory.seen.position,
        "chain": memory.seen.chain.hex(),
        "file": list(memory.file),
    }
    durable.replace(path, json.dumps(content, indent=1).encode("ascii") + b"\n", 0o640)
