"""Encrypted mail to several people does not tell them of each other by its keys.

what:       S/MIME and OpenPGP parts that more than one key can open, on private mail to several people
takes→gives: `Draft` + `Context` → HOLD, or nothing
knows not:  whose keys they are, what is inside
fails by:   nothing; what cannot be counted is held as well
standard:   R-047; RFC 5652 6.2, RFC 9580 5.1; I-6
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from gateway.decision import Action
from gateway.filters import cms, openpgp
from gateway.filters.ber import Unreadable
from gateway.filters.context import Context, Filter, Outcome
from gateway.filters.inside import drafts, head, is_cms
from gateway.message.draft import Draft
from gateway.message.parse import Part

NAME = "encrypted_to"
_LOOKED_AT = 1 << 18
_ARMOURED = b"-----BEGIN PGP MESSAGE"
_CLEAR = b"-----BEGIN PGP SIGNED MESSAGE"
_SEALED = frozenset({"encrypted", "signed or encrypted"})
_FILES = (".pgp", ".gpg", ".asc")
_CONTROL = "application/pgp-encrypted"


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """One key per mail is no news to anybody; a second one names a fellow recipient."""
    if not context.private or context.recipient:
        return ()
    for place, one in (("", draft), *drafts(draft)):
        for part in one.message.walk():
            if not part.children and (outcome := _judge(one, part, place)) is not None:
                return (outcome,)
    return ()


def _judge(draft: Draft, part: Part, place: str) -> Outcome | None:
    try:
        many = any(count > 1 for count in _counts(draft, part))
    except Unreadable as error:
        return Outcome(NAME, "cannot-inspect", Action.HOLD, f"{place}part {part.path}: {error}")
    if not many:
        return None
    return Outcome(NAME, "encrypted-to-many", Action.HOLD, f"{place}part {part.path}: more than one key")


def _counts(draft: Draft, part: Part) -> Iterator[int]:
    """Keys that open this part, if it is encrypted at all. Raises `Unreadable` for what says so and is not readable."""
    if is_cms(part):
        content = head(draft, part, _LOOKED_AT)
        kind = cms.kind(content)
        if kind == cms.COMPRESSED:
            raise Unreadable("compressed")
        if kind in cms.FOR_KEYS:
            yield cms.keys(content, most=2)
    elif part.sealed in _SEALED and part.content_type != _CONTROL:
        content = head(draft, part, _LOOKED_AT)
        if _CLEAR not in content:
            yield openpgp.keys(content, most=2)
    elif part.sealed == "PGP text" or part.filename.lower().endswith(_FILES):
        content = head(draft, part, _LOOKED_AT)
        if _ARMOURED in content:
            yield openpgp.keys(content, most=2)
        elif content[:1] >= b"\x80":
            with suppress(Unreadable):  # a signature or a key, which is for everybody
                yield openpgp.keys(content, most=2)


FILTER = Filter(NAME, "Holds mail to several people that more than one key can open.", apply)
