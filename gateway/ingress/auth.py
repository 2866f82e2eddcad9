"""AUTH PLAIN and LOGIN: what the client said, and whether it is true.

what:       decoding of SASL answers; `Login`, which checks a name and a password in the same work for everyone
takes→gives: octets of an answer → `Presented`; `Presented` → `ClientEntry` or None
knows not:  the session, the form of a stored secret (an injected function compares)
fails by:   `BadAnswer`; None for wrong credentials, whatever was wrong
standard:   RFC 4954, RFC 4616; DESIGN §4 Client secrets; R-099
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.ingress.clients import ClientDirectory, ClientEntry

VerifySecret = Callable[[str, bytes], bool]
"""(stored form, presented password) → equal or not."""

MECHANISMS = ("PLAIN", "LOGIN")
_SLOW = "$argon2"
_SLOW_AT_ONCE = 2  # each takes 64 MiB and a core
_REMEMBERED = 256


class BadAnswer(ValueError):
    """The answer is not base64, or not what the mechanism wants."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client says about itself. The password never prints."""

    name: str
    password: bytes = field(repr=False)


def decode_answer(line: bytes) -> bytes:
    """Base64, strictly; "=" stands for an empty initial response (RFC 4954 4). Raises `BadAnswer`."""
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise BadAnswer("not base64") from None


def plain(answer: bytes) -> Presented:
    """RFC 4616: authorisation identity NUL name NUL password. Raises `BadAnswer`."""
    parts = answer.split(b"\0")
    if len(parts) != 3:
        raise BadAnswer("expected two NUL")
    wanted, name, password = parts
    if wanted not in (b"", name):
        # Acting for somebody else is not offered. An impossible name fails in the same work as a wrong password.
        return Presented("", password)
    return Presented(_text(name), password)


def login(name: bytes, password: bytes) -> Presented:
    """The two answers of AUTH LOGIN."""
    return Presented(_text(name), password)


def _text(name: bytes) -> str:
    return name.decode("utf-8", errors="replace")


class Login:
    """Checks credentials. A failed attempt costs one comparison of each kind of stored secret, known name or not.

    Slow hashes (argon2) run in a thread, two at a time; a success is remembered under a keyed digest of this process.
    """

    def __init__(self, verify: VerifySecret) -> None:
        self._verify = verify
        self._key = secrets.token_bytes(32)
        self._successes: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Semaphore(_SLOW_AT_ONCE)

    async def check(self, clients: ClientDirectory, presented: Presented) -> ClientEntry | None:
        """The client, when name and password are right."""
        entry = clients.get(presented.name)
        stored = entry.secret if entry is not None else None
        if stored is not None and await self._equal(stored, presented.password):
            return entry
        for dummy in _one_of_each_kind(clients, without=stored):
            await self._compare(dummy, presented.password)
        return None

    async def _equal(self, stored: str, password: bytes) -> bool:
        if not stored.startswith(_SLOW):
            return await self._compare(stored, password)
        mark = hmac.digest(self._key, hashlib.sha256(stored.encode()).digest() + password, hashlib.sha256)
        if mark in self._successes:
            self._successes.move_to_end(mark)
            return True
        if not await self._compare(stored, password):
            return False
        self._successes[mark] = None
        while len(self._successes) > _REMEMBERED:
            self._successes.popitem(last=False)
        return True

    async def _compare(self, stored: str, password: bytes) -> bool:
        if not stored.startswith(_SLOW):
            return self._verify(stored, password)
        async with self._turn:
            return await asyncio.to_thread(self._verify, stored, password)


def _one_of_each_kind(clients: ClientDirectory, without: str | None) -> list[str]:
    """A stored secret of each kind in the directory, except the kind that was just compared."""
    kinds: dict[bool, str] = {}
    for stored in clients.secrets():
        kinds.setdefault(stored.startswith(_SLOW), stored)
    if without is not None:
        kinds.pop(without.startswith(_SLOW), None)
    return [kinds[kind] for kind in sorted(kinds)]
