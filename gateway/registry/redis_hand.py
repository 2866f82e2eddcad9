"""One node's hand on the registry in Redis: what is asked there with proof, and what is changed there in one go.

what:       readings and changes of a primary in whose reign this node's journal was checked
takes→gives: keys, fields → values with `Proof`; a `Change` → made, or `Moved` because somebody else was first
knows not:  events, blocks, people
fails by:   `RegistryUnavailable`, `RegistryMistrusted`, `Uncertain`; `Moved`
standard:   I-13; DESIGN §4 Redis: AOF, WAIT
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.registry.protocol import RegistryMistrusted, RegistryUnavailable
from gateway.registry.redis_change import Change
from gateway.registry.redis_faults import Uncertain, as_registry_errors
from gateway.registry.redis_keys import Keys
from gateway.registry.redis_primary import Argument, Primary
from gateway.registry.redis_proof import Proof, Taken, enough, prove, refusal, refused
from gateway.registry.redis_scripts import CHANGE, LOOK, READ

_TURN = 5000  # milliseconds that a writer keeps others out at most, when it was overtaken again and again


class Moved(Exception):
    """Something was not as expected any more; nothing was changed. Read again and try again."""


class Hand:
    """Used within one loop. `journal`: identity of this node's block journal, which is the node's name in Redis."""

    def __init__(self, primary: Primary, keys: Keys, journal: bytes, copies: int) -> None:
        self.primary = primary
        self.keys = keys
        self.node = journal.hex()
        self.reign = ""
        self._copies = copies
        self._turn = secrets.token_hex(8)

    async def look(self, keys: Sequence[str] = (), fields: Sequence[Argument] = ()) -> tuple[Proof, list[Any]]:
        """Fields of hashes, or whole hashes where the field is "", as of one moment."""
        return self._proven(await self.answer(LOOK, keys, fields))

    async def read(self, pseudonyms: Sequence[bytes]) -> tuple[Proof, list[bytes | None]]:
        """Packed state rows. Raises where a bucket that had rows is gone."""
        return self._proven(await self.answer(READ, self.keys.buckets(pseudonyms), (b"".join(pseudonyms),)))

    async def answer(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> list[Any]:
        """A script's answer as it comes, for whom even "there is nothing" is an answer."""
        names = [self.keys.identity, self.keys.nodes, self.keys.map, *keys]
        with as_registry_errors():
            answer: list[Any] = await self.primary.run(script, names, (self.node, *arguments))
        return answer

    async def ask(self, *command: Argument) -> Any:
        """One plain command about a key of this organisation."""
        with as_registry_errors():
            return await self.primary.ask(*command)

    async def change(self, change: Change, before: Taken | None, after: Taken) -> Taken:
        """Make it, with this node's position moved from `before` to `after`; gives that as stored.

        Returns when as many replicas have it as must. Raises `Moved`.
        """
        after = replace(after, token=secrets.token_hex(6))
        change.expect(self.keys.nodes, self.node, None if before is None else before.pack())
        change.put(self.keys.nodes, self.node, after.pack())
        try:
            await self._send(change)
        except Uncertain:
            await self._settle(change, after)
        return after

    async def take_turn(self) -> None:
        """Keep other writers out for a moment, or wait for nothing: the next try tells."""
        await self.ask("SET", self.keys.turn, self._turn, "NX", "PX", _TURN)

    async def leave_turn(self) -> None:
        held = await self.ask("GET", self.keys.turn)
        if held is not None and held.decode() == self._turn:
            await self.ask("DEL", self.keys.turn)

    async def _settle(self, change: Change, after: Taken) -> None:
        """The connection broke under a change: find out whether it was made; if not, try once more."""
        self.primary.forget()
        if not await self._was_made(after):
            try:
                await self._send(change)
            except Moved:  # perhaps by the first try, which came through late
                if not await self._was_made(after):
                    raise
                await self._with_replicas(after)
            return
        await self._with_replicas(after)

    async def _was_made(self, after: Taken) -> bool:
        proof, _ = await self.look()
        return proof.taken is not None and proof.taken.token == after.token

    async def _with_replicas(self, after: Taken) -> None:
        """What was written before on this primary is with the replicas when something later is."""
        if self._copies:
            again = Change(self.keys)
            again.put(self.keys.nodes, self.node, after.pack())
            await self._send(again)

    async def _send(self, change: Change) -> None:
        with as_registry_errors():
            arguments = change.arguments(self.reign, self._copies, self._turn)
            answer, copies = await self.primary.change(CHANGE, change.names, arguments)
        word = answer.decode()
        if word in ("moved", "turn"):
            raise Moved
        if word != "done":
            raise self._refused(word)
        if copies < self._copies:
            raise RegistryUnavailable(f"written, but only {copies} of {self._copies} replicas have it")

    def _refused(self, word: str) -> RegistryUnavailable:
        if word == "replica":
            self.primary.forget()
        return refusal(word)

    def _proven(self, answer: list[Any]) -> tuple[Proof, list[Any]]:
        if word := refused(answer):
            raise self._refused(word)
        proof, found = prove(answer)
        enough(proof, self._copies)
        if self.reign and proof.reign != self.reign:
            raise RegistryMistrusted(str(refusal("reign")))
        return proof, found
