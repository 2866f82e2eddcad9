"""Whether a client could reach a person on any of its streams.

what:       the early answer at RCPT, for clients that want it there (`refuse: rcpt`), and the answer stream by stream
takes→gives: settings, client, facts → a refusal, or None when some mail of this client may still go
knows not:  the mail, which is not there yet; consent, which needs the mail
fails by:   nothing
standard:   DESIGN §4 Refusing; S-22
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.organisation import Classify, Client, Organisation
from gateway.decision import Action, Basis, Classification, Decision, RuleTried, Stream, Variant
from gateway.facts import Facts
from gateway.policy.blocks import any_block
from gateway.policy.case import Case, Finding
from gateway.policy.circumstances import ORDINARY


def blocked_everywhere(organisation: Organisation, client: Client, facts: Facts) -> Decision | None:
    """A refusal when every stream that this client can send is blocked for this person, else None.

    Only blocks count, never a missing consent: that is for the mail itself to answer. A block of one list counts only
    where an entry sends nothing but that list.
    """
    if not facts.blocks:
        return None
    first: Finding | None = None
    for case in _cases(organisation, client, facts):
        found = any_block(case)
        if found is None:
            return None
        first = first or found
    return _refusal(organisation, facts, first) if first else None


def blocked_streams(organisation: Organisation, client: Client, facts: Facts) -> dict[Stream, Finding | None]:
    """Each stream that this client can send, with the first block that stops it for this person; None: nothing does.

    A stream is stopped when every entry and basis that it can be sent by is.
    """
    found: dict[Stream, Finding | None] = {}
    for case in _cases(organisation, client, facts):
        stream, stopped = case.classification.stream, any_block(case)
        found[stream] = None if stopped is None else found.get(stream, stopped)
    return found


def _cases(organisation: Organisation, client: Client, facts: Facts) -> Iterator[Case]:
    for entry in organisation.classify:
        rule = organisation.streams.get(entry.stream)
        if entry.when.client not in (None, client.name) or rule is None or entry.stream is Stream.UNCLASSIFIED:
            continue
        bases: tuple[Basis | None, ...] = (entry.basis,) if entry.basis else rule.basis or (None,)
        for basis in bases:
            mail = _classification(organisation, client, entry, basis)
            yield Case(organisation, rule, mail, facts, now=0, around=ORDINARY)  # no block looks at either


def _classification(organisation: Organisation, client: Client, entry: Classify, basis: Basis | None) -> Classification:
    return Classification(
        stream=entry.stream,
        entry=entry.name,
        basis=basis,
        source=organisation.source_ids.get(client.source or "", 0),
        list=organisation.list_ids.get(entry.list or "", 0),
        topic=organisation.topic_ids.get(entry.topic or "", 0),
    )


def _refusal(organisation: Organisation, facts: Facts, found: Finding) -> Decision:
    return Decision(
        action=found.action or Action.REFUSE,
        rule=found.rule,
        fact=found.fact,
        variant=Variant(facts.language or organisation.language),
        tried=(RuleTried(found.rule, True, found.fact),),
        reply=found.reply,
    )
