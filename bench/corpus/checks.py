"""What must be true of every copy that leaves, judged by readers that are not ours.

what:       one function per property: original and copy → how often it could be wrong, and what is wrong
takes→gives: `Case` → (number looked at, list of what is wrong)
knows not:  how the gateway makes a copy
fails by:   nothing: what is wrong is said
standard:   R-024..R-026, R-036, R-041, R-044, R-051..R-054, R-062..R-064; RFC 5322 2.1.1; I-1, I-5, I-6
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property

from bench.corpus import reading
from bench.corpus.reading import MARKUP, Leaf
from bench.corpus.sight import see

RECEIPTS = (
    *("Disposition-Notification-To", "Disposition-Notification-Options", "Return-Receipt-To", "Original-Recipient"),
    *("Return-Receipt-Requested", "Read-Receipt-To", "Registered-Mail-Reply-Requested-By", "X-Confirm-Reading-To"),
    *("Confirm-Reading-To", "X-Confirm-Delivery", "X-Confirm-Delivery-To", "X-PMRQC", "X-Ack", "Receipt-Requested"),
    *("X-Receipt-To", "X-TipoRicevuta", "Generate-Delivery-Report", "Prevent-NonDelivery-Report"),
    *("X400-Content-Return", "Content-Return"),
)  # written down again here
_NAMING = (
    *("Bcc", "Resent-Bcc", "X-Bcc", "Apparently-To", "X-Envelope-To", "Envelope-To", "Delivered-To", "X-Original-To"),
    *("X-Rcpt-To", "X-Forwarded-To", "X-Failed-Recipients"),
)
_BAD_LINE = re.compile(rb"[^\r\n]{999}|\r(?!\n)|(?<!\r)\n|\0")
Found = tuple[int, list[str]]


@dataclass(frozen=True)
class Case:
    """One copy, `before` as it was submitted. `others`: addresses of other people, in lower case; `opt_out` the begin
    of our links, "" where the stream has none."""

    before: bytes
    after: bytes
    recipient: str
    others: frozenset[str]
    opt_out: str
    opens: Callable[[str], bool] = field(repr=False)

    @cached_property
    def original(self) -> Message:
        return reading.parsed(self.before)

    @cached_property
    def copy(self) -> Message:
        return reading.parsed(self.after)

    @cached_property
    def leaves(self) -> list[Leaf]:
        return reading.leaves(self.original)

    @cached_property
    def sent(self) -> list[Leaf]:
        return reading.leaves(self.copy)

    @cached_property
    def sealed(self) -> list[bytes]:
        return reading.sealed(self.before)


def receipts(case: Case) -> Found:
    asked = sum(len(case.original.get_all(name, [])) for name in RECEIPTS)
    return asked, [f"{name} left" for name in RECEIPTS if case.copy.get_all(name)]


def others(case: Case) -> Found:
    """Other people's addresses: none in any copy, wherever it stands."""
    seen = reading.everything(case.after)
    left = [a for a in case.others if reading.stands(a, seen)]
    named = [f"{name} left" for name in _NAMING if case.copy.get_all(name)]
    to = case.copy.get_all("To", [])
    one = [] if len(to) == 1 and reading.recipients(case.copy) <= {case.recipient} else ["not one To for the recipient"]
    return max(len(case.others), 1), [f"{len(left)} other addresses" for _ in left[:1]] + named + one


def attachments(case: Case) -> Found:
    """Everything that is no text of the mail itself: the same octets, encoded and decoded."""
    kept = [leaf.digests for leaf in case.leaves if not leaf.shown and not _shortened(leaf, case)]
    sent = [leaf.digests for leaf in case.sent]
    missing = Counter(kept) - Counter(sent + [(kind, "", content) for kind, _, content in sent])
    return len(kept), [f"{kind}: other octets" for kind, _, _ in missing.elements()]


def _shortened(leaf: Leaf, case: Case) -> bool:
    """A calendar that lost lines with people in them and names its recipient, and is the same else (R-028)."""
    if leaf.type != "text/calendar":
        return False
    old = Counter(_calendar(leaf))
    for other in (x for x in case.sent if x.type == leaf.type):
        new = Counter(_calendar(other))
        added = all(line.startswith("ATTENDEE") and case.recipient in line.lower() for line in new - old)
        if added and all("@" in line for line in old - new):
            return True
    return False


def _calendar(leaf: Leaf) -> list[str]:
    return re.sub(r"\r?\n[ \t]", "", leaf.text).splitlines()


def sealed_parts(case: Case) -> Found:
    changed = [f"{len(part)} octets changed" for part in case.sealed if part not in case.after]
    return len(case.sealed), changed


