"""Finished octets held against what they should be. Whatever differs is a fault of ours, and the copy waits.

what:       the list of differences between a finished copy and its `Expectation`
takes→gives: octets, expectation, this copy's opt-out address, public key → words that name nobody
knows not:  who the other recipients are (`Reading.addresses` gives delivery what to look up)
fails by:   nothing
standard:   DESIGN I-1, I-5, I-6; R-031, R-036, R-041, R-084
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.proof.expectation import Expectation
from gateway.proof.reading import Node, Reading
from gateway.proof.signature import fault

_ONCE = ("From", "Date", "Message-ID")
_AT_MOST_ONCE = (
    "To",
    "Cc",
    "Sender",
    "Reply-To",
    "Subject",
    "MIME-Version",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)
_NEVER = ("Bcc", "Resent-Bcc", "Return-Path")


def examine(
    octets: bytes, reading: Reading, expectation: Expectation, *, opt_out: str, key: RSAPublicKey | None
) -> list[str]:
    """What is not as it should be; empty when all is well. `key` None: this copy is not signed."""
    found = [
        *_header(reading, expectation),
        *_tree(reading.nodes, expectation),
        *_opt_outs(reading, expectation, opt_out),
    ]
    if key is not None and (why := fault(octets, key)):
        found.append(why)
    return found


def _header(reading: Reading, expectation: Expectation) -> Iterator[str]:
    for name in _ONCE:
        if (number := reading.count(name)) != 1:
            yield f"{number} {name} fields"
    for name in _AT_MOST_ONCE:
        if (number := reading.count(name)) > 1:
            yield f"{number} {name} fields"
    for name in _NEVER:
        if reading.count(name):
            yield f"a {name} field"
    if expectation.private and reading.count("To") != 1:
        yield f"{reading.count('To')} To fields on private mail"
    if expectation.private and len(reading.header_addresses()) > 1:
        yield "more than one address in To and Cc"


def _tree(nodes: tuple[Node, ...], expectation: Expectation) -> Iterator[str]:
    wanted = expectation.nodes
    if [(n.depth, n.media_type) for n in nodes] != [(n.depth, n.media_type) for n in wanted]:
        yield f"another tree: {len(nodes)} parts where {len(wanted)} were"
        return
    differing = [at for at, (new, old) in enumerate(zip(nodes, wanted, strict=True)) if new.digest != old.digest]
    if expectation.changed is None:
        if len(differing) > expectation.edits:
            yield f"{len(differing)} parts changed where {expectation.edits} were edited"
        return
    for at in sorted(set(differing) - set(expectation.changed)):
        yield f"part number {at + 1} ({wanted[at].media_type}) changed, though nothing in it was edited"


def _opt_outs(reading: Reading, expectation: Expectation, opt_out: str) -> Iterator[str]:
    if not opt_out:
        return
    number = sum(text.count(opt_out) for text in reading.texts())
    if number != expectation.opt_outs:
        yield f"the opt-out stands {number} times in the text where {expectation.opt_outs} were written"
    listed = reading.values("List-Unsubscribe")
    if expectation.listed and not (len(listed) == 1 and opt_out in listed[0]):
        yield "List-Unsubscribe does not hold the opt-out"
