"""Looking for a person in the raw files of a state folder: every file, every usual way to write a text as octets."""

from __future__ import annotations

import base64
import quopri
import urllib.parse
from collections.abc import Iterator
from pathlib import Path


def found(folder: Path, texts: list[str], octets: list[bytes] = []) -> dict[str, list[str]]:  # noqa: B006 never changed
    """Files below `folder` that hold one of these, with what was found; nothing is skipped, not even keys and locks."""
    wanted = {form: what for text in texts for what, form in _forms(text)}
    wanted |= {form: f"pseudonym {number}" for number, p in enumerate(octets) for form in _raw_forms(p)}
    hits: dict[str, list[str]] = {}
    for path, content in files(folder):
        plain = content.lower()
        if names := sorted({what for form, what in wanted.items() if form in content or form.lower() in plain}):
            hits[str(path.relative_to(folder))] = names
    return hits


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """All that lies below the folder, of a gateway that may be at work; what it puts away meanwhile is not there."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                yield path, path.read_bytes()
        except FileNotFoundError:
            continue


def _forms(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield f"{text} raw", raw
    yield f"{text} UTF-16", text.encode("utf-16-le")
    yield f"{text} UTF-16 BE", text.encode("utf-16-be")
    yield f"{text} hex", raw.hex().encode()
    yield f"{text} quoted-printable", quopri.encodestring(raw, quotetabs=True).replace(b"=\n", b"")
    yield f"{text} header word", quopri.encodestring(raw, header=True)
    yield f"{text} URL", urllib.parse.quote(text, safe="").encode()
    for shift in range(3):  # base64 of a text in the middle of another one, whatever comes before it
        whole = base64.b64encode(b"\0" * shift + raw)
        yield f"{text} base64", whole[4 if shift else 0 : -4]


def _raw_forms(pseudonym: bytes) -> Iterator[bytes]:
    yield pseudonym
    yield pseudonym.hex().encode()
    yield base64.b64encode(pseudonym).rstrip(b"=")
    yield base64.urlsafe_b64encode(pseudonym).rstrip(b"=")
