"""One row per mail, from however many audit rows there are of it."""

from __future__ import annotations

from gateway.audit.protocol import AuditRow
from gateway.registry.intervals import Ground
from gateway.rights.sendings import sendings
from gateway.rights.tables import Sending

WHO = b"p" * 32


def row(at: float, message: str, what: str, **detail: object) -> AuditRow:
    return AuditRow(at, "school", message, what, WHO, detail)


def read(*rows: AuditRow) -> list[Sending]:
    def grounds(at: float, kinds: frozenset[Ground]) -> str:
        return f"{'/'.join(sorted(kinds))} at {at:g}" if kinds else ""

    return list(
        sendings(rows, lambda stream: {"newsletter": "consent", "webshop": "contract"}.get(stream, ""), grounds)
    )


def test_decision_attempts_and_end_are_one_row_in_the_order_of_the_mails() -> None:
    first, second = read(
        row(
            10, "m1", "accepted", stream="newsletter", rule="list-consent", fact="consent list:1", variant="nl/tracked"
        ),
        row(11, "m2", "refused", stream="webshop", rule="bounce", fact="bounce everything in force"),
        row(12, "m1", "deferred", provider="a"),
        row(13, "m1", "delivered", provider="b"),
    )
    assert (first.message, first.decision, first.rule, first.fact) == (
        "m1", "accepted", "list-consent", "consent list:1",
    )  # fmt: skip
    assert (first.basis, first.in_force) == ("consent", "consent/request at 10")
    assert (first.outcome, first.provider, first.tracked) == ("delivered", "b", "yes")
    assert (first.at, first.outcome_at) == ("1970-01-01T00:00:10Z", "1970-01-01T00:00:13Z")
    assert (second.message, second.outcome, second.in_force) == (
        "m2",
        "refused",
        "contract/enrolment/subscription at 11",
    )


def test_a_basis_that_the_audit_names_counts_before_the_rule_of_the_stream() -> None:
    (found,) = read(row(1, "m", "accepted", stream="newsletter", basis="soft_opt_in"))
    assert (found.basis, found.in_force) == ("soft_opt_in", "purchase/subscription at 1")


def test_what_rests_on_no_fact_says_so_by_saying_nothing() -> None:
    (found,) = read(row(1, "m", "composed", stream="rights"))
    assert (found.basis, found.in_force, found.decision, found.tracked) == ("", "", "composed", "")


def test_a_mail_to_others_that_showed_this_person_is_told_as_that() -> None:
    (own,) = read(row(1, "m", "accepted", stream="personal"), row(1, "m", "shown"))
    (other,) = read(row(1, "m", "shown", stream="personal"))
    assert (own.decision, own.outcome) == ("accepted", "accepted")
    assert (other.decision, other.outcome) == ("shown", "shown")
