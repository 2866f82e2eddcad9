"""What an organisation needs to know about one person of its own list: blocks, and which streams may be sent.

what:       columns of `briefgeheim registry match`
takes→gives: facts → one cell per column
knows not:  who it is, files
fails by:   nothing
standard:   S-22 (staff can phone), S-37 (another channel), S-07, S-31, S-63
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from gateway.config.organisation import Classify, Organisation, StreamRule
from gateway.decision import Action, Basis, Classification, Decision, Stream
from gateway.facts import BlockKind, Facts, Scope, ScopeKind
from gateway.policy.circumstances import ORDINARY
from gateway.policy.decide import decide
from gateway.registry.scopes import scope_text

_ASKED_FOR = frozenset({Stream.RIGHTS, Stream.CONFIRMATION, Stream.UNCLASSIFIED})
_SCOPE = re.compile(r"\b(list|topic|category|source|purpose):(\d+)\b")
# Blocks of a person who can still be told by letter or phone; the others are not to be approached at all.
_ELSEWHERE = frozenset(BlockKind) - {BlockKind.ERASURE, BlockKind.RESTRICTION}
PERSON = ("erased", "restricted", "minor", "pending_return", "other_channel", "blocks")


class Flags:
    """Of one organisation, at one moment (Unix seconds)."""

    def __init__(self, organisation: Organisation, now: int) -> None:
        self._organisation = organisation
        self._now = now
        self._mails = {stream: _mails(organisation, stream) for stream in self.streams}
        self._cells = lru_cache(maxsize=4096)(self._found)  # a list is mostly people of whom the same is known

    @property
    def streams(self) -> list[Stream]:
        """Streams that an opt-out or a missing consent can stop."""
        return [s for s in Stream if s in self._organisation.streams and s not in _ASKED_FOR]

    @property
    def columns(self) -> list[str]:
        return [*PERSON, *(str(stream) for stream in self.streams)]

    def cells(self, facts: Facts, *, pending: bool) -> list[str]:
        """One text per column; empty where there is nothing to say. `pending`: a return waits for an operator."""
        return self._cells(facts, pending)

    def _found(self, facts: Facts, pending: bool) -> list[str]:
        kinds = {block.kind for block in facts.blocks}
        decisions = {stream: self._decisions(stream, facts) for stream in self.streams}
        return [
            "delete from your database" if BlockKind.ERASURE in kinds else "",
            "yes" if BlockKind.RESTRICTION in kinds else "",
            ("guardian agreed" if facts.guardian_consent else "yes") if facts.minor else "",
            "yes" if pending else "",
            "call or letter" if self._elsewhere(kinds, decisions.get(Stream.POLICY_CHANGE)) else "",
            "; ".join(f"{block.kind} {scope_text(block.scope, self._organisation)}" for block in facts.blocks),
            *(self._verdict(found) for found in decisions.values()),
        ]

    def _decisions(self, stream: Stream, facts: Facts) -> list[tuple[Classification, Decision]]:
        reference = next(iter(sorted(facts.enrolments | facts.contracts)), "-")
        mails = [replace(mail, reference=reference) for mail in self._mails[stream]]
        return [(m, decide(self._organisation, m, facts, now=self._now, around=ORDINARY)) for m in mails]

    def _elsewhere(self, kinds: set[BlockKind], found: list[tuple[Classification, Decision]] | None) -> bool:
        """A change of policy must reach them, and mail does not (S-37)."""
        stopped = found is not None and all(made.action is not Action.DELIVER for _, made in found)
        return stopped and bool(kinds & _ELSEWHERE) and kinds <= _ELSEWHERE

    def _verdict(self, found: list[tuple[Classification, Decision]]) -> str:
        if not found:
            return "no: no client sends it"
        sent = [mail for mail, made in found if made.action is Action.DELIVER]
        if not sent:
            made = found[0][1]
            return f"no: {made.rule}: {self._named(made.fact)}"
        parts = list(dict.fromkeys(filter(None, (self._part(mail) for mail in sent))))
        return f"yes: {', '.join(parts)}" if parts else "yes"

    def _part(self, mail: Classification) -> str:
        """Which list, topic or category the mail is of."""
        ids = ((ScopeKind.LIST, mail.list), (ScopeKind.TOPIC, mail.topic), (ScopeKind.CATEGORY, mail.category))
        return " ".join(scope_text(Scope(kind, number), self._organisation) for kind, number in ids if number)

    def _named(self, fact: str) -> str:
        """With names from the settings in place of numbers."""

        def name(found: re.Match[str]) -> str:
            return scope_text(Scope(ScopeKind[found[1].upper()], int(found[2])), self._organisation)

        return _SCOPE.sub(name, fact)


def _mails(organisation: Organisation, stream: Stream) -> list[Classification]:
    """Every kind of mail this stream can be, with all the marks that it needs."""
    rule = organisation.streams[stream]
    made = (m for e in organisation.classify if e.stream is stream for m in _of_entry(organisation, rule, e))
    return list(dict.fromkeys(made))


def _of_entry(organisation: Organisation, rule: StreamRule, entry: Classify) -> Iterator[Classification]:
    client = organisation.by_client.get(entry.when.client or "")
    source = organisation.source_ids.get(client.source or "", 0) if client else 0
    bases: tuple[Basis | None, ...] = (entry.basis,) if entry.basis else rule.basis or (None,)
    lists = _ids(organisation.list_ids, entry.list, "list-consent" in rule.needs)
    topics = _ids(organisation.topic_ids, entry.topic, "topic-request" in rule.needs)
    for basis in bases:
        offered = "soft-opt-in" in rule.needs and basis is Basis.SOFT_OPT_IN
        for category in _ids(organisation.category_ids, None, offered):
            for list_ in lists:
                for topic in topics:
                    yield Classification(
                        stream=entry.stream,
                        entry=entry.name,
                        basis=basis,
                        source=source,
                        list=list_,
                        topic=topic,
                        category=category,
                        offer="similar" if category else "",
                        ready=True,
                    )


def _ids(names: dict[str, int], named: str | None, needed: bool) -> list[int]:
    if named:
        return [names.get(named, 0)]
    return list(names.values()) or [0] if needed else [0]
