"""What a reader gave, as a test wants it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents.protocol import Bounds, Meter, Text, Unreadable
from gateway.documents.read import texts
from gateway.inspection import Item


@dataclass(frozen=True, slots=True)
class Reading:
    """All texts, and why it ended before its end ("" when it did not)."""

    texts: tuple[Text, ...]
    why: str

    @property
    def all(self) -> str:
        return "\n".join(text.text for text in self.texts)

    @property
    def places(self) -> list[str]:
        return [text.where for text in self.texts]

    def at(self, where: str) -> str:
        """The texts of one place."""
        return "\n".join(text.text for text in self.texts if text.where == where)

    def place_of(self, value: str) -> str:
        """The first place where `value` stands."""
        return next(text.place(text.text.index(value)) for text in self.texts if value in text.text)


def read(
    content: bytes, name: str = "file", media_type: str = "application/octet-stream", meter: Meter | None = None
) -> Reading:
    """Raises whatever is no `Unreadable`."""
    found: list[Text] = []
    try:
        for text in texts(Item("1.2", name, media_type, content), Bounds(), meter):
            found.append(text)
    except Unreadable as error:
        return Reading(tuple(found), error.why)
    return Reading(tuple(found), "")
