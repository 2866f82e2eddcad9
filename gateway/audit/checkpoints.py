"""Signed checkpoints of one shard's chain, in an append-only file beside it: what is cut off at the end shows too.

what:       `Checkpoint` (how far the chain had come, signed with Ed25519), `Checkpoints` (the file)
takes→gives: number and chain value of the last row, key → a line; lines → checkpoints that a public key can check
knows not:  what audit rows say, when a checkpoint is due
fails by:   `CheckpointDamaged` for a line that cannot be read; `OSError`
standard:   L-07, DESIGN §4 Audit; RFC 8032

Each line is signed over the line before it, so that a line taken out of the middle shows as well. Lines at the end
can be taken away together with the rows they cover; a copy kept elsewhere (`audit checkpoint --out`, the log) shows it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PURPOSE = b"briefgeheim audit checkpoint 1"
_TAIL = 64 * 1024  # octets read from the end of the file to find its last line
FIRST = bytes(32)
"""What the first checkpoint of a file has before it."""


class CheckpointDamaged(ValueError):
    """A line is not a checkpoint; the text says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Row `number` of `shard` had chain value `chain` (32 octets) at `at` (Unix seconds), and so had all before it.

    `before` is the digest of the checkpoint before it in its file; `key` the id of the signing key.
    """

    shard: str
    number: int
    chain: bytes
    at: float
    before: bytes
    key: int
    signature: bytes = b""

    def message(self) -> bytes:
        """What is signed."""
        name = self.shard.encode()
        return b"".join(
            (_PURPOSE, struct.pack(">HQdI", len(name), self.number, self.at, self.key), name, self.chain, self.before)
        )

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.message() + self.signature).digest()

    def line(self) -> str:
        """One line of JSON, without line end."""
        return json.dumps(
            {
                "shard": self.shard,
                "number": self.number,
                "chain": self.chain.hex(),
                "at": self.at,
                "before": self.before.hex(),
                "key": self.key,
                "signature": base64.b64encode(self.signature).decode(),
            }
        )

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """Inverse of `line`. Raises `CheckpointDamaged`."""
        try:
            found = json.loads(text)
            return cls(
                str(found["shard"]),
                int(found["number"]),
                bytes.fromhex(found["chain"]),
                float(found["at"]),
                bytes.fromhex(found["before"]),
                int(found["key"]),
                base64.b64decode(found["signature"], validate=True),
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise CheckpointDamaged("expected a checkpoint in JSON") from error


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """Ed25519 seeds by id (32 octets each); the highest signs, all verify."""

    seeds: Mapping[int, bytes]

    def sign(self, shard: str, number: int, chain: bytes, at: float, before: bytes) -> Checkpoint:
        key = max(self.seeds)
        plain = Checkpoint(shard, number, chain, at, before, key)
        signature = Ed25519PrivateKey.from_private_bytes(self.seeds[key]).sign(plain.message())
        return Checkpoint(shard, number, chain, at, before, key, signature)

    @property
    def public(self) -> PublicKeys:
        return PublicKeys(
            {
                i: Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
                for i, seed in self.seeds.items()
            }
        )


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What checks signatures and makes none: raw public keys by id (32 octets each)."""

    keys: Mapping[int, bytes]

    def fits(self, checkpoint: Checkpoint) -> bool:
        raw = self.keys.get(checkpoint.key)
        if raw is None or not 0 <= checkpoint.number < 2**63:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(raw).verify(checkpoint.signature, checkpoint.message())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The file beside a shard's database. Several processes may append; each line is durable when `append` returns."""

    path: Path

    @classmethod
    def beside(cls, database: Path) -> Checkpoints:
        return cls(database.with_suffix(".checkpoints"))

    @property
    def shard(self) -> str:
        return self.path.stem

    def lines(self) -> list[str]:
        """All lines, oldest first; none when there is no file. A half-written last one, left by a crash, is no line."""
        try:
            text = self.path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return text.split("\n")[:-1]

    def newest(self) -> Checkpoint | None:
        """The last checkpoint, read from the end of the file."""
        try:
            with self.path.open("rb") as file:
                return _last(file.fileno())
        except FileNotFoundError:
            return None

    def append(self, keys: AuditKeys, number: int, chain: bytes, at: float) -> Checkpoint | None:
        """Sign that the chain had come to row `number`, behind the last line. None when that line says as much."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            last = _last(descriptor)
            if last is not None and last.number >= number:
                return None
            made = keys.sign(self.shard, number, chain, at, last.digest if last else FIRST)
            _cut_torn_line(descriptor)
            os.lseek(descriptor, 0, os.SEEK_END)
            os.write(descriptor, made.line().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return made


def read(lines: Iterable[str]) -> list[Checkpoint]:
    """Checkpoints of an exported file. Raises `CheckpointDamaged` with the number of the line."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Checkpoint.read(line))
        except CheckpointDamaged as error:
            raise CheckpointDamaged(f"line {number}: {error}") from error
    return found


def _last(descriptor: int) -> Checkpoint | None:
    """The last whole line; one that cannot be read counts as none, and `verify` names it."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL)).decode("utf-8", errors="replace")
    for line in reversed(tail.split("\n")[:-1]):
        try:
            return Checkpoint.read(line)
        except CheckpointDamaged:
            continue
    return None


def _cut_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)
