"""Mails and people for the tables of decisions: each is one situation with a name that a privacy officer can read.

what:       a mail of a stream with all its marks, what may be known of a person, what blocks, what counts beside
takes→gives: settings, stream, basis → `Scene`; names → changed scenes
knows not:  what is decided about any of it
fails by:   nothing
standard:   the words of REQUIREMENTS: reason, scope, stream, basis
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.config.organisation import Organisation
from gateway.decision import Basis, Classification, Stream
from gateway.facts import Block, BlockKind, Consent, Facts, Purchase, Purpose, Scope, ScopeKind, Subscription
from gateway.policy.circumstances import ORDINARY, Circumstances, Observed

NOW = 1_767_225_600  # 1 January 2026; no cell depends on it but the term of offers
_DAY = 86_400
_MONTH_AGO, _LONG_AGO = NOW - 30 * _DAY, NOW - 5 * 366 * _DAY
REFERENCE, OTHER_REFERENCE, PHOTO = "R-1", "R-2", "P-1"


@dataclass(frozen=True, slots=True)
class Scene:
    """One question: this mail to a person of whom this is known, with this beside it."""

    organisation: Organisation
    mail: Classification
    person: Facts = Facts()  # noqa: RUF009 a frozen value
    around: Circumstances = field(default=ORDINARY)

    def but(self, **marks: object) -> Scene:
        """The same with other marks."""
        return replace(self, mail=replace(self.mail, **marks))  # type: ignore[arg-type]

    def knowing(self, **facts: object) -> Scene:
        """The same with these facts instead of those there were."""
        return replace(self, person=replace(self.person, known=True, **facts))  # type: ignore[arg-type]


def scene(organisation: Organisation, stream: Stream, basis: Basis | None = None) -> Scene:
    """A mail with every mark that its stream asks for, to a person of whom nothing is known."""
    rule = organisation.streams[stream]
    offer = "soft-opt-in" in rule.needs
    mail = Classification(
        stream=stream,
        entry=next((e.name for e in organisation.classify if e.stream is stream), ""),
        basis=basis or next(iter(rule.basis), None),
        source=source_of(organisation, stream),
        list=first(organisation.list_ids) if "list-consent" in rule.needs else 0,
        topic=first(organisation.topic_ids) if "topic-request" in rule.needs else 0,
        category=first(organisation.category_ids) if offer else 0,
        offer="similar" if offer else "",
        reference=REFERENCE,
        ready=True,
    )
    return Scene(organisation, mail)


def agreed(asked: Scene) -> Scene:
    """The same to a person of whom everything is known that the mail could ask for."""
    mail = asked.mail
    scopes = [
        Scope(ScopeKind.LIST, mail.list),
        Scope(ScopeKind.TOPIC, mail.topic),
        Scope(ScopeKind.PURPOSE, Purpose.RESEARCH),
        Scope(ScopeKind.PURPOSE, Purpose.OFFERS),
    ]
    bought = Purchase(mail.category, False, _MONTH_AGO)
    return asked.knowing(consents=given(scopes), enrolments=frozenset({REFERENCE}), purchases=(bought,))


def blocked(asked: Scene, kind: BlockKind, scope: Scope) -> Scene:
    """The same to a person with one more block in force."""
    return asked.knowing(blocks=(*asked.person.blocks, Block(kind, scope, NOW - _DAY, 99)))


def given(scopes: Iterable[Scope]) -> tuple[Consent, ...]:
    """Consents to those of these scopes that name something."""
    return tuple(Consent(scope, _MONTH_AGO, number) for number, scope in enumerate(scopes, 1) if scope.id)


def source_of(organisation: Organisation, stream: Stream) -> int:
    """The source database of the first client that may send this stream, or 0."""
    for entry in organisation.classify:
        client = organisation.by_client.get(entry.when.client or "")
        if entry.stream is stream and client and client.source:
            return organisation.source_ids.get(client.source, 0)
    return 0


def first(ids: Mapping[str, int]) -> int:
    return next(iter(ids.values()), 0)


def scopes(asked: Scene) -> dict[str, Scope]:
    """Every scope by a name: of this mail (or else the organisation's first), and another one of the same kind."""
    mail, settings = asked.mail, asked.organisation
    found = {"everything": Scope(ScopeKind.EVERYTHING), "marketing": Scope(ScopeKind.MARKETING)}
    kinds = (
        ("source", ScopeKind.SOURCE, mail.source, settings.source_ids),
        ("list", ScopeKind.LIST, mail.list, settings.list_ids),
        ("topic", ScopeKind.TOPIC, mail.topic, settings.topic_ids),
        ("category", ScopeKind.CATEGORY, mail.category, settings.category_ids),
    )
    for name, kind, own, ids in kinds:
        found[name] = Scope(kind, own or first(ids) or 1)
        found[f"other {name}"] = Scope(kind, max(ids.values(), default=1) + 1)
    return found | {purpose.name.lower(): Scope(ScopeKind.PURPOSE, purpose) for purpose in Purpose}


def _consented(kind: ScopeKind, number: int) -> Callable[[Scene], Scene]:
    return lambda s: s.knowing(consents=given([Scope(kind, number)]))


def _bought(at: int, *, declined: bool = False) -> Callable[[Scene], Scene]:
    return lambda s: s.knowing(purchases=(Purchase(s.mail.category, declined, at),))


def _subscribed(*, free: bool) -> Callable[[Scene], Scene]:
    return lambda s: s.knowing(subscriptions=(Subscription(s.mail.category, None, free),))


KNOWN: Mapping[str, Callable[[Scene], Scene]] = {
    "nothing": lambda s: s,
    "consent to this list": lambda s: _consented(ScopeKind.LIST, s.mail.list)(s),
    "consent to another list": lambda s: _consented(ScopeKind.LIST, s.mail.list + 1)(s),
    "consent to this topic": lambda s: _consented(ScopeKind.TOPIC, s.mail.topic)(s),
    "asked about this topic": lambda s: s.knowing(requests=frozenset({s.mail.topic} - {0})),
    "asked about another topic": lambda s: s.knowing(requests=frozenset({s.mail.topic + 1})),
    "takes part in this": lambda s: s.knowing(enrolments=frozenset({REFERENCE})),
    "takes part in something else": lambda s: s.knowing(enrolments=frozenset({OTHER_REFERENCE})),
    "bought something similar": _bought(_MONTH_AGO),
    "bought something similar, offers declined": _bought(_MONTH_AGO, declined=True),
    "bought something similar five years ago": _bought(_LONG_AGO),
    "bought something else": lambda s: s.knowing(purchases=(Purchase(s.mail.category + 1, False, _MONTH_AGO),)),
    "subscription runs": _subscribed(free=False),
    "free subscription runs": _subscribed(free=True),
    "consent to offers": _consented(ScopeKind.PURPOSE, Purpose.OFFERS),
    "consent to research": _consented(ScopeKind.PURPOSE, Purpose.RESEARCH),
    "came by a contest or account": lambda s: s.knowing(origins=frozenset({"contest", "account", "service"})),
    "told of this version": lambda s: s.knowing(announced=frozenset({REFERENCE})),
    "all of it": agreed,
    "all of it, a minor": lambda s: agreed(s).knowing(minor=True),
    "all of it, a minor whose guardian agreed": lambda s: agreed(s).knowing(minor=True, guardian_consent=True),
}
"""What the registry may know about the person, without any block."""


def _third_party(s: Scene, **changes: object) -> Scene:
    """A mail that gives somebody's data to the third party of that person's order."""
    name = next(iter(s.organisation.by_third_party), "nobody")
    about = Facts(third_parties=frozenset({(REFERENCE, name)}), known=True)
    shared = agreed(s).but(shared_with=name, about="C-1")
    return _around(shared, **{"about": about, **changes})


def _around(s: Scene, **changes: object) -> Scene:
    return replace(s, around=replace(s.around, **changes))  # type: ignore[arg-type]


def _unrelated(s: Scene) -> Scene:
    category = max(s.organisation.category_ids.values(), default=0) + 1
    return agreed(s).but(offer="related", category=category)


def _bought_long_ago(s: Scene) -> Scene:
    category = first(s.organisation.category_ids)
    offered = agreed(s).but(offer="related", category=category)
    return offered.knowing(purchases=(Purchase(category, False, _LONG_AGO),))


SAID: Mapping[str, Callable[[Scene], Scene]] = {
    "an offer related to nothing the person bought": _unrelated,
    "an offer related to what the person bought five years ago": _bought_long_ago,
    "a segment, no consent to profiling": lambda s: agreed(s).but(segment="S-1"),
    "sensitive, no reference": lambda s: agreed(s).but(sensitive=True, reference=""),
    "sensitive, to a minor whose guardian agreed": lambda s: (
        agreed(s).but(sensitive=True).knowing(minor=True, guardian_consent=True)
    ),
    "not ready": lambda s: agreed(s).but(ready=False),
    "nothing about being ready": lambda s: agreed(s).but(ready=None),
    "answers traceable, no consent to that": lambda s: agreed(s).but(identified=True),
    "a photo with consent": lambda s: _around(agreed(s).but(publication=PHOTO), published=frozenset({PHOTO})),
    "a photo whose consent was withdrawn": lambda s: agreed(s).but(publication=PHOTO),
    "a photo of somebody unnamed": lambda s: agreed(s).but(publication="yes"),
    "a photo of somebody unnamed, released by an operator": lambda s: _around(
        agreed(s).but(publication="yes"), released=True
    ),
    "data for the third party of the order": _third_party,
    "data for a third party, and a stranger among the recipients": lambda s: _third_party(s, strangers=1),
    "data for a third party about nobody known": lambda s: _third_party(s, about=None),
    "data for a third party of another order": lambda s: _third_party(s).but(reference=OTHER_REFERENCE),
    "data for a third party about a restricted person": lambda s: _third_party(
        s, about=Facts(blocks=(Block(BlockKind.RESTRICTION, Scope(ScopeKind.EVERYTHING), NOW, 1),))
    ),
    "while the opt-out does not work": lambda s: _around(agreed(s), opt_out_works=False),
    "observed, nothing known": lambda s: _around(s, observed=Observed.NOW),
    "no longer observed, nothing known": lambda s: _around(s, observed=Observed.OVER),
    "observed, a mark missing": lambda s: _around(agreed(s).but(lacks="a mark is missing"), observed=Observed.NOW),
    "observed, opted out of everything": lambda s: _around(
        blocked(agreed(s), BlockKind.OPT_OUT, Scope(ScopeKind.EVERYTHING)), observed=Observed.NOW
    ),
    "observed, a minor without guardian": lambda s: _around(agreed(s).knowing(minor=True), observed=Observed.NOW),
    "observed, offers declined": lambda s: _around(_bought(_MONTH_AGO, declined=True)(s), observed=Observed.NOW),
}
"""What the mail may say beside its stream, and what may count beside the person."""
