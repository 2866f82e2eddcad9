"""A first day: what is missing is reported instead of refused, for as long as the stream is observed.

what:       turns the refusal of a missing consent, request, enrolment, reference or mark into a report, or a hold
takes→gives: `Case`, `Finding` → `Finding`
knows not:  which refusals are of something missing: the rules say so (`Finding.missing`)
fails by:   nothing; only what says that it is missing gets through, never a block, a minor or a sensitive mail
standard:   docs/observe-mode.md
"""

from __future__ import annotations

from dataclasses import replace

from gateway.decision import Action
from gateway.policy.case import Case, Finding, passes, refuses
from gateway.policy.circumstances import Observed
from gateway.reply import REFUSED

SAID = "observed: would be refused: "


def marks(case: Case) -> Finding:
    """Every mark that the stream asks for is there."""
    lacks = case.classification.lacks
    return refuses("marks", lacks, REFUSED, missing=True) if lacks else passes("marks", "none missing")


def softened(case: Case, found: Finding) -> Finding:
    """The same finding, unless it refuses for something missing on a stream that is or was observed."""
    if not found.missing or found.action is not Action.REFUSE or case.around.observed is Observed.NO:
        return found
    if case.around.observed is Observed.NOW:
        return Finding(found.rule, f"{SAID}{found.fact}", observed=True)
    return replace(found, fact=f"{found.fact}; the stream is no longer observed", action=Action.HOLD, reply=None)
