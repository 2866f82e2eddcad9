"""The truth table of the decision: stream by stream, state by state, as a page to read.

what:       `docs/decisions.md`, made by asking `decide` itself; `matrix.py` makes the complete one
takes→gives: organisations → Markdown text; `python -m gateway.policy.table FOLDER` prints it
knows not:  mail, people, storage
fails by:   `SettingsError` of the settings it reads
standard:   rows S-15..S-23, S-37, S-45, S-46, S-58..S-63; D-01..D-16
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.config.organisation import SCOPE_KINDS, Organisation
from gateway.decision import Action, Decision
from gateway.facts import BlockKind, Purpose, Scope, ScopeKind
from gateway.policy.case import EXEMPT
from gateway.policy.decide import decide
from gateway.policy.matrix import streams
from gateway.policy.scenes import NOW, SAID, Scene, agreed, blocked, given, scene

_EVERYTHING = Scope(ScopeKind.EVERYTHING)
_TRACKING = Scope(ScopeKind.PURPOSE, Purpose.TRACKING)

_HEAD = """# Decisions

Made by `python -m gateway.policy.table config`; a test compares this page with what the code decides.

Each cell is what happens to a mail of that stream for a person in that state, and the rule that decided.
"Agreed" means: everything this stream asks for is there (consent, request, enrolment or purchase, and the marks).
Each later row starts from "agreed" and adds what it names. "–" means: this stream has no such thing. Every reason,
scope, stream and basis is in the [complete table](decisions-full.md).

The rules are tried in this order, and the first that stops the mail decides: postmaster (the organisation's own is
always reached), unclassified, pair (stream and legal basis), erasure, restriction, complaint, bounce, manual, opt-out,
marks, offer, minor, sensitive, what the stream needs in the order of its settings, soft-opt-in, segment, share,
publication, probe. Whether individual links stay ("tracked") is asked last and never stops a mail. No block stops the
streams {exempt}: the person asked for that mail.

Marketing is mail that carries an offer, or rests on soft opt-in, or rests on consent and has a link that stops it. An
objection to marketing stops all of it, whatever `blocked_by` says, and a minor gets none without the guardian.

Each reason is a block of its own and is lifted in its own way ([registry](registry.md)): an opt-out, withdrawal or
objection by later consent with proof or by a named operator; complaint, bounce, manual block and erasure by a named
operator alone; a restriction by its own lifting. Lifting one never lifts another.

What holds mail for a person to judge (sensitive, share, publication) goes out when a named operator releases it, which
is counted. No release passes a block, a missing consent or the pause while the opt-out does not work (probe).
"""


@dataclass(frozen=True, slots=True)
class _Ask:
    """A scene, and whether the mail is already queued."""

    scene: Scene
    queued: bool = False


_State = Callable[[Scene], Scene | _Ask | None]


def page(organisations: Iterable[Organisation]) -> str:
    """The whole page."""
    exempt = " and ".join(f"`{stream}`" for stream in sorted(EXEMPT))
    return "\n".join([_HEAD.format(exempt=exempt), *(_section(organisation) for organisation in organisations)])


def _section(organisation: Organisation) -> str:
    columns = streams(organisation)
    scenes = [scene(organisation, stream) for stream in columns]
    rows = [["person", *(str(s) for s in columns)], ["---"] * (len(columns) + 1)]
    rows += [[words, *(_cell(state(asked)) for asked in scenes)] for words, state in STATES.items()]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"## {organisation.name}\n\n{lines}\n"


def _cell(asked: Scene | _Ask | None) -> str:
    if asked is None:
        return "–"
    ask = _Ask(asked) if isinstance(asked, Scene) else asked
    found = ask.scene
    made = decide(found.organisation, found.mail, found.person, now=NOW, around=found.around, queued=ask.queued)
    return f"{_word(made)}: {made.rule}"


def _word(made: Decision) -> str:
    if made.action is Action.DELIVER:
        return "deliver, tracked" if made.variant.tracking else "deliver"
    return str(made.action)


def _tracking(s: Scene) -> Scene:
    there = agreed(s)
    return there.knowing(consents=(*there.person.consents, *given([_TRACKING])))


def _link(s: Scene) -> Scene | None:
    """The person used the opt-out link of this very mail."""
    name = s.organisation.streams[s.mail.stream].opt_out.scope
    if name is None:
        return None
    kind = SCOPE_KINDS[name]
    ids = {
        ScopeKind.SOURCE: s.mail.source,
        ScopeKind.LIST: s.mail.list,
        ScopeKind.TOPIC: s.mail.topic,
        ScopeKind.CATEGORY: s.mail.category,
    }
    return blocked(agreed(s), BlockKind.OPT_OUT, Scope(kind, ids.get(kind, 0)))


def _source_opt_out(s: Scene) -> Scene | None:
    return _stopped(BlockKind.OPT_OUT, Scope(ScopeKind.SOURCE, s.mail.source))(s) if s.mail.source else None


def _other_list(s: Scene) -> Scene | None:
    if not s.mail.list:
        return None
    return _stopped(BlockKind.WITHDRAWAL, Scope(ScopeKind.LIST, max(s.organisation.list_ids.values()) + 1))(s)


def _stopped(kind: BlockKind, scope: Scope) -> Callable[[Scene], Scene]:
    return lambda s: blocked(agreed(s), kind, scope)


def _already_queued(s: Scene) -> _Ask:
    return _Ask(_stopped(BlockKind.RESTRICTION, _EVERYTHING)(s), queued=True)


def _told(s: Scene) -> Scene | None:
    told = agreed(s).knowing(announced=frozenset({s.mail.reference}))
    return told if "once" in s.organisation.streams[s.mail.stream].needs else None


def _unlinked(s: Scene) -> Scene:
    asked = agreed(s)
    return replace(asked, around=replace(asked.around, opt_out_works=False))


STATES: Mapping[str, _State] = {
    "nobody (not in the registry)": lambda s: s,
    "agreed": agreed,
    "agreed, tracking too": _tracking,
    "tracking taken back": lambda s: blocked(_tracking(s), BlockKind.WITHDRAWAL, _TRACKING),
    "opted out by this mail's link": _link,
    "opted out of everything from this source": _source_opt_out,
    "withdrew from another list": _other_list,
    "objected to all marketing": _stopped(BlockKind.OBJECTION, Scope(ScopeKind.MARKETING)),
    "complained (marketing)": _stopped(BlockKind.COMPLAINT, Scope(ScopeKind.MARKETING)),
    "address bounced": _stopped(BlockKind.BOUNCE, _EVERYTHING),
    "blocked by an operator": _stopped(BlockKind.MANUAL, _EVERYTHING),
    "restricted, new mail": _stopped(BlockKind.RESTRICTION, _EVERYTHING),
    "restricted, mail already queued": _already_queued,
    "erased": _stopped(BlockKind.ERASURE, _EVERYTHING),
    "minor, no guardian": lambda s: agreed(s).knowing(minor=True),
    "told of this version before": _told,
    "agreed, but the mail carries an unrelated offer": SAID["an offer related to nothing the person bought"],
    "agreed, but the mail shows somebody who did not agree": SAID["a photo of somebody unnamed"],
    "agreed, while the opt-out does not work": _unlinked,
    "nobody, while the stream is observed": SAID["observed, nothing known"],
    "nobody, after that, mail already queued": SAID["no longer observed, nothing known"],
}


def main(folder: Path) -> int:
    """Print the page for the organisations of `folder`/gateway.yaml."""
    from gateway.config.load import load  # settings are read only when asked to print

    sys.stdout.write(page(load(folder / "gateway.yaml").organisations))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "config")))
