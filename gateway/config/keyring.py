"""Files of keys that only grow: adding the newest key durably, dropping one that nothing needs any more.

what:       one more line behind the others, or one line less; content, owner and mode of the rest stay as they are
takes→gives: credentials, kind of key, organisation → id or layer of the new key
knows not:  what is stored under a key, who must be told
fails by:   `CredentialsError`; `OSError`
standard:   DESIGN §4 Pseudonyms, Tokens, Spool; rename(2): the old file or the new one, never a half
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.config.credentials import (
    SPOOL_KEY,
    Credentials,
    CredentialsError,
    case_file,
    new_case_key,
    new_pseudonym_key,
    new_spool_key,
    new_token_key,
    pseudonym_file,
    token_file,
)

_LAST_LAYER = 255  # one octet in a token
_CHECK = b"briefgeheim key check "


class Kind(StrEnum):
    """Keys that can be rotated."""

    PSEUDONYM = "pseudonym"
    TOKEN = "token"
    SPOOL = "spool"
    CASES = "cases"


_NEW: Mapping[Kind, Callable[[], bytes]] = {
    Kind.PSEUDONYM: new_pseudonym_key,
    Kind.TOKEN: new_token_key,
    Kind.SPOOL: new_spool_key,
    Kind.CASES: new_case_key,
}


@dataclass(frozen=True, slots=True)
class Keyring:
    """One key file. `organisation` is "" for the spool's, which is the whole gateway's."""

    store: Credentials
    kind: Kind
    organisation: str = ""

    @property
    def name(self) -> str:
        names = {
            Kind.PSEUDONYM: pseudonym_file,
            Kind.TOKEN: token_file,
            Kind.SPOOL: lambda _: SPOOL_KEY,
            Kind.CASES: case_file,
        }
        return names[self.kind](self.organisation)

    @property
    def path(self) -> Path:
        return self.store.place(self.name)

    def ids(self) -> list[int]:
        """Ids, or layers counted from 0, oldest first. Raises `CredentialsError`."""
        if self.kind is Kind.PSEUDONYM:
            return list(range(len(self._lines())))
        keys: Mapping[Kind, Callable[[], Mapping[int, bytes]]] = {
            Kind.TOKEN: lambda: self.store.token_keys(self.organisation).keys,
            Kind.SPOOL: self.store.spool_keys,
            Kind.CASES: lambda: self.store.case_keys(self.organisation),
        }
        return sorted(keys[self.kind]())

    def add(self) -> int:
        """One more key, the newest; gives its id or layer. All lines that were there stay, octet for octet."""
        with self._alone():
            ids = self.ids()
            number = max(ids, default=0) + 1
            if number > _LAST_LAYER and self.kind in (Kind.PSEUDONYM, Kind.TOKEN):
                raise CredentialsError(f"{self.path}: {_LAST_LAYER} is the last number there is")
            old = self.path.read_bytes()
            key = _NEW[self.kind]()
            line = key if self.kind is Kind.PSEUDONYM else b"%d %s" % (number, key.partition(b" ")[2])
            self._replace(old if not old or old.endswith(b"\n") else old + b"\n", line)
        return number

    def drop(self, number: int) -> None:
        """Take a key away that is not the newest. The caller knows that nothing needs it."""
        if self.kind in (Kind.PSEUDONYM, Kind.TOKEN):
            raise CredentialsError(f"{self.path}: every key of this kind is needed for as long as there are people")
        with self._alone():
            if number not in self.ids():
                raise CredentialsError(f"{self.path}: has no key {number}")
            if number == max(self.ids()):
                raise CredentialsError(f"{self.path}: key {number} is the one in use; rotate first")
            kept = [line for line in self.path.read_bytes().splitlines(keepends=True) if _id_of(line) != number]
            self._replace(b"".join(kept), b"")

    def checks(self) -> list[str]:
        """16 hex digits per line that tell this key from any other and not the key."""
        return [key_check(self.name, line) for line in self._lines()]

    def _lines(self) -> list[bytes]:
        """Lines with a key. Raises `CredentialsError` where one cannot be used."""
        return key_lines(self.store.content(self.name))

    def _replace(self, old: bytes, new: bytes) -> None:
        path = self.path
        was = path.stat()
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb") as stream:
                stream.write(old + new)
                stream.flush()
                if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file, was.st_uid, was.st_gid)  # the gateway's user must go on reading it
                os.fchmod(file, was.st_mode & 0o777)
                os.fsync(file)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        _sync(path.parent)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def key_check(name: str, line: bytes) -> str:
    """16 hex digits that prove which key a line holds, bound to its file's name. For keys of 32 octets and more."""
    return hmac.digest(line.strip(), _CHECK + name.encode(), hashlib.sha256)[:8].hex()


def key_lines(content: bytes) -> list[bytes]:
    """The lines of a key file that hold a key."""
    return [line.strip() for line in content.splitlines() if line.strip() and not line.startswith(b"#")]


def _id_of(line: bytes) -> int:
    first = line.split(b" ")[0]
    return int(first) if first.isdigit() else 0


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
