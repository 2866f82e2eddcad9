"""Files with files in them: ZIP, tar, gzip, bzip2, xz, and a whole mail. Octets are counted as they come out.

what:       `Zip` (its members, read one at a time), `zipped`, `tarred`, `squeezed`, `mail`; `each` over any members
takes→gives: octets, `Meter`, a reader for what is inside → `Text`s with the member's number in front
knows not:  which formats members have
fails by:   `Unreadable` at the end, naming the members that could not be read; `TooMuch` at once
standard:   PKWARE APPNOTE 6.3, POSIX ustar/pax, RFC 1952; R-050. Sizes that a file states of itself are not believed
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from gateway.documents import plain
from gateway.documents.protocol import DAMAGED, PASSWORD, Inside, Meter, Text, TooMuch, Unreadable, numbered
from gateway.message.draft import Draft
from gateway.message.headers import header_text
from gateway.message.parse import MalformedMessage, parse

BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error,
    EOFError, OSError, ValueError, IndexError, KeyError, OverflowError, NotImplementedError, RecursionError,
)  # fmt: skip
"""What the standard library raises for files that are not what they say."""
_CHUNK = 256 * 1024
_XZ_MEMORY = 192 * 2**20
_ENTRY = b"PK\x01\x02"
_NAMED = 3

_ENCODED = re.compile(rb"Content-Transfer-Encoding|boundary=", re.IGNORECASE)

Member = tuple[str, Callable[[], bytes]]


def each(members: Iterable[Member], meter: Meter, inside: Inside) -> Iterator[Text]:
    """All texts of all members. One that cannot be read does not hide the others: it is raised at the end."""
    troubles: list[str] = []
    for number, (name, content) in enumerate(members, 1):
        meter.member()
        where = numbered("file", number, name)
        try:
            yield from inside(where, name, content())
        except TooMuch:
            raise
        except Unreadable as error:
            troubles.append(f"{where}: {error.why}")
    if troubles:
        raise Unreadable("; ".join(troubles[:_NAMED]) + (" …" if len(troubles) > _NAMED else ""))


def names(found: Iterable[str], where: str = "names of the files") -> Iterator[Text]:
    """File names are text too."""
    joined = "\n".join(found)
    if joined:
        yield Text(where, joined)


@dataclass(slots=True)
class Zip:
    """A ZIP file, opened. Raises `Unreadable` when it has no readable directory."""

    content: bytes = field(repr=False)
    meter: Meter
    entries: list[zipfile.ZipInfo] = field(init=False)
    comment: bytes = field(init=False, repr=False)
    _file: zipfile.ZipFile = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Each entry of the directory becomes an object of some hundred octets; archives within count too.
        if self.content.count(_ENTRY) > 10 * self.meter.bounds.members:
            raise TooMuch(f"more than {self.meter.bounds.members} files inside")
        try:
            self._file = zipfile.ZipFile(io.BytesIO(self.content))
        except BROKEN:
            raise Unreadable(DAMAGED) from None
        # Not `is_dir`, which fails on an entry without a name.
        self.entries = [entry for entry in self._file.infolist() if not entry.filename.endswith("/")]
        for entry in self.entries:
            entry.filename = entry.filename.replace("\\", "/")  # as some writers on Windows have it
        self.comment = self._file.comment

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """The content of one entry. Raises `Unreadable`."""
        if entry.flag_bits & 0x41:
            raise Unreadable(PASSWORD)
        try:
            with self._file.open(entry) as source:
                return drained(source, self.meter, entry.compress_size)
        except Unreadable:
            raise
        except (*BROKEN, RuntimeError):
            raise Unreadable(DAMAGED) from None

    def find(self, name: str) -> bytes | None:
        """The content of the entry with this name. Raises `Unreadable`."""
        entry = next((e for e in self.entries if e.filename == name), None)
        return None if entry is None else self.read(entry)

    def members(self) -> Iterator[Member]:
        """All of them, to be read one at a time."""
        for entry in self.entries:
            yield entry.filename, lambda entry=entry: self.read(entry)  # type: ignore[misc]


def drained(source: IO[bytes], meter: Meter, packed: int) -> bytes:
    """All that comes out, counted on the way. Raises `TooMuch` and what `source` raises."""
    chunks: list[bytes] = []
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        meter.read(len(chunk))
        meter.unpacked(size, packed)
        chunks.append(chunk)
    return b"".join(chunks)


def zipped(found: Zip, inside: Inside) -> Iterator[Text]:
    """A ZIP file that is nothing more."""
    yield from names(entry.filename for entry in found.entries)
    if found.comment.strip():
        yield from inside("comment", "comment.txt", found.comment)
    yield from each(found.members(), found.meter, inside)


def tarred(content: bytes, meter: Meter, inside: Inside) -> Iterator[Text]:
    """A tar file; links and devices have no content."""
    seen: list[str] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as file:
            yield from each(_tar_members(file, meter, seen), meter, inside)
            if content[file.offset :].strip(b"\0"):  # the library ends without a word where a header is damaged
                raise Unreadable(DAMAGED)
    except Unreadable:
        raise
    except BROKEN:
        raise Unreadable(DAMAGED) from None
    finally:
        yield from names(seen)


def _tar_members(file: tarfile.TarFile, meter: Meter, seen: list[str]) -> Iterator[Member]:
    for info in file:
        seen.append(info.name)
        if info.isfile() or info.issparse():
            yield info.name, lambda info=info: _tar_content(file, info, meter)  # type: ignore[misc]


def _tar_content(file: tarfile.TarFile, info: tarfile.TarInfo, meter: Meter) -> bytes:
    source = file.extractfile(info)
    try:
        return b"" if source is None else drained(source, meter, max(info.size, 1))
    except Unreadable:
        raise
    except BROKEN:
        raise Unreadable(DAMAGED) from None


def squeezed(content: bytes, name: str, meter: Meter, inside: Inside) -> Iterator[Text]:
    """gzip, bzip2 or xz around one file."""
    try:
        with _opened(content) as source:
            found = drained(source, meter, len(content))
    except Unreadable:
        raise
    except BROKEN:
        raise Unreadable(DAMAGED) from None
    meter.member()
    yield from inside("", _inner_name(name), found)


def _opened(content: bytes) -> IO[bytes]:
    stream = io.BytesIO(content)
    if content.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if content.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    return _Xz(stream)  # type: ignore[return-value]


class _Xz(io.RawIOBase):
    """xz streams one after another, with a limit on the memory that a stream may ask for."""

    def __init__(self, source: io.BytesIO) -> None:
        self._rest = source.getvalue()
        self._stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._stream.eof:
                if not self._rest:
                    return b""
                self._stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            elif not self._rest and self._stream.needs_input:
                raise EOFError
            chunk = self._stream.decompress(self._rest, size)
            self._rest = self._stream.unused_data.lstrip(b"\0") if self._stream.eof else b""
            if chunk:
                return chunk


def _inner_name(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    if ending.lower() in ("tgz", "tbz", "tbz2", "txz"):
        return f"{stem}.tar"
    return stem if ending.lower() in ("gz", "bz2", "xz", "gzip") else name


def mail(content: bytes, meter: Meter, inside: Inside) -> Iterator[Text]:
    """A whole mail as a file: its header, and every leaf part as a member."""
    raw = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    try:
        draft = Draft(parse(raw))
    except MalformedMessage:
        yield from plain.texts(content, meter)
        if _ENCODED.search(content):
            raise Unreadable(DAMAGED) from None
        return  # words called a mail
    parts = list(draft.message.walk())
    for part in parts:
        meter.text()
        yield Text("header", "\n".join(header_text(raw[field.start : field.end]) for field in part.fields))
    leaves = [part for part in parts if not part.children]
    members = ((p.filename or f"text.{_ending(p.content_type)}", p) for p in leaves)
    yield from each(((n, lambda p=p: draft.content(p)) for n, p in members), meter, inside)  # type: ignore[misc]


def _ending(content_type: str) -> str:
    return {"text/html": "html", "text/csv": "csv", "text/calendar": "ics"}.get(content_type, "txt")
