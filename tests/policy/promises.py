"""What both policies promise about who gets which mail, written down without the program that keeps it.

Two organisations, their streams, and for each: on which basis it may rest, which scopes of a block stop it, what must
be known of the person, what the mail may not say. `expected` gives what must come out, and the rule that says so.
"""

from __future__ import annotations

from dataclasses import dataclass

GO = "deliver"
ASKED_FOR = frozenset({"rights", "confirmation"})  # no block stops what the person asked for (S-23)
PAREL, REZULTO = "kleine-parel", "rezulto"


@dataclass(frozen=True)
class Promise:
    """One stream of one organisation on one basis. `enough`: each of these facts is, None: nothing is asked for."""

    stops: frozenset[str]
    ground: str = "basis"
    enough: frozenset[str] | None = None
    link: bool = False
    offers: bool = True
    marketing: bool = False


def promise(stops: str, ground: str = "basis", enough: str = "", **more: bool) -> Promise:
    return Promise(frozenset(stops.split()), ground, frozenset(enough.split("|")) if enough else None, **more)


PLAIN = {"offers": False}
SOLD = {"link": True, "marketing": True}
NOTHING_BUT = "everything"
PROMISES: dict[str, dict[tuple[str, str], Promise]] = {
    PAREL: {
        # S-18, S-22: one opt-out stops everything from the database
        ("newsletter", "consent"): promise("everything marketing source list", "list-consent", "consent to this list",
                                           **SOLD),
        # S-08, S-19
        ("notification", "consent"): promise("everything marketing source topic", "topic-request",
                                             "consent to this topic|asked about this topic", **SOLD),
        # S-20, S-22
        ("participation", "contract"): promise("everything source", "enrolment", "takes part in this", link=True),
        # S-37
        ("policy_change", "legal"): promise("everything source", link=True, offers=False),
        # S-15, S-23
        ("webshop", "contract"): promise(NOTHING_BUT, **PLAIN),
        ("rights", "legal"): promise("", **PLAIN),
        ("confirmation", "legitimate_interest"): promise("", **PLAIN),
        ("personal", "legitimate_interest"): promise(NOTHING_BUT),
    },
    REZULTO: {
        # S-45, S-58, S-60
        ("newsletter", "consent"): promise("everything marketing list", "list-consent", "consent to this list", **SOLD),
        # S-49, S-50, L-28, L-30
        ("notification", "soft_opt_in"): promise("everything marketing category offers", "soft-opt-in",
                                                 "bought something similar|subscription runs", **SOLD),
        # S-44
        ("notification", "consent"): promise("everything marketing category offers", "soft-opt-in",
                                             "consent to offers", **SOLD),
        # S-43, S-61
        ("informational", "contract"): promise(NOTHING_BUT, "reference", **PLAIN),
        ("webshop", "contract"): promise(NOTHING_BUT, "reference", **PLAIN),
        # S-48
        ("research", "consent"): promise("everything research", "research-consent", "consent to research", **PLAIN),
        ("rights", "legal"): promise("", **PLAIN),
        ("confirmation", "legitimate_interest"): promise("", **PLAIN),
        ("personal", "legitimate_interest"): promise(NOTHING_BUT),
    },
}  # fmt: skip

# The first of these that a person has is the one that stops the mail.
REASONS = ("erasure", "restriction", "complaint", "bounce", "manual", "opt-out", "withdrawal", "objection")
ANY_SCOPE = frozenset({"erasure", "restriction"})  # these reach everything, whatever scope the row says
CHOSEN = frozenset({"opt-out", "withdrawal", "objection"})
MINORS = {"all of it, a minor": False, "all of it, a minor whose guardian agreed": True}


def blocks(stream: str, rule: Promise, reason: str, scope: str) -> bool:
    return stream not in ASKED_FOR and (reason in ANY_SCOPE or scope in rule.stops)


