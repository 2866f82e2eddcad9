"""What a finished copy must look like, written down when it is compiled.

what:       `Expectation`: the tree, the content of every part that no edit touches, the number of opt-outs
takes→gives: original octets + `Draft` → `Expectation` ↔ JSON, stored beside the template
knows not:  recipients, why something was edited
fails by:   `ValueError` on JSON of another shape
standard:   DESIGN I-5, I-6; R-036, R-049
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.message.draft import Draft, Replacement, Slot
from gateway.proof.reading import Node, Reading


@dataclass(frozen=True, slots=True)
class Expectation:
    """`changed` are positions in `nodes` whose content an edit changes; None where the two parsers number the parts
    differently: then only their number counts, which is `edits`. `opt_outs` is how often the address stands in texts,
    `listed` whether it stands in List-Unsubscribe.
    """

    nodes: tuple[Node, ...]
    changed: tuple[int, ...] | None
    edits: int
    opt_outs: int
    listed: bool
    private: bool

    def to_json(self) -> dict[str, object]:
        return {
            "nodes": [[n.depth, n.media_type, n.digest] for n in self.nodes],
            "changed": None if self.changed is None else list(self.changed),
            "edits": self.edits,
            "opt_outs": self.opt_outs,
            "listed": self.listed,
            "private": self.private,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Expectation:
        """Inverse of `to_json`."""
        try:
            changed = stored["changed"]
            return cls(
                nodes=tuple(Node(int(depth), str(kind), str(digest)) for depth, kind, digest in stored["nodes"]),
                changed=None if changed is None else tuple(map(int, changed)),
                edits=int(stored["edits"]),
                opt_outs=int(stored["opt_outs"]),
                listed=bool(stored["listed"]),
                private=bool(stored["private"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("not a stored expectation") from error


def expect(draft: Draft, original: Reading, *, private: bool) -> Expectation:
    """Of one variant. `original` is the second parser's reading of the same octets that `draft` edits."""
    touched = {part.path for part, changes in draft.touched() if changes}
    paths = [part.path for part in draft.message.walk()]
    nodes = _mended(draft, original).nodes
    same = len(paths) == len(nodes)
    made = Expectation(
        nodes=nodes,
        changed=tuple(at for at, path in enumerate(paths) if path in touched) if same else None,
        edits=len(touched),
        opt_outs=sum(_opt_outs(draft, path) for path in touched),
        listed=any(Slot.OPT_OUT in edit.replacement for edit in draft.header_edits()),
        private=private,
    )
    return made if draft.wrapping is None else _wrapped(made, draft.wrapping)


def _mended(draft: Draft, original: Reading) -> Reading:
    """The second parser stumbles on a line before the first field and on a space before a colon, and sees another tree
    until they are taken out."""
    raw, lead = draft.message.raw, draft.message.root.header[0]
    cuts = [(e.start, e.end) for e in draft.header_edits() if e.removal]
    cuts = [(start, end) for start, end in cuts if end <= lead or raw[start:end].isspace()]
    if not cuts:
        return original
    kept, position = [], 0
    for start, end in cuts:
        kept.append(raw[position:start])
        position = end
    return Reading(b"".join([*kept, raw[position:]]))


def _wrapped(made: Expectation, text: Replacement) -> Expectation:
    """The same as the first part of a multipart/mixed, with our text as the second."""
    inside = tuple(Node(node.depth + 1, node.media_type, node.digest) for node in made.nodes)
    nodes = (Node(0, "multipart/mixed", ""), *inside, Node(1, "text/plain", ""))
    changed = None if made.changed is None else (*(at + 1 for at in made.changed), len(nodes) - 1)
    slots = sum(piece is Slot.OPT_OUT for piece in text)
    return replace(made, nodes=nodes, changed=changed, edits=made.edits + 1, opt_outs=made.opt_outs + slots)


def _opt_outs(draft: Draft, path: str) -> int:
    part = next(p for p in draft.message.walk() if p.path == path)
    return sum(piece is Slot.OPT_OUT for piece in draft.pieces(part))
