"""An account of one mail in words, and what changed in it, line by line.

what:       lines for people, from what `explanation.explain` found
takes→gives: `Answer` → text lines; bytes before and after → a unified diff per variant
knows not:  files, settings, options
fails by:   nothing
standard:   I-11
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.explanation import Answer
from gateway.reply import SENDER_NOT_ALLOWED

Data = Mapping[str, Any]


def lines(account: Data) -> Iterator[str]:
    """The whole account of one mail."""
    if "refused" in account:
        yield f"  REFUSED as a whole: {account['refused']}"
        yield from _hint(str(account["refused"]))
        return
    marks = ", ".join(f"{name} {value}" for name, value in account["marks"].items())
    yield f"  stream {account['stream']}, by classify entry {account['classified_by']}{f' ({marks})' if marks else ''}"
    private = "private: each recipient gets a copy of their own" if account["private"] else "not private"
    signed = f"signed for {account['signed']}" if account["signed"] else "not signed"
    yield f"  {private}; provider {account['provider'] or 'none'}; {signed}"
    if compared := account["compared"]:
        own, same = compared["individual"], compared["common"]
        yield f"  other copies: {own} addresses differ per person, {same} are the same for all"
    if stop := account["stopped"]:
        yield f"  STOPPED by filter {stop['filter']}: {stop['action']}, {stop['kind']}: {stop['detail']}"
    for name, found in account["self_check"].items():
        yield f"  HELD by self_check: the copy of variant {name} is not as it should be: {'; '.join(found)}"
    yield from _content(account["content"])
    for person in account["recipients"]:
        yield from _person(person)
    for name, variant in account["variants"].items():
        yield from _variant(name, variant)


def differences(before: bytes, answer: Answer) -> dict[str, list[str]]:
    """A unified diff for the first recipient of each variant, by address; other copies differ only in their slots."""
    shown: dict[str, list[str]] = {}
    seen: set[str] = set()
    people: Any = answer.account["recipients"]
    for index, after in answer.finished.items():
        address, variant = people[index]["recipient"], people[index]["variant"]
        if variant not in seen:
            seen.add(variant)
            shown[address] = list(
                difflib.unified_diff(_text(before), _text(after), "as submitted", f"as it leaves to {address}",
                                     lineterm="", n=1)
            )  # fmt: skip
    return shown


def total(mails: int, actions: Iterable[str]) -> str:
    """What it comes to, in one line."""
    count = Counter(actions)
    words = {"deliver": "would leave", "refuse": "refused", "hold": "held"}
    found = ", ".join(f"{count[action]} {word}" for action, word in words.items() if count[action])
    return f"{mails} {'mail' if mails == 1 else 'mails'}: {found or 'nothing'}"


def _content(content: Data) -> Iterator[str]:
    for found in content["found"]:
        listed = f", {found['listed']} in a list" if found["listed"] else ""
        yield f"  content: {found['number']} {found['kind']}{listed}: {'; '.join(found['where'])}"
    for unread in content["unread"]:
        yield f"  content: part {unread['part']} cannot be looked into: {unread['why']}"


def _person(person: Data) -> Iterator[str]:
    yield f"  {person['recipient']}: {person['action'].upper()} by {person['rule']}: {person['fact']}"
    if person["reply"]:
        yield f"      reply {person['reply']}"
    for tried in person["rules_tried"]:
        yield f"      {'->' if tried['decided'] else '  '} {tried['rule']}: {tried['fact']}"
    if person["action"] != "refuse":
        yield f"      variant {person['variant']}"


def _variant(name: str, variant: Data) -> Iterator[str]:
    count = len(variant["edits"])
    yield f"  variant {name}: {count} {'edit' if count == 1 else 'edits'}"
    for edit in sorted(variant["edits"], key=lambda e: (e["part"] != "header", e["part"], e["start"])):
        yield f"      {edit['filter']}/{edit['kind']}: {_place(edit)} {_change(edit)}"
    for note in variant["outcomes"]:
        action = "" if note["action"] == "deliver" else f" ({note['action']})"
        yield f"      note of {note['filter']}: {note['kind']}{action} {note['detail']}".rstrip()


def _place(edit: Data) -> str:
    where = "header" if edit["part"] == "header" else f"part {edit['part']}"
    span = edit["start"] if edit["start"] == edit["end"] else f"{edit['start']}-{edit['end']}"
    return f"{where}, octets {span}" if "-" in str(span) else f"{where}, at octet {span}"


def _change(edit: Data) -> str:
    count = edit["inserted"]
    new = [f"{count} {'octet' if count == 1 else 'octets'}"] if count else []
    new += [f"the {slot} of each" for slot in edit["slots"]]
    if not new:
        return "removed"
    return ("inserted: " if edit["start"] == edit["end"] else "replaced by ") + " and ".join(new)


def _hint(refused: str) -> Iterator[str]:
    if refused.startswith(str(SENDER_NOT_ALLOWED)):
        yield "      its domain is not under domains: of the organisation; --any-sender explains as if it were"


def _text(raw: bytes) -> list[str]:
    return raw.decode("utf-8", "replace").split("\r\n")
