"""What counts as marketing, and what as consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.decision import Basis, Stream
from gateway.facts import NOBODY, BlockKind, Scope, ScopeKind
from gateway.policy.case import Case, standing_consent
from gateway.policy.circumstances import ORDINARY
from tests.policy.example import AGREED, MAIL, NEWS, NOW, ORGANISATION, blocked


def case(stream: Stream, **marks: object) -> Case:
    mail = replace(MAIL[stream], **marks)  # type: ignore[arg-type]
    return Case(ORGANISATION, ORGANISATION.streams[stream], mail, NOBODY, NOW, ORDINARY)


@pytest.mark.parametrize(
    ("stream", "marks", "marketing"),
    [
        (Stream.NEWSLETTER, {}, True),
        (Stream.NOTIFICATION, {}, True),
        (Stream.PARTICIPATION, {}, False),
        (Stream.PARTICIPATION, {"offer": "related"}, True),
        (Stream.WEBSHOP, {}, False),
        (Stream.NOTIFICATION, {"basis": Basis.SOFT_OPT_IN}, True),
        (Stream.RESEARCH, {}, False),
        (Stream.RIGHTS, {}, False),
        (Stream.PERSONAL, {}, False),
    ],
)
def test_marketing(stream: Stream, marks: dict[str, object], marketing: bool) -> None:
    assert case(stream, **marks).marketing is marketing


def test_the_mails_own_basis_goes_before_the_streams_first() -> None:
    assert case(Stream.WEBSHOP).basis is Basis.CONTRACT
    assert case(Stream.NOTIFICATION, basis=Basis.SOFT_OPT_IN).basis is Basis.SOFT_OPT_IN


@pytest.mark.parametrize("kind", list(BlockKind))
def test_consent_stands_until_any_block_of_the_same_scope(kind: BlockKind) -> None:
    scope = Scope(ScopeKind.LIST, NEWS)
    assert standing_consent(AGREED, scope) is not None
    assert standing_consent(blocked(kind, ScopeKind.LIST, NEWS), scope) is None
    assert standing_consent(blocked(kind, ScopeKind.LIST, NEWS + 1), scope) is not None
