"""Where one of the other parsers is known to see something else, and how to tell from the message.

Each entry is one habit of one parser. A difference that no entry explains fails the tests.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.message.parse import Message, Part


@dataclass(frozen=True)
class Habit:
    parsers: tuple[str, ...]
    reason: str
    applies: Callable[[Message], bool]


def explained(parser: str, message: Message) -> list[str]:
    """Why this parser may see this message differently."""
    return [habit.reason for habit in HABITS if parser in habit.parsers and habit.applies(message)]


def _leaves(message: Message, encoding: str) -> Iterator[tuple[Part, bytes]]:
    for part in message.walk():
        if part.encoding == encoding and not part.children:
            yield part, message.raw[slice(*part.body)]


def _space_around_encoding(message: Message) -> bool:
    for part in message.walk():
        for field in part.fields:
            value = message.raw[field.value : field.end - 2].removeprefix(b" ")
            if field.name.lower() == b"content-transfer-encoding" and value != value.strip():
                return True
    return False


def _space_before_colon(message: Message) -> bool:
    return any(f.value - f.start > len(f.name) + 1 for part in message.walk() for f in part.fields)


def _odd_base64(message: Message) -> bool:
    for _, body in _leaves(message, "base64"):
        try:
            binascii.a2b_base64(body.translate(None, b" \t\r\n"), strict_mode=True)
        except binascii.Error:
            return True
    return False


_QP = re.compile(rb"[ \t](?:\r\n|\Z)|=(?![0-9A-F]{2}|[ \t]*(?:\r\n|\Z))|[\x80-\xff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _odd_quoted_printable(message: Message) -> bool:
    return any(_QP.search(body) for _, body in _leaves(message, "quoted-printable"))


def _like_a_boundary(message: Message) -> bool:
    for part in message.walk():
        boundary = re.escape(part.parameters.get("boundary", "").encode())
        odd = rb"(?:\A|\r\n)--" + boundary + rb"(?!(?:--)?[ \t]*(?:\r\n|\Z))"
        if boundary and re.search(odd, message.raw[slice(*part.body)]):
            return True
    return False


def _broken(*reasons: str) -> Callable[[Message], bool]:
    return lambda message: any(part.broken in reasons for part in message.walk())


HABITS = (
    Habit(
        ("rust",), "does not read a header that begins with a line of blanks", lambda message: message.raw[:1] in b" \t"
    ),
    Habit(("stdlib", "rust"), "does not strip white space around a transfer encoding", _space_around_encoding),
    Habit(("stdlib", "rust"), "knows no field with white space before its colon", _space_before_colon),
    Habit(("stdlib", "rust"), "gives base64 that is not clean back as it is, or gives up", _odd_base64),
    Habit(("rust",), "drops white space at line ends, 8-bit octets and odd escapes", _odd_quoted_printable),
    Habit(("rust",), "takes a line that only begins with a boundary for one", _like_a_boundary),
    Habit(
        ("stdlib",),
        "decodes uuencode",
        lambda message: any(part.encoding in ("x-uuencode", "uuencode", "uue", "x-uue") for part in message.walk()),
    ),
    Habit(("stdlib",), "keeps no part without a single line", _broken("a part of nothing")),
    Habit(("rust",), "takes what follows a closing boundary for a part", _broken("no body part between boundaries")),
    Habit(("stdlib", "rust"), "ends a header at a line that is no field", _broken("a header line is no field")),
)
