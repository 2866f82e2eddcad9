"""What is held back although the person may be mailed: somebody else's consent is missing, or the opt-out is broken.

what:       publication of experiences and photos; the pause while the opt-out does not work
takes→gives: `Case` → `Finding`
knows not:  what is published, how the opt-out is probed
fails by:   nothing
standard:   S-09; L-31
"""

from __future__ import annotations

from gateway.policy.case import Case, Finding, holds_back, passes
from gateway.policy.circumstances import publication_ids

BROKEN = "the opt-out does not work"
UNNAMED = "yes"  # value of Briefgeheim-Publication that says "somebody is shown" without saying who agreed


def publication(case: Case) -> Finding:
    """An experience or a photo goes out with the consent of each person in it, or by an operator (S-09)."""
    named = publication_ids(case.classification)
    if not named:
        return passes("publication", "shows nobody's experience or photo")
    if case.around.released:
        return passes("publication", "released by an operator")
    if UNNAMED in named:
        return holds_back("publication", "id of the publication consent missing")
    if absent := sorted(named - case.around.published):
        return holds_back("publication", f"publication consent {absent[0]} is not in force")
    return passes("publication", f"publication consent {', '.join(sorted(named))}")


def probe(case: Case) -> Finding:
    """Mail that promises a link waits while the link does not work (L-31)."""
    if case.rule.opt_out.scope is None:
        return passes("probe", "carries no opt-out link")
    if case.around.opt_out_works:
        return passes("probe", "the opt-out works")
    return holds_back("probe", BROKEN)
