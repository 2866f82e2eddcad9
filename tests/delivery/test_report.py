"""Who hears what: the tables of RFC 3461 5.2 (R-015, R-111..R-113)."""

from __future__ import annotations

import pytest

from gateway.delivery.report import ReportAction, relay_notice, wanted

F, D, R = ReportAction.FAILED, ReportAction.DELAYED, ReportAction.RELAYED
TABLE = [
    ((), {F, D}),
    (("NEVER",), set()),
    (("FAILURE",), {F}),
    (("DELAY",), {D}),
    (("SUCCESS",), {R, ReportAction.DELIVERED}),
    (("SUCCESS", "FAILURE", "DELAY"), set(ReportAction)),
]


@pytest.mark.parametrize(("notify", "expected"), TABLE)
def test_what_notify_allows(notify: tuple[str, ...], expected: set[ReportAction]) -> None:
    assert {a for a in ReportAction if wanted(a, notify, null_sender=False)} == expected


@pytest.mark.parametrize("notify", [n for n, _ in TABLE])
def test_the_null_sender_hears_nothing(notify: tuple[str, ...]) -> None:
    assert not any(wanted(a, notify, null_sender=True) for a in ReportAction)


@pytest.mark.parametrize(
    ("notify", "hop_dsn", "split", "owed"),
    [
        (("SUCCESS",), False, False, True),
        (("SUCCESS",), True, False, False),
        (("SUCCESS",), False, True, False),
        (("FAILURE",), False, False, False),
        ((), False, False, False),
        (("NEVER",), False, False, False),
    ],
)
def test_relayed_is_owed_where_the_hop_could_not_take_the_request(
    notify: tuple[str, ...], hop_dsn: bool, split: bool, owed: bool
) -> None:
    assert relay_notice(notify, hop_dsn=hop_dsn, split=split, null_sender=False) is owed
