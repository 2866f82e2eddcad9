"""What a provider's answer means: for the row, for the route, for the person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.answers import Answer, Judgement, Verb, Verdict, judge

TABLE = [
    (Verb.CONTENT, 250, "2.0.0 ok", Judgement(Verdict.DELIVERED)),
    (Verb.CONTENT, 252, "", Judgement(Verdict.DELIVERED)),
    (Verb.RCPT, 450, "4.2.0 greylisted", Judgement(Verdict.RETRY)),
    (Verb.RCPT, 552, "5.2.2 full", Judgement(Verdict.RETRY)),
    (Verb.MAIL, 552, "5.3.4 too big", Judgement(Verdict.FAILED)),
    (Verb.RCPT, 550, "5.1.1 nobody", Judgement(Verdict.FAILED, person=True)),
    (Verb.RCPT, 550, "5.2.1 disabled", Judgement(Verdict.FAILED, person=True)),
    (Verb.RCPT, 550, "5.7.1 not from you", Judgement(Verdict.FAILED)),
    (Verb.CONTENT, 554, "spam", Judgement(Verdict.FAILED)),
    (Verb.CONTENT, 421, "4.7.28 rate", Judgement(Verdict.PROVIDER, "rate")),
    (Verb.CONTENT, 550, "5.7.28 flood", Judgement(Verdict.PROVIDER, "rate")),
    (Verb.CONTENT, 550, "5.7.26 unauthenticated", Judgement(Verdict.PROVIDER, "authentication")),
    (Verb.CONTENT, 550, "5.7.515 does not meet", Judgement(Verdict.PROVIDER, "authentication")),
    (Verb.RCPT, 550, "5.7.606 banned", Judgement(Verdict.PROVIDER, "reputation")),
    (Verb.MAIL, 530, "5.7.0 log in", Judgement(Verdict.PROVIDER, "login")),
    (Verb.LOGIN, 535, "5.7.8 no", Judgement(Verdict.PROVIDER, "login")),
    (Verb.LOGIN, 454, "4.7.0 later", Judgement(Verdict.PROVIDER, "login")),
    (Verb.CONNECT, 554, "5.7.1 go away", Judgement(Verdict.PROVIDER, "connect")),
    (Verb.MAIL, 421, "", Judgement(Verdict.PROVIDER, "unavailable")),
    (Verb.MAIL, 354, "out of step", Judgement(Verdict.RETRY)),
    (Verb.MAIL, 999, "", Judgement(Verdict.RETRY)),
]


@pytest.mark.parametrize(("verb", "code", "text", "expected"), TABLE)
def test_table(verb: Verb, code: int, text: str, expected: Judgement) -> None:
    assert judge(Answer.read(verb, code, text)) == expected


@given(st.sampled_from(Verb), st.integers(0, 999), st.text(max_size=40))
def test_every_answer_has_one_meaning_and_trouble_is_never_the_persons(verb: Verb, code: int, text: str) -> None:
    judgement = judge(Answer.read(verb, code, text))
    assert (judgement.verdict is Verdict.PROVIDER) == bool(judgement.trouble)
    assert not judgement.person or (judgement.verdict is Verdict.FAILED and code // 100 == 5)
    assert (judgement.verdict is Verdict.DELIVERED) == (code // 100 == 2)


def test_an_enhanced_code_of_another_class_is_no_code() -> None:
    answer = Answer.read(Verb.RCPT, 450, "5.1.1 contradiction")
    assert (answer.enhanced, answer.status) == ("", "4.0.0")


def test_what_is_logged_of_an_answer_has_no_words_of_the_peer() -> None:
    answer = Answer.read(Verb.RCPT, 550, "5.1.1 <jan@people.example> unknown")
    assert answer.brief == "550 5.1.1 at rcpt"
    assert "jan" not in repr(answer)
    assert answer.line == "550 5.1.1 <jan@people.example> unknown"


def test_a_multi_line_answer_is_one_line_in_a_report() -> None:
    assert Answer(Verb.RCPT, 550, "5.1.1", "one\r\n two").line == "550 5.1.1 one two"
