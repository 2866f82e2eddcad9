"""Worker processes that each walk one mail at a time; one that takes too long or dies is replaced.

what:       files spread over processes, each bounded in time; what a mail does to a worker is an outcome like others
takes→gives: files → passages, in the order in which they are done
knows not:  what a passage says, where it is kept
fails by:   nothing of a mail; `KeyboardInterrupt` ends all
"""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from bench.corpus.house import Way
from bench.corpus.passage import Passage, Walk
from bench.corpus.truth import sheets

_CONTEXT = multiprocessing.get_context("spawn")
_START_UP = 60.0


@dataclass(frozen=True, slots=True)
class Task:
    """One file under `folder`."""

    folder: Path
    name: str


@dataclass(slots=True)
class _Hand:
    process: multiprocessing.process.BaseProcess
    line: Connection
    task: Task | None = None
    since: float = 0.0
    fresh: bool = True


def walk(tasks: Iterable[Task], *, workers: int, seconds: float, node: bool) -> Iterator[list[Passage]]:
    """Both passages of each file. `seconds` bounds one file; over it the worker is killed and the file has crashed."""
    waiting = iter(tasks)
    hands = [_hire(node=node) for _ in range(workers)]
    try:
        for hand in hands:
            _give(hand, waiting)
        while any(hand.task for hand in hands):
            wait([hand.line for hand in hands if hand.task], timeout=0.5)
            for at, hand in enumerate(hands):
                if hand.task is None:
                    continue
                done = _result(hand, seconds)
                if done is None:
                    continue
                if not hand.process.is_alive() or hand.line.closed:
                    hands[at] = hand = _hire(node=node)
                _give(hand, waiting)
                yield done
    finally:
        for hand in hands:
            _dismiss(hand)


def _hire(*, node: bool) -> _Hand:
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(theirs, node), daemon=True)
    process.start()
    theirs.close()
    return _Hand(process, ours)


def _give(hand: _Hand, waiting: Iterator[Task]) -> None:
    hand.task = next(waiting, None)
    hand.since = time.monotonic()
    if hand.task is not None:
        hand.line.send(hand.task)


def _result(hand: _Hand, seconds: float) -> list[Passage] | None:
    """What a worker says, or that it is gone or too slow; None while it is at work."""
    assert hand.task is not None
    limit = seconds + (_START_UP if hand.fresh else 0)
    if hand.line.poll():
        try:
            done = hand.line.recv()
        except (EOFError, ConnectionError):
            return _lost(hand, "the worker died")
        hand.task, hand.fresh = None, False
        return list(done)
    return _lost(hand, f"over {seconds:.0f} s") if time.monotonic() - hand.since > limit else None


def _lost(hand: _Hand, why: str) -> list[Passage]:
    assert hand.task is not None
    _dismiss(hand)
    return [Passage(hand.task.name, way.value, "crashed", why) for way in Way]


def _dismiss(hand: _Hand) -> None:
    hand.line.close()
    hand.process.kill()
    hand.process.join()


def _work(line: Connection, node: bool) -> None:
    """The loop of one worker process."""
    walker, labels = Walk.build(node=node), sheets()
    while True:
        try:
            task = line.recv()
        except EOFError:
            walker.close()
            return
        raw = octets(task)
        line.send([walker.go(task.name, raw, way, labels.get(task.name)) for way in Way])


def octets(task: Task) -> bytes:
    """The mail of a file; a page by itself becomes a mail."""
    raw = (task.folder / task.name).read_bytes()
    if not task.name.endswith(".html"):
        return raw
    head = b"From: Example <info@example.org>\r\nTo: reader@people.example\r\nSubject: Example\r\nMIME-Version: 1.0\r\n"
    return (
        head
        + b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + re.sub(rb"\r?\n", b"\r\n", raw)
    )


def files(folder: Path) -> list[Task]:
    """Mails and pages below a folder, in order."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".eml", ".html") and p.is_file())
    return [Task(folder, str(path.relative_to(folder))) for path in found]
