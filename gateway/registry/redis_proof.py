"""What every answer of Redis says about itself before it says anything else, and what must hold (I-13).

what:       the proof that comes with each reading: reign, identity, how far each journal is taken in
takes→gives: the first part of a script's answer → `Proof`; `Proof` and what this node knows → nothing, or an error
knows not:  rows, connections
fails by:   `RegistryMistrusted`, `RegistryUnavailable`
standard:   I-12, I-13
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.registry.identity import Identity
from gateway.registry.protocol import RegistryMistrusted, RegistryUnavailable
from gateway.registry.record import Head, Mark

RETIRED = "!"
VETTED = "+"
_REFUSALS = {
    "replica": RegistryUnavailable("this Redis is a replica: its primary is another one by now"),
    "few": RegistryUnavailable("too few replicas are connected to the primary"),
    "lost": RegistryMistrusted("rows that were in Redis are gone: evicted, or deleted by hand"),
    "reign": RegistryMistrusted("Redis was restarted or failed over: its journals are being checked against it"),
}


class Waiting(RegistryMistrusted):
    """Only what others still have to do ends this; to open anew would change nothing."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How far one node's journals are in the registry; `token` names the last change that this node made."""

    applied: Mark
    web: bytes | None
    ingested: Mark | None
    token: str

    def pack(self) -> str:
        ingested = self.ingested or Mark(0, b"")
        return ":".join(
            (
                str(self.applied.position),
                self.applied.chain.hex(),
                (self.web or b"").hex(),
                str(ingested.position),
                ingested.chain.hex(),
                self.token,
            )
        )

    @classmethod
    def unpack(cls, value: bytes) -> Taken:
        try:
            position, chain, web, web_position, web_chain, token = value.decode().split(":")
            ingested = Mark(int(web_position), bytes.fromhex(web_chain)) if web else None
            return cls(Mark(int(position), bytes.fromhex(chain)), bytes.fromhex(web) or None, ingested, token)
        except ValueError:
            raise RegistryMistrusted("what Redis holds about this node cannot be read") from None


@dataclass(frozen=True, slots=True)
class Proof:
    """`waiting`: journals (hex) of nodes that have not checked theirs since this reign began; `node` the own entry."""

    reign: str
    good: int
    registry: bytes
    organisation: int
    key_check: bytes
    layer: int
    floor: int | None
    last: int
    people: int
    node: bytes | None
    loading: bool
    waiting: tuple[str, ...]
    vetted: str

    @property
    def taken(self) -> Taken | None:
        return None if self.node is None else Taken.unpack(self.node)

    def identity(self, head: Head) -> Identity:
        """As every backend knows it, for the node whose journal has this head."""
        taken = self.taken or Taken(head.start, None, None, "")
        return Identity(
            registry=self.registry,
            organisation=self.organisation,
            key_check=self.key_check,
            layer=self.layer,
            journal=head.identity,
            applied=taken.applied,
            web=taken.web,
            ingested=taken.ingested,
            floor=self.floor,
            loading=self.loading,
        )


def is_there(answer: list[Any]) -> bool:
    """Whether there is a registry of this organisation at all."""
    return not refused(answer) and answer[0][2][0] is not None


def prove(answer: list[Any]) -> tuple[Proof, list[Any]]:
    """The proof and what was asked for. Raises where there is no registry, or not a primary, or rows are missing."""
    if word := refused(answer):
        raise refusal(word)
    (reign, good, identity, node, waiting, vetted, mapped), found = answer
    registry, organisation, key_check, layer, floor, last, people, loading = identity
    if registry is None:
        raise RegistryMistrusted("Redis holds no registry of this organisation: empty, wiped or another one")
    proof = Proof(
        reign=reign.decode(),
        good=int(good),
        registry=registry,
        organisation=int(organisation),
        key_check=key_check,
        layer=int(layer),
        floor=None if floor is None else int(floor),
        last=int(last or 0),
        people=int(people or 0),
        node=node,
        loading=loading is not None,
        waiting=tuple(name.decode() for name in waiting),
        vetted=vetted.decode(),
    )
    if proof.people and not mapped:
        raise refusal("lost")
    return proof, found


def enough(proof: Proof, copies: int) -> None:
    """A primary that lost its replicas may have been replaced by one of them without knowing."""
    if 0 <= proof.good < copies:
        raise refusal("few")


def all_vetted(proof: Proof) -> None:
    """Blocks that a failover lost are in the journals of the nodes that wrote them, and nowhere else."""
    if proof.waiting:
        raise Waiting(
            f"Redis was restarted or failed over, and {len(proof.waiting)} node(s) have not checked their journals "
            f"since: {', '.join(sorted(name[:12] for name in proof.waiting))}; see `registry node list`"
        )


def refusal(word: str) -> RegistryUnavailable:
    """The error for a script's refusal."""
    found = _REFUSALS.get(word) or RegistryUnavailable(f"Redis refused: {word}")
    return type(found)(str(found))


def refused(answer: list[Any]) -> str:
    """The word that a script gave in place of an answer, or ""."""
    return answer[0].decode() if isinstance(answer[0], bytes) else ""
