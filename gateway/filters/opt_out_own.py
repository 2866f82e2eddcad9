"""Opt-outs of ours that a mail brought along: its own from an earlier pass, and those in what it quotes.

what:       finds the block that an earlier pass put at the end, and takes the token out of every other address of ours
takes→gives: content, place → span of the block; `Draft` → edits
knows not:  whose token it is: whoever's, it is not this mail's
fails by:   nothing
standard:   R-041; S-22: a quoted link would stop the mail of whoever was mailed first
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from urllib.parse import quote

from gateway.filters.context import Context
from gateway.filters.opt_out_headers import NAME
from gateway.filters.opt_out_text import CLASS, RULE
from gateway.message.draft import Draft
from gateway.message.parse import Part

_LONGEST = 4096  # octets of a text block of ours; what is longer is something else
_LAST_RULE = re.compile(rb"(?:\A|\n)" + RULE.encode() + rb"[ \t]*\r?\n(?=\S)")
_SPACED_RULE = re.compile(rb"(?:\A|\n)" + RULE.encode() + rb"[ \t]*\r?\n\r?\n(?=\S)")
_EMPTY_LINE = re.compile(rb"\n[ \t]*\r?\n")
_EMPTY_LINES = re.compile(rb"\n[ \t]*\r?\n[ \t]*\r?\n")
_OPENING = re.compile(rb'<div lang="[a-z]{2,3}" dir="auto" class="' + CLASS.encode() + rb'"')
_MARK = b'class="' + CLASS.encode() + b'"'
_CLOSING = re.compile(rb"</div>\r?\n?")
_NAMES = 16  # so many characters of a token tell it from a page; mail programs break long addresses


def own_text(content: bytes, context: Context, *, spaced: bool = False) -> tuple[int, int] | None:
    """The span of a text block of ours that ends `content`, unquoted. `spaced`: with an empty line after
    each of its lines, as in text/enriched."""
    tail = max(0, len(content.rstrip()) - _LONGEST)
    rules = list((_SPACED_RULE if spaced else _LAST_RULE).finditer(content, tail))
    if not rules:
        return None
    found = rules[-1]
    start = found.end() - len(found[0].lstrip(b"\n"))
    block = content[start:].rstrip()
    if (_EMPTY_LINES if spaced else _EMPTY_LINE).search(block) or b"\n>" in block or not _is_ours(block, context):
        return None
    end = start + len(block)
    for _ in range(1 + spaced):
        line = content.find(b"\n", end)
        end = len(content) if line < 0 or content[end:line].strip() else line + 1
    return start, end


def own_html(content: bytes, before: int) -> tuple[int, int] | None:
    """The span of an HTML block of ours that is the last thing before offset `before`."""
    if _MARK not in content:
        return None
    blocks = list(_OPENING.finditer(content, 0, before))
    end = _CLOSING.search(content, blocks[-1].end(), before) if blocks else None
    if end is None or content[end.end() : before].strip():
        return None
    return blocks[-1].start(), end.end()


def neutralise(draft: Draft, part: Part, context: Context, kept: tuple[int, int] | None) -> int:
    """Cut the token out of every address of ours outside the span `kept`; gives how many. What another filter writes
    is looked at too: it unwraps addresses that a mail program wrapped."""
    pattern = _address(context.organisation.opt_out_url, context.organisation.name)
    count = 0
    for edit in [e for e in draft.edits if e.part == part.path and e.by != NAME]:
        written = tuple(_cut(pattern, p) if isinstance(p, bytes) else p for p in edit.replacement)
        if written != edit.replacement:
            draft.amend(edit, written)
            count += 1
    content, taken = draft.content(part), Taken(draft, part)
    for found in pattern.finditer(content) if _host(context.organisation.opt_out_url) in content.lower() else ():
        start, end = found.span("token")
        if kept is not None and kept[0] <= start < kept[1]:
            continue
        if taken.free(start, end):
            draft.splice(part, start, end, (), by=NAME, kind="quoted-opt-out")
            count += 1
    return count


class Taken:
    """The spans of a part that are edited already, when it is asked for."""

    def __init__(self, draft: Draft, part: Part) -> None:
        self._spans = sorted((e.start, e.end) for e in draft.edits if e.part == part.path and e.start < e.end)

    def free(self, start: int, end: int) -> bool:
        """Whether nothing in `start:end` is edited. Edits never overlap each other, so one look at the last will do."""
        at = bisect_left(self._spans, (end, 0))
        return at == 0 or self._spans[at - 1][1] <= start


def _cut(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    return pattern.sub(lambda found: found[0][: found.start("token") - found.start()], text)


@lru_cache(maxsize=64)
def _host(base: str) -> bytes:
    """What every address of our links has in it, however it is written: a quick answer for the mails without one."""
    host = base.lower().partition("://")[2].partition("/")[0].partition(":")[0]
    return max(re.findall(r"[a-z0-9.-]+", host), key=len, default="").encode()


def _is_ours(block: bytes, context: Context) -> bool:
    """A block with an address of ours, or, where the stream has no link, with the policy and who sends."""
    if _address(context.organisation.opt_out_url, context.organisation.name).search(block):
        return True
    controller = context.organisation.controller
    flat = b" ".join(block.split()).decode("utf-8", "replace")
    shown = (controller.postal_address, controller.policy_url)
    return all(" ".join(text.split()) in flat for text in shown if text.isascii())


@lru_cache(maxsize=64)
def _address(base: str, name: str) -> re.Pattern[bytes]:
    """Addresses of one organisation's links, plain or inside another address; the group `token` is what makes them one
    person's."""
    plain, inside = base.rstrip("/"), quote(base.rstrip("/"), safe="")
    before = (rf"{re.escape(plain)}(?:/{name}(?=/))?/", rf"{re.escape(inside)}(?:%2F{name}(?=%2F))?%2F")
    return re.compile(rf"(?:{'|'.join(before)})(?P<token>[A-Za-z0-9_-]{{{_NAMES},}})".encode(), re.IGNORECASE)
