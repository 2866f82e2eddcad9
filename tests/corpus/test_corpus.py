"""Mail that nobody here wrote: every message of the open corpus, handed in twice, read by programs of others.

What is looked at stands in bench/corpus/checks.py, what loads and links are for in bench/truth. A message that may fail
one of these has a line in KNOWN, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.corpus.__main__ import CORPUS
from bench.corpus.crew import Task, files, octets
from bench.corpus.house import Way
from bench.corpus.node import usable
from bench.corpus.passage import Walk
from bench.corpus.truth import sheets
from tests.corpus.known import KNOWN

TASKS = files(CORPUS) if CORPUS.is_dir() else []
LABELS = sheets()


@pytest.fixture(scope="module")
def walker() -> Iterator[Walk]:
    made = Walk.build(node=not usable())
    yield made
    made.close()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_mail_of_others_leaves_right_or_is_refused_or_held_with_a_reason(task: Task, walker: Walk) -> None:
    for way in Way:
        found = walker.go(task.name, octets(task), way, LABELS.get(task.name))
        assert found.outcome != "crashed", found.why
        assert found.outcome == "delivered" or found.why
        allowed = KNOWN.get(task.name, {})
        assert [(name, text) for name, text in found.wrong if name not in allowed] == [], way


@pytest.mark.needs("node", "npm:postal-mime", "npm:mailauth")
def test_the_programs_of_others_are_asked() -> None:
    assert usable() == ""


def test_the_corpus_is_there() -> None:
    if not TASKS:
        pytest.skip(f"no message corpus at {CORPUS}")
    assert set(LABELS) <= {task.name for task in TASKS}
    assert set(KNOWN) <= {task.name for task in TASKS}
