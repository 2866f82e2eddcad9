"""The truth table of the decision: stream by stream, state by state, as a page.

what:       `docs/decisions.md`, made by asking `decide` itself
takes→gives: organisations → Markdown text; `python -m gateway.policy.table FOLDER` prints it
knows not:  mail, people, storage
fails by:   `SettingsError` of the settings it reads
standard:   rows S-15..S-23, S-45, S-46, S-58..S-63; D-01, D-09
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.config.organisation import SCOPE_KINDS, Organisation
from gateway.decision import Action, Classification, Decision, Stream
from gateway.facts import Block, BlockKind, Consent, Facts, Purchase, Purpose, Scope, ScopeKind
from gateway.policy.case import EXEMPT
from gateway.policy.circumstances import ORDINARY
from gateway.policy.decide import decide

NOW = 1_767_225_600  # 1 January 2026; no cell depends on it but the two-year term
_DAY = 86_400
_REFERENCE = "R-1"
_EVERYTHING = Scope(ScopeKind.EVERYTHING)

_HEAD = """# Decisions

Made by `python -m gateway.policy.table config`; a test compares this page with what the code decides.

Each cell is what happens to a mail of that stream for a person in that state, and the rule that decided.
"Agreed" means: everything this stream asks for is there (consent, request, enrolment or purchase, and the marks).
Each later row starts from "agreed" and adds what it names. "–" means: this stream has no such thing.

The rules are tried in this order, and the first that stops the mail decides: postmaster (the organisation's own is
always reached), unclassified, erasure, restriction, complaint, bounce, manual, opt-out, offer, minor, sensitive, what
the stream needs in the order of its settings, soft-opt-in, segment. Whether individual links stay ("tracked") is asked
last and never stops a mail. No block stops the streams {exempt}: the person asked for that mail.

Marketing is mail that carries an offer, or rests on soft opt-in, or rests on consent and has a link that stops it. An
objection to marketing stops all of it, whatever `blocked_by` says, and a minor gets none without the guardian.
"""


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question: a mail of one stream, and what is known of the person who agreed to it."""

    organisation: Organisation
    mail: Classification
    agreed: Facts
    queued: bool = False


_State = Callable[[_Ask], _Ask | None]


def page(organisations: Iterable[Organisation]) -> str:
    """The whole page."""
    exempt = " and ".join(f"`{stream}`" for stream in sorted(EXEMPT))
    return "\n".join([_HEAD.format(exempt=exempt), *(_section(organisation) for organisation in organisations)])


def _section(organisation: Organisation) -> str:
    streams = [s for s in Stream if s in organisation.streams and s is not Stream.UNCLASSIFIED]
    asks = [_ask(organisation, stream) for stream in streams]
    rows = [["person", *(str(s) for s in streams)], ["---"] * (len(streams) + 1)]
    rows += [[words, *(_cell(state(ask)) for ask in asks)] for words, state in STATES.items()]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"## {organisation.name}\n\n{lines}\n"


def _cell(ask: _Ask | None) -> str:
    if ask is None:
        return "–"
    made = decide(ask.organisation, ask.mail, ask.agreed, now=NOW, around=ORDINARY, queued=ask.queued)
    return f"{_word(made)}: {made.rule}"


def _word(made: Decision) -> str:
    if made.action is Action.DELIVER:
        return "deliver, tracked" if made.variant.tracking else "deliver"
    return str(made.action)


def _ask(organisation: Organisation, stream: Stream) -> _Ask:
    """A mail that carries every mark its stream asks for, and a person who agreed to all of it."""
    rule = organisation.streams[stream]
    mail = Classification(
        stream=stream,
        basis=next(iter(rule.basis), None),
        source=_source(organisation, stream),
        list=_first(organisation.list_ids) if "list-consent" in rule.needs else 0,
        topic=_first(organisation.topic_ids) if "topic-request" in rule.needs else 0,
        category=_first(organisation.category_ids) if "soft-opt-in" in rule.needs else 0,
        offer="similar" if "soft-opt-in" in rule.needs else "",
        reference=_REFERENCE,
        ready=True,
    )
    return _Ask(organisation, mail, _agreed(mail))


def _agreed(mail: Classification) -> Facts:
    scopes = [
        Scope(ScopeKind.LIST, mail.list),
        Scope(ScopeKind.TOPIC, mail.topic),
        Scope(ScopeKind.PURPOSE, Purpose.RESEARCH),
    ]
    return Facts(
        consents=tuple(Consent(s, NOW - 30 * _DAY, n) for n, s in enumerate(scopes, 1) if s.id),
        enrolments=frozenset({_REFERENCE}),
        purchases=(Purchase(mail.category, False, NOW - 30 * _DAY),),
        known=True,
    )


