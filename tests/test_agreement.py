"""What the distribution of values over people says."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gateway.agreement import SAMPLE, Pool

ME = frozenset({b"me"})


def pool(*copies: Iterable[str]) -> Pool:
    """One copy per person, in order."""
    made = Pool()
    for number, values in enumerate(copies):
        for value in values:
            made.add(value.encode(), b"p%d" % number)
    return made


def own(count: int, *common: str) -> list[list[str]]:
    return [[f"own{n}", *common] for n in range(count)]


def test_the_same_person_twice_is_no_news() -> None:
    made = Pool()
    assert made.add(b"a", b"p")
    assert not made.add(b"a", b"p")
    assert made.others(b"a", frozenset({b"p"})) == 0
    assert made.others(b"a", ME) == 1


def test_a_full_pool_takes_nobody_new_but_more_of_who_is_there() -> None:
    made = pool(*own(SAMPLE))
    assert made.full(ME)
    assert not made.add(b"x", b"me")
    assert made.add(b"x", b"p0")
    assert not made.full(frozenset({b"p0"}))


@pytest.mark.parametrize(
    ("copies", "individual"),
    [
        ([], False),  # nobody to hold it against
        ([["a"]], True),  # the other has another
        (own(5), True),
        (own(5, "logo", "hero"), True),  # beside what all have
        ([["a"], ["a"], ["a"]], False),  # all others have the same
        ([["a"], ["b"], ["a"], ["b"]], False),  # two variants
        ([["a"], ["a"], ["a"], ["x"]], False),  # only one has an own one
        ([["a", "x"], ["a", "y"], ["b", "z"], ["b", "c"], ["c", "d"], ["d", "a"], ["b", "c"], ["d", "a"]], False),
    ],
)
def test_r059_individual_is_what_nearly_everybody_has_an_own_one_of(
    copies: list[list[str]], *, individual: bool
) -> None:
    assert pool(*copies).individual(ME) is individual


def test_what_some_share_in_many_ways_speaks_for_parts_of_the_text() -> None:
    shared = [[f"group{n}-{n % k}" for n in range(1, 20) for k in (4,) if n % 4 == who % 4] for who in range(8)]
    made = pool(*[[f"own{who}", *groups] for who, groups in enumerate(shared)])
    assert not made.individual(ME)


def test_what_is_known_of_me_does_not_speak_for_others() -> None:
    made = pool(["a"])
    assert made.individual(ME)
    assert not made.individual(frozenset({b"p0"}))


def test_it_is_settled_by_many_copies_with_the_same_number_each() -> None:
    assert not pool(*own(7)).settled(1)
    assert pool(*own(8)).settled(1)
    assert pool(*own(8, "logo")).settled(1)
    assert not pool(*own(8)).settled(2)  # I have more than the others
    assert not pool(*own(7), ["x", "y"]).settled(1)  # a part of the text that comes in different numbers
    assert not pool(*own(10), ["s", "own"], ["s", "own2"]).settled(1)
