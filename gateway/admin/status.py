"""What a client system may hear about one of its own addresses.

what:       facts → per stream of that client whether a block stops it, what stands, what was agreed
takes→gives: settings, client, `Facts` → `PersonStatus`
knows not:  HTTP, addresses, where facts come from
fails by:   nothing
standard:   DESIGN §4 "who can name a person": asked by the client itself, nothing is stored; L-12
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from gateway.config.organisation import Client, Organisation
from gateway.facts import Block, BlockKind, Facts
from gateway.policy.reach import blocked_streams
from gateway.registry.scopes import scope_text


class StreamStatus(BaseModel):
    """Whether a block stops mail of one stream. Consent is asked of the mail itself, and not answered here."""

    blocked: bool
    rule: str = Field("", description="The rule that stops it.")
    fact: str = Field("", description="What the rule read.")


class Standing(BaseModel):
    """One block or consent in force."""

    kind: str
    scope: str
    since: str = Field(description="Date in UTC, as 2026-01-31.")


class PersonStatus(BaseModel):
    """One address that was asked about, by its place in the question; the address itself is not repeated."""

    index: int
    error: str = Field("", description="Why this one cannot be answered.")
    known: bool = False
    delete: bool = Field(False, description="The person asked to be forgotten: delete this address where you keep it.")
    restricted: bool = False
    streams: dict[str, StreamStatus] = {}
    blocks: list[Standing] = []
    consents: list[Standing] = []
    requests: list[str] = []


def status(index: int, organisation: Organisation, client: Client, facts: Facts) -> PersonStatus:
    """The answer about one person, for one client of the organisation."""
    streams = {
        stream.value: StreamStatus(blocked=False)
        if found is None
        else StreamStatus(blocked=True, rule=found.rule, fact=found.fact)
        for stream, found in blocked_streams(organisation, client, facts).items()
    }
    topics = {number: name for name, number in organisation.topic_ids.items()}
    return PersonStatus(
        index=index,
        known=facts.known,
        delete=_stands(facts, BlockKind.ERASURE),
        restricted=_stands(facts, BlockKind.RESTRICTION),
        streams=streams,
        blocks=[_block(block, organisation) for block in facts.blocks],
        consents=[
            Standing(kind="consent", scope=scope_text(c.scope, organisation), since=_day(c.at)) for c in facts.consents
        ],
        requests=sorted(topics.get(topic, str(topic)) for topic in facts.requests),
    )


def _stands(facts: Facts, kind: BlockKind) -> bool:
    return any(block.kind is kind for block in facts.blocks)


def _block(block: Block, organisation: Organisation) -> Standing:
    return Standing(kind=block.kind.value, scope=scope_text(block.scope, organisation), since=_day(block.at))


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
