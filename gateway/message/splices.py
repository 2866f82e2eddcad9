"""What `template.compile` lays out: splices on the raw message, and the gaps in them.

what:       the values that rewriting a part, a header or a whole message for 7 bit all speak of
takes→gives: nothing; values only
knows not:  how they come about, what a slot means
fails by:   `Uncompilable` is the one error of everything that makes them
standard:   DESIGN §4 Spool
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message.draft import Replacement, Slot

SLOT_ROOM = 512  # octets kept free on a line for a slot's value


class Uncompilable(ValueError):
    """The draft cannot be written as asked; `reason` says what stands in the way, without content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a slot's value goes, as it is ("raw") or as lines of quoted-printable ("qp")."""

    slot: Slot
    encoding: str = "raw"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """`start:end` of the message becomes `steps`; `header` when it belongs to the top header."""

    start: int
    end: int
    steps: tuple[bytes | Gap, ...]
    header: bool = False


def raw_steps(replacement: Replacement) -> tuple[bytes | Gap, ...]:
    """A replacement as steps, its slots filled as they are."""
    return tuple(Gap(piece) if isinstance(piece, Slot) else piece for piece in replacement)


def ascii_steps(steps: tuple[bytes | Gap, ...]) -> bool:
    """Whether the fixed bytes are ASCII; what fills the gaps says so for itself."""
    return all(step.isascii() for step in steps if isinstance(step, bytes))
