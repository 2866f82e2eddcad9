"""The complete table of decisions: every reason, scope, stream and basis, as a page.

what:       `docs/decisions-full.md`, made by asking `decide` itself
takes→gives: organisations → Markdown text; `python -m gateway.policy.matrix FOLDER` prints it
knows not:  mail, people, storage
fails by:   `SettingsError` of the settings it reads
standard:   rows S-07..S-09, S-13, S-15..S-23, S-37, S-41..S-50, S-58..S-63; L-08, L-28, L-30, L-33; D-01..D-16
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.config.organisation import Organisation
from gateway.decision import Action, Basis, Decision, Stream
from gateway.facts import BlockKind
from gateway.policy.decide import decide
from gateway.policy.scenes import KNOWN, NOW, SAID, Scene, agreed, blocked, scene, scopes

_HEAD = """# Decisions, complete

Made by `python -m gateway.policy.matrix config`. The readable page is [decisions](decisions.md); this one leaves
nothing out. A test holds every cell against what the policies promise, written down a second time without this program.

Per stream and basis there are three tables. The first: a person of whom everything is known that the mail asks for, and
then one block for one reason (rows) on one scope (columns; "other" is another one of the same kind). "go" lets the mail
out; "stop" refuses it, by the rule that has the reason's name (`opt-out` for opt-out, withdrawal and objection);
"stop/hold" refuses new mail and holds what is already queued. The second: no block, and only this is known. The third:
all is known, and the mail says this as well, or this counts beside the person. Where mail that is already queued fares
differently, the second outcome is its own.
"""
OWN_RULE = dict.fromkeys((BlockKind.OPT_OUT, BlockKind.WITHDRAWAL, BlockKind.OBJECTION), "opt-out")


def ask(asked: Scene, *, queued: bool = False) -> Decision:
    """What is decided about it."""
    return decide(asked.organisation, asked.mail, asked.person, now=NOW, around=asked.around, queued=queued)


def page(organisations: Iterable[Organisation]) -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for organisation in organisations for line in _organisation(organisation))])


def streams(organisation: Organisation) -> list[Stream]:
    """Streams with rules, in the order of the settings' words."""
    return [s for s in Stream if s in organisation.streams and s is not Stream.UNCLASSIFIED]


def permitted(organisation: Organisation, stream: Stream) -> list[Basis]:
    """Bases that the rule `pair` lets the stream rest on."""
    return [b for b in Basis if ask(scene(organisation, stream, b)).rule != "pair"]


def _organisation(organisation: Organisation) -> Iterator[str]:
    yield f"## {organisation.name}\n"
    for stream in streams(organisation):
        allowed = permitted(organisation, stream)
        wrong = ", ".join(f"`{b}`" for b in Basis if b not in allowed)
        yield f"### {organisation.name}: {stream}\n"
        yield f"Refused by `pair` when it rests on {wrong}.\n"
        for basis in allowed:
            asked = scene(organisation, stream, basis)
            yield f"On basis `{basis}`:\n"
            yield from _blocks(asked)
            yield from _known(asked)
            yield from _said(asked)


def _blocks(asked: Scene) -> Iterator[str]:
    reached = scopes(asked)
    yield from _header("reason", *reached)
    for kind in BlockKind:
        cells = (
            _stopped(blocked(agreed(asked), kind, scope), OWN_RULE.get(kind, str(kind))) for scope in reached.values()
        )
        yield _row(str(kind), *cells)
    yield ""


def _known(asked: Scene) -> Iterator[str]:
    yield from _header("known", "outcome")
    yield from (_row(words, _both(change(asked))) for words, change in KNOWN.items())
    yield ""


def _said(asked: Scene) -> Iterator[str]:
    yield from _header("the mail, or beside", "outcome")
    yield from (_row(words, _both(change(asked))) for words, change in SAID.items())
    yield ""


def _stopped(asked: Scene, rule: str) -> str:
    new, queued = ask(asked), ask(asked, queued=True)
    if new.action is Action.DELIVER:
        return "go"
    if new.rule != rule:
        return _words(new)
    return "stop/hold" if queued.action is Action.HOLD else "stop"


def _both(asked: Scene) -> str:
    new, queued = _words(ask(asked)), _words(ask(asked, queued=True))
    return new if new == queued else f"{new}; queued: {queued}"


def _words(made: Decision) -> str:
    return f"{made.action}: {made.rule}"


def _header(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main(folder: Path) -> int:
    """Print the page for the organisations of `folder`/gateway.yaml."""
    from gateway.config.load import load  # settings are read only when asked to print

    sys.stdout.write(page(load(folder / "gateway.yaml").organisations))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "config")))