def opt_out(case: Case) -> Found:
    """Visible exactly once in each alternative of one text of the mail, in no other, and always the same address."""
    texts = {leaf.path: leaf for leaf in case.sent if leaf.shown}
    if not case.opt_out or not texts:
        return 0, []
    found = {path: visible(leaf, case.opt_out) for path, leaf in texts.items()}
    if case.sealed and not any(found.values()):
        return 0, []  # signed or encrypted: the field alone, by rule
    wrong: list[str] = []
    times = _times(case.copy, "1", {path: len(urls) for path, urls in found.items()}, wrong)
    wrong += [] if times == 1 or wrong else ["not visible"]
    addresses = {url for urls in found.values() for url in urls} | set(listed(case))
    wrong += ["not one address"] if len(addresses) > 1 else []
    wrong += [f"part {p}: {t.charset} does not decode" for p, t in texts.items() if found[p] and "\ufffd" in t.text]
    return max(sum(map(len, found.values())), 1), wrong


def _times(part: Message, path: str, found: dict[str, int], wrong: list[str]) -> int:
    """How often one reader of this part sees it: each alternative by itself, all other parts together."""
    if not part.is_multipart():
        return found.get(path, 0)
    inner = [(f"{path}.{number}", child) for number, child in enumerate(part.get_payload(), 1)]
    with_text = [(p, child) for p, child in inner if any(f == p or f.startswith(f"{p}.") for f in found)]
    times = [_times(child, p, found, wrong) for p, child in with_text]
    if part.get_content_type() == "multipart/alternative" and len(set(times)) > 1:
        wrong.append(f"in alternatives of part {path}: {times} times")
        return 1
    total = max(times, default=0) if part.get_content_type() == "multipart/alternative" else sum(times)
    if total > 1:
        wrong.append(f"part {path}: {total} times")
    return min(total, 1)


def visible(leaf: Leaf, base: str) -> list[str]:
    """Our opt-out addresses that a reader of this part sees as a link, or as text in plain text."""
    if leaf.type not in MARKUP:
        return re.findall(rf"{re.escape(base)}[^\s<>]+", leaf.text)
    return [url for url, words in see(leaf.text).links if url.startswith(base) and words]


def listed(case: Case) -> list[str]:
    return re.findall(r"<(\S+?)>", " ".join(case.copy.get_all("List-Unsubscribe", [])))


def header(case: Case) -> Found:
    """One List-Unsubscribe with one https address that works, one-click, both signed."""
    if not case.opt_out:
        return 0, []
    values, post = case.copy.get_all("List-Unsubscribe", []), case.copy.get_all("List-Unsubscribe-Post", [])
    wrong = [] if len(values) == 1 and len(listed(case)) == 1 else ["not one List-Unsubscribe with one address"]
    wrong += [] if post == ["List-Unsubscribe=One-Click"] else ["not one List-Unsubscribe-Post"]
    wrong += [] if all(u.startswith(case.opt_out) and case.opens(u[len(case.opt_out) :]) for u in listed(case)) else [
        "the address does not work"
    ]  # fmt: skip
    signed = re.sub(r"\s", "", str(case.copy.get("DKIM-Signature", ""))).lower()
    names = next((item[2:].split(":") for item in signed.split(";") if item.startswith("h=")), [])
    wrong += [] if {"list-unsubscribe", "list-unsubscribe-post"} <= set(names) else ["not signed"]
    return 1, wrong


def lines(case: Case) -> Found:
    bad = _BAD_LINE.search(case.after)
    return 1, [f"line over 998 octets or bare line end at {bad.start()}"] if bad else []


def body_kept(case: Case) -> Found:
    """No word of a text got lost: what was visible before is visible afterwards (cleaned addresses aside)."""
    wrong = []
    texts = [leaf for leaf in case.leaves if leaf.shown]
    sent = [leaf for leaf in case.sent if leaf.shown]
    for leaf in texts:
        words = _words(leaf)
        best = max((_kept(words, _words(other)) for other in sent if other.type == leaf.type), default=0)
        if best < len(words):
            wrong.append(
                f"part {leaf.path} ({leaf.type}, {leaf.charset}): {len(words) - best} of {len(words)} words lost"
            )
    return len(texts), wrong


def _words(leaf: Leaf) -> list[str]:
    text = " ".join(see(leaf.text).text) if leaf.type in MARKUP else leaf.text
    return re.sub(r"[^\s]*(?:://|www\.)[^\s]*", " ", text).split()


def _kept(words: list[str], seen: list[str]) -> int:
    return sum((Counter(words) & Counter(seen)).values())


CHECKS: dict[str, Callable[[Case], Found]] = {
    "receipts": receipts,
    "others": others,
    "attachments": attachments,
    "sealed": sealed_parts,
    "opt-out": opt_out,
    "opt-out header": header,
    "lines": lines,
    "words": body_kept,
}