def blocked(reason: str, *, queued: bool) -> tuple[str, str]:
    """S-63: what is queued waits until a restriction is lifted."""
    if reason == "restriction":
        return ("hold" if queued else "refuse"), reason
    return "refuse", "opt-out" if reason in CHOSEN else reason


def known(stream: str, basis: str, rule: Promise, state: str, *, queued: bool = False) -> tuple[str, str]:
    """Without any block, and only this known of the person."""
    if state in MINORS:
        minds = rule.marketing or (basis == "consent" and stream not in ASKED_FOR)
        return ("refuse", "minor") if minds and not MINORS[state] else (GO, rule.ground)
    if stream == "policy_change":  # S-37: once
        return ("refuse", "once") if state == "told of this version" and not queued else (GO, rule.ground)
    if rule.enough is None or state == "all of it" or state in rule.enough:
        return GO, rule.ground
    return "refuse", rule.ground


def expected(
    organisation: str, stream: str, basis: str, state: str, reason: str = "", scope: str = "", *, queued: bool = False
) -> tuple[str, str]:
    rule = PROMISES[organisation].get((stream, basis))
    if rule is None:
        return "refuse", "pair"  # S-41
    if reason and blocks(stream, rule, reason, scope):
        return blocked(reason, queued=queued)
    return known(stream, basis, rule, state, queued=queued)


def said(organisation: str, stream: str, basis: str, words: str) -> tuple[str, str]:
    """All is known, and the mail says this as well."""
    rule = PROMISES[organisation].get((stream, basis))
    if rule is None:
        return "refuse", "pair"
    go = (GO, rule.ground)
    asks = rule.enough is not None
    held = {"publication": ("hold", "publication"), "share": ("hold", "share"), "sensitive": ("hold", "sensitive")}
    if words.startswith("an offer") and not rule.offers:
        return "refuse", "offer"  # S-15, S-61
    if words.startswith("a segment"):
        return "refuse", "segment" if rule.offers else "offer"  # S-42
    if words == "data for a third party of another order" and stream == "participation":
        return "refuse", "enrolment"  # the one who gets it takes part in something else
    if words.startswith("observed, offers declined"):
        return ("refuse", "soft-opt-in") if basis == "soft_opt_in" else ((GO, "observed") if asks else go)
    minds = rule.marketing or basis == "consent"
    related = (GO, "soft-opt-in") if rule.ground == "basis" else go
    related = related if organisation == PAREL else ("refuse", "soft-opt-in")
    table = {
        "an offer related to nothing the person bought": ("refuse", "soft-opt-in"),  # S-20
        "an offer related to what the person bought five years ago": related,  # D-07
        "sensitive, no reference": held["sensitive"],
        "sensitive, to a minor whose guardian agreed": held["sensitive"],  # S-07
        "not ready": ("refuse", "ready") if (organisation, stream) == (PAREL, "notification") else go,  # S-19
        "nothing about being ready": ("refuse", "ready") if (organisation, stream) == (PAREL, "notification") else go,
        "answers traceable, no consent to that": ("refuse", "research-consent") if stream == "research" else go,  # S-48
        "a photo with consent": go,  # S-09
        "a photo whose consent was withdrawn": held["publication"],
        "a photo of somebody unnamed": held["publication"],
        "a photo of somebody unnamed, released by an operator": go,
        "data for the third party of the order": go,  # S-13, S-53
        "data for a third party, and a stranger among the recipients": held["share"],
        "data for a third party about nobody known": held["share"],
        "data for a third party of another order": held["share"],
        "data for a third party about a restricted person": held["share"],
        "while the opt-out does not work": ("hold", "probe") if rule.link else go,  # L-31
        "observed, nothing known": (GO, "observed") if asks else go,
        "no longer observed, nothing known": ("hold", rule.ground) if asks else go,
        "observed, a mark missing": (GO, "observed"),
        "observed, opted out of everything": go if stream in ASKED_FOR else ("refuse", "opt-out"),
        "observed, a minor without guardian": ("refuse", "minor") if minds else go,
    }  # fmt: skip
    return table[words]
