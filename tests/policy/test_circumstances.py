"""What a decision is told beside the person."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.decision import Classification, Stream
from gateway.policy.circumstances import Observed, asks_about, observed, publication_ids
from tests.house import with_client

RULES = with_client("crm", observe=[{"stream": "newsletter", "until": date(2027, 1, 31)}])
NEWS, PERSONAL = Classification(Stream.NEWSLETTER), Classification(Stream.PERSONAL)
DURING, AFTER = datetime(2027, 1, 31, tzinfo=UTC).timestamp(), datetime(2027, 2, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("client", "mail", "now", "before", "found"),
    [
        ("crm", NEWS, DURING, False, Observed.NOW),
        ("crm", NEWS, DURING, True, Observed.NOW),
        ("crm", NEWS, AFTER, False, Observed.NO),
        ("crm", NEWS, AFTER, True, Observed.OVER),
        ("crm", PERSONAL, DURING, False, Observed.NO),
        ("careful", NEWS, DURING, False, Observed.NO),
        ("gone", NEWS, DURING, True, Observed.OVER),
    ],
)
def test_observed_is_asked_anew_each_time(
    client: str, mail: Classification, now: float, before: bool, found: Observed
) -> None:
    assert observed(RULES, client, mail, now, before=before) is found


def test_a_mail_names_several_publication_consents() -> None:
    assert publication_ids(NEWS) == frozenset()
    assert publication_ids(Classification(Stream.NEWSLETTER, publication="P-1,P-2")) == {"P-1", "P-2"}


def test_only_mail_for_a_third_party_asks_whom_it_is_about() -> None:
    assert asks_about(Classification(Stream.PERSONAL, about="C-1")) == ""
    assert asks_about(Classification(Stream.PERSONAL, about="C-1", shared_with="aanbieder")) == "C-1"
