"""Sensitive mail: recognised by more than its mark, and only carried encrypted.

what:       whether a message is sensitive beside its mark; what must not leave it, and what it waits for
takes→gives: `Message` + settings → why it is sensitive; `Draft` + `Context` → removals, or HOLD
knows not:  consent (the policy asks for its reference), connections (delivery looks at them once more)
fails by:   nothing; HOLD is an `Outcome`
standard:   S-06, S-25; L-11; RFC 8689 5 (TLS-Required)
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.organisation import Organisation
from gateway.config.provider import AUTHENTICATED_TLS
from gateway.config.sensitive import pattern
from gateway.decision import Action, Stream
from gateway.filters import calendar
from gateway.filters.context import Context, Filter, Outcome
from gateway.message.draft import Draft
from gateway.message.html import INLINE, Tag, Text, Unscannable, scan, unescape
from gateway.message.parse import Message, Part

NAME = "sensitive"
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})


def why(message: Message, organisation: Organisation, stream: Stream) -> str:
    """ "" or what makes this mail sensitive although no mark says so. Names a rule and a place, never the word.

    Attachments are not read here: who looks into them for other reasons (`content`) looks for the words too.
    """
    rules = organisation.sensitive
    if stream in rules.always:
        return f"all mail of stream {stream}"
    if not (words := rules.sought(stream)):
        return ""
    found = pattern(words)
    if any(found.search(message.text_value(field)) for field in message.fields("subject")):
        return "a word of the settings in the subject"
    draft = Draft(message)
    for part in (*message.text_parts(), *calendar.shown(message.root)):
        if found.search(_text(draft, part)):
            return in_part(part.path)
    return ""


def in_part(path: str) -> str:
    """Why a mail with a word of the settings in this part is sensitive."""
    return f"a word of the settings in part {path}"


def _text(draft: Draft, part: Part) -> str:
    content, charset = draft.content(part), draft.scan_charset(part)
    if part.content_type == calendar.KIND:
        content = b"\n".join(line.text for line in calendar.lines(content))
    if part.content_type == "text/html":
        try:
            return unescape(b"".join(_shown(content)).decode(charset, "replace"))
        except Unscannable:
            pass  # two readers would read it differently: the words count wherever they stand
    return unescape(content.decode(charset, "replace"))


def _shown(content: bytes) -> Iterator[bytes]:
    """Text as it stands, with a space where an element ends a word: a cell, a paragraph, a line."""
    for node in scan(content):
        if isinstance(node, Text):
            yield content[node.start : node.end]
        elif isinstance(node, Tag) and node.name not in INLINE:
            yield b" "


def apply(draft: Draft, context: Context) -> tuple[Outcome, ...]:
    """Nothing for other mail. A field that asks to do without TLS goes; without a sure way out the mail waits."""
    if not context.classification.sensitive:
        return ()
    for field in draft.message.fields("TLS-Required"):
        draft.remove_field(field, by=NAME, kind="tls-required")
    notes = (
        [Outcome(NAME, "unmarked", detail=context.classification.detected)] if context.classification.detected else []
    )
    if context.tls not in AUTHENTICATED_TLS:
        where = "its provider is not reached over authenticated TLS"
        notes.append(Outcome(NAME, "no-authenticated-tls", Action.HOLD, where))
    if context.organisation.sensitive.end_to_end and not _encrypted(draft.message.root):
        notes.append(Outcome(NAME, "end-to-end", Action.HOLD, "it must be encrypted end to end"))
    return tuple(notes)


def _encrypted(root: Part) -> bool:
    """Whether the whole content is encrypted; a signature alone hides nothing."""
    if root.content_type not in _ENCRYPTED:
        return False
    kind = root.parameters.get("smime-type", "").lower()
    return root.content_type == "multipart/encrypted" or kind in ("enveloped-data", "authenveloped-data")


FILTER = Filter(
    NAME, "Holds sensitive mail that would leave without authenticated TLS or, by setting, unencrypted.", apply
)
