"""What was read of one version of the file is told again, and of no other."""

from __future__ import annotations

from gateway.facts import NOBODY, Block, BlockKind, Facts
from gateway.registry.protocol import EventKind
from gateway.registry.remembered import Remembered
from tests.registry.conftest import LIST, event, person

ANNA, BERT = person("anna"), person("bert")
BLOCK = Block(BlockKind.OPT_OUT, LIST, 5, 7)


def nothing(_: object) -> tuple[Block, ...]:
    return ()


def kept(version: int = 1) -> Remembered:
    memory = Remembered()
    memory.keep(version, [ANNA.exact, ANNA.wide], {ANNA.exact: Facts(language="nl", known=True)})
    return memory


def test_who_was_read_is_known_again_also_as_nobody():
    memory = kept()
    memory.keep(1, [BERT.exact, BERT.wide], {})
    assert memory.facts(1, [BERT, ANNA], nothing) == [NOBODY, Facts(language="nl", known=True)]


def test_one_who_was_not_read_means_reading():
    assert kept().facts(1, [ANNA, BERT], nothing) is None


def test_nothing_holds_for_another_version():
    memory = kept(1)
    assert memory.facts(2, [ANNA], nothing) is None
    memory.keep(2, [BERT.exact, BERT.wide], {})
    assert memory.facts(2, [ANNA], nothing) is None
    assert memory.facts(1, [ANNA], nothing) is None


def test_blocks_on_their_way_are_joined_to_what_is_remembered():
    (found,) = kept().facts(1, [ANNA], lambda _: (BLOCK,)) or [NOBODY]
    assert (found.blocks, found.language) == ((BLOCK,), "nl")


async def test_a_commit_of_anybody_makes_every_process_read_anew(registry, open_here):
    other = open_here()
    for _ in range(2):
        assert (await other.facts([ANNA]))[0].language == ""
    await registry.record([event(EventKind.LANGUAGE, ANNA, language="nl")])
    assert (await other.facts([ANNA]))[0].language == "nl"
    await other.record([event(EventKind.LANGUAGE, ANNA, language="en")])
    assert (await other.facts([ANNA]))[0].language == "en"
    assert (await registry.facts([ANNA]))[0].language == "en"
