"""What a decision needs beside settings, mail and recipient: other people's consents, the gateway's own state.

what:       `Circumstances` (input of `decide`), and which questions a mail asks of the registry for it
takes→gives: settings, client, classification, time → what is in force; the mail's marks → ids to look up
knows not:  how the registry is asked, who the recipients are
fails by:   nothing
standard:   S-09, S-13; L-31; docs/observe-mode.md
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.config.observe_mode import in_force
from gateway.config.organisation import Organisation
from gateway.decision import Classification
from gateway.facts import Facts


class Observed(StrEnum):
    """Whether a missing consent or mark of this mail is only reported."""

    NO = "no"
    NOW = "now"
    OVER = "over"  # it was when the mail came in, and is no longer: held, so that nothing is lost


@dataclass(frozen=True, slots=True)
class Circumstances:
    """`published`: those of the mail's publication ids that are in force. `about`: the person whose data the mail gives
    to a third party, None when that person is not known. `strangers`: recipients who are not of that third party.
    `released`: a named operator looked at what a rule had held for a person to judge.
    """

    opt_out_works: bool
    observed: Observed
    published: frozenset[str] = frozenset()
    about: Facts | None = None
    strangers: int = 0
    released: bool = False


ORDINARY = Circumstances(opt_out_works=True, observed=Observed.NO)
"""Nothing special: the opt-out works, nothing is observed, published or shared."""


def observed(organisation: Organisation, client: str, mail: Classification, now: float, *, before: bool) -> Observed:
    """`before`: whether the stream was observed when the mail came in."""
    if mail.stream in in_force(organisation, client, now):
        return Observed.NOW
    return Observed.OVER if before else Observed.NO


def publication_ids(mail: Classification) -> frozenset[str]:
    """Ids of publication consents that the mail names (S-09)."""
    return frozenset(mail.publication.split(",")) if mail.publication else frozenset()


def asks_about(mail: Classification) -> str:
    """Contact mark of the person whose data goes to a third party by this mail, or "" (S-13)."""
    return mail.about if mail.shared_with else ""
