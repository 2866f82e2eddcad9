"""How old the published policy is that the rules enforce, and whether it is dated in the future.

takes→gives: `Controller`, a day → days, words of warning
knows not:  the clock, the page on which the policy stands
fails by:   nothing
standard:   S-38, S-69
"""

from __future__ import annotations

from datetime import date

from gateway.config.organisation import Controller


def age(controller: Controller, today: date) -> int:
    """Days since the date of the stored policy; negative when that is still to come."""
    return (today - controller.policy_date).days


def warning(controller: Controller, today: date) -> str:
    """Empty, or what is odd about the date."""
    days = age(controller, today)
    if days >= 0:
        return ""
    return f"policy_date {controller.policy_date.isoformat()} is {-days} days in the future, and acted on already"