def _source(organisation: Organisation, stream: Stream) -> int:
    """The source database of the first client that may send this stream."""
    for entry in organisation.classify:
        client = organisation.by_client.get(entry.when.client or "")
        if entry.stream is stream and client and client.source:
            return organisation.source_ids.get(client.source, 0)
    return 0


def _first(ids: Mapping[str, int]) -> int:
    return next(iter(ids.values()), 0)


def _nobody(ask: _Ask) -> _Ask:
    return replace(ask, agreed=Facts())


def _same(ask: _Ask) -> _Ask:
    return ask


def _tracking(ask: _Ask) -> _Ask:
    consent = Consent(Scope(ScopeKind.PURPOSE, Purpose.TRACKING), NOW, 90)
    return replace(ask, agreed=replace(ask.agreed, consents=(*ask.agreed.consents, consent)))


def _link(ask: _Ask) -> _Ask | None:
    """The person used the opt-out link of this very mail."""
    name = ask.organisation.streams[ask.mail.stream].opt_out.scope
    if name is None:
        return None
    kind = SCOPE_KINDS[name]
    ids = {
        ScopeKind.SOURCE: ask.mail.source,
        ScopeKind.LIST: ask.mail.list,
        ScopeKind.TOPIC: ask.mail.topic,
        ScopeKind.CATEGORY: ask.mail.category,
    }
    return _with(ask, BlockKind.OPT_OUT, Scope(kind, ids.get(kind, 0)))


def _source_opt_out(ask: _Ask) -> _Ask | None:
    return _with(ask, BlockKind.OPT_OUT, Scope(ScopeKind.SOURCE, ask.mail.source)) if ask.mail.source else None


def _other_list(ask: _Ask) -> _Ask | None:
    if not ask.mail.list:
        return None
    return _with(ask, BlockKind.WITHDRAWAL, Scope(ScopeKind.LIST, max(ask.organisation.list_ids.values()) + 1))


def _marketing_objection(ask: _Ask) -> _Ask:
    return _with(ask, BlockKind.OBJECTION, Scope(ScopeKind.MARKETING))


def _tracking_objection(ask: _Ask) -> _Ask:
    return _with(_tracking(ask), BlockKind.WITHDRAWAL, Scope(ScopeKind.PURPOSE, Purpose.TRACKING))


def _complaint(ask: _Ask) -> _Ask:
    return _with(ask, BlockKind.COMPLAINT, Scope(ScopeKind.MARKETING))


def _bounce(ask: _Ask) -> _Ask:
    return _with(ask, BlockKind.BOUNCE, _EVERYTHING)


def _restriction(ask: _Ask) -> _Ask:
    return _with(ask, BlockKind.RESTRICTION, _EVERYTHING)


def _restriction_queued(ask: _Ask) -> _Ask:
    return replace(_restriction(ask), queued=True)


def _erasure(ask: _Ask) -> _Ask:
    return _with(ask, BlockKind.ERASURE, _EVERYTHING)


def _minor(ask: _Ask) -> _Ask:
    return replace(ask, agreed=replace(ask.agreed, minor=True))


def _offer(ask: _Ask) -> _Ask:
    """The same mail with an offer nobody bought anything like."""
    unknown = max(ask.organisation.category_ids.values(), default=0) + 1
    return replace(ask, mail=replace(ask.mail, offer="related", category=unknown))


def _with(ask: _Ask, kind: BlockKind, scope: Scope) -> _Ask:
    return replace(ask, agreed=replace(ask.agreed, blocks=(Block(kind, scope, NOW, 99),)))


STATES: Mapping[str, _State] = {
    "nobody (not in the registry)": _nobody,
    "agreed": _same,
    "agreed, tracking too": _tracking,
    "tracking taken back": _tracking_objection,
    "opted out by this mail's link": _link,
    "opted out of everything from this source": _source_opt_out,
    "withdrew from another list": _other_list,
    "objected to all marketing": _marketing_objection,
    "complained (marketing)": _complaint,
    "address bounced": _bounce,
    "restricted, new mail": _restriction,
    "restricted, mail already queued": _restriction_queued,
    "erased": _erasure,
    "minor, no guardian": _minor,
    "agreed, but the mail carries an unrelated offer": _offer,
}


def main(folder: Path) -> int:
    """Print the page for the organisations of `folder`/gateway.yaml."""
    from gateway.config.load import load  # settings are read only when asked to print

    sys.stdout.write(page(load(folder / "gateway.yaml").organisations))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "config")))
