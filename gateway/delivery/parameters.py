"""The two envelope commands, with only the parameters that the hop offers and that this copy may carry.

what:       `Offers` (what EHLO said), and MAIL and RCPT as bytes
takes→gives: envelope of one copy, `Offers` → command lines; the obstacle, where the hop cannot take the copy
knows not:  sockets, policy, MIME
fails by:   `ValueError` on a control character or space that could break a command
standard:   RFC 1870, 3461 5.2, 4954 5, 6152, 6531 3.4, 9422; R-106, R-110..R-112, R-116, R-120
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.envelope import Notify

_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_UNSAFE_IN_PATH = re.compile(r"[\x00-\x1f\x7f]")
_XTEXT_PLAIN = re.compile(rb"[^!-*,-<>-~]")  # RFC 3461 4: all but "+", "=" and what is not printable ASCII


@dataclass(frozen=True, slots=True)
class Offers:
    """What one connection's EHLO offered. `size` 0 means no limit stated; `messages` 0 no LIMITS MAILMAX."""

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    size_known: bool = False
    size: int = 0
    messages: int = 0
    authenticated: bool = False

    @classmethod
    def read(cls, extensions: Mapping[str, str], *, authenticated: bool) -> Offers:
        """`extensions`: EHLO keyword in lower case → its parameters."""
        limits = dict(part.split("=", 1) for part in extensions.get("limits", "").upper().split() if "=" in part)
        return cls(
            pipelining="pipelining" in extensions,
            eight_bit="8bitmime" in extensions,
            smtputf8="smtputf8" in extensions,
            dsn="dsn" in extensions,
            size_known="size" in extensions,
            size=_number(extensions.get("size", "")),
            messages=_number(limits.get("MAILMAX", "")),
            authenticated=authenticated,
        )


@dataclass(frozen=True, slots=True)
class Path:
    """The envelope of one copy, as it was stored. `sender` "" is the null reverse-path."""

    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    notify: frozenset[str] = frozenset()
    orcpt: str = field(default="", repr=False)
    envid: str = field(default="", repr=False)
    ret: str = ""
    split: bool = False

    @property
    def utf8(self) -> bool:
        return not (self.sender.isascii() and self.recipient.isascii())


@dataclass(frozen=True, slots=True)
class Needs:
    """What the content asks of a hop: its size in octets (RFC 1870: CRLF counted, stuffed dots not), 8 bit, UTF-8."""

    size: int
    eight_bit: bool
    utf8: bool


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a hop cannot take a copy: status of RFC 3463 and a sentence for people."""

    status: str
    reason: str


def obstacle(path: Path, needs: Needs, offers: Offers) -> Obstacle | None:
    """Why this hop cannot take this copy, found without sending anything; None when it can."""
    if offers.size and needs.size > offers.size:
        return Obstacle("5.3.4", "the message is larger than the provider takes")
    if path.utf8 and not offers.smtputf8:
        return Obstacle("5.6.7", "the address needs SMTPUTF8, which the provider does not offer")
    if needs.utf8 and not offers.smtputf8:
        return Obstacle("5.6.9", "the header needs SMTPUTF8, which the provider does not offer")
    if needs.eight_bit and not offers.eight_bit:
        return Obstacle("5.6.3", "the message needs 8-bit transport, which the provider does not offer")
    return None


def mail_command(path: Path, needs: Needs, offers: Offers) -> bytes:
    """MAIL FROM with CRLF."""
    words = [f"MAIL FROM:<{_path(path.sender)}>"]
    if offers.size_known:
        words.append(f"SIZE={needs.size}")
    if offers.eight_bit and needs.eight_bit:
        words.append("BODY=8BITMIME")
    if offers.smtputf8 and (path.utf8 or needs.utf8):
        words.append("SMTPUTF8")
    if offers.dsn and not path.split:
        words += [f"RET={_word(path.ret)}"] * bool(path.ret) + [f"ENVID={_word(path.envid)}"] * bool(path.envid)
    if offers.authenticated:
        words.append("AUTH=<>")
    return " ".join(words).encode() + b"\r\n"


def rcpt_command(path: Path, offers: Offers) -> bytes:
    """RCPT TO with CRLF."""
    words = [f"RCPT TO:<{_path(path.recipient)}>"]
    if offers.dsn:
        words += _split_parameters(path) if path.split else _own_parameters(path)
    return " ".join(words).encode() + b"\r\n"


def _own_parameters(path: Path) -> list[str]:
    words = []
    if path.notify:
        words.append("NOTIFY=" + ",".join(n for n in Notify if n in path.notify))
    if path.orcpt:
        words.append(f"ORCPT={_word(path.orcpt)}")
    return words


def _split_parameters(path: Path) -> list[str]:
    # A copy of a split is a new message to one person: the original's wishes are not passed on (RFC 3461 5.2.7.1).
    if Notify.NEVER in path.notify:
        return ["NOTIFY=NEVER"]
    own = [f"ORCPT=rfc822;{xtext(path.recipient)}"] if path.recipient.isascii() else []
    return ["NOTIFY=FAILURE", *own]


def xtext(text: str) -> str:
    """RFC 3461 4: ASCII with "+", "=" and everything unprintable as +HH."""
    return _XTEXT_PLAIN.sub(lambda m: b"+%02X" % m[0][0], text.encode("ascii")).decode("ascii")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _word(text: str) -> str:
    if _UNSAFE.search(text):
        raise ValueError("an envelope parameter holds a control character or a space")
    return text


def _path(text: str) -> str:
    if _UNSAFE_IN_PATH.search(text):
        raise ValueError("an envelope address holds a control character")
    return text
