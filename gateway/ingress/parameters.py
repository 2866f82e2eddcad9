"""The arguments of MAIL and RCPT: path and parameters.

what:       one strict grammar for `FROM:<…> KEY=VALUE` and `TO:<…> KEY=VALUE`
takes→gives: text after the verb (what was not UTF-8 as surrogates) → `MailCommand`, `RecipientCommand`
knows not:  the session's order of commands, clients, sizes allowed
fails by:   `Refused` with the reply to give
standard:   RFC 5321 4.1.2, 4.5.3.1; 1870; 3461 4; 4954 5; 6152; 6531 3.4; R-008, R-021, R-100, R-109
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway import reply
from gateway.address import Address, InvalidAddress
from gateway.envelope import Notify, Recipient
from gateway.reply import Reply

_LOCAL, _DOMAIN, _PATH = 64, 255, 256
_ENVID, _ORCPT, _AUTH = 100, 500, 500

# A quoted local part may hold ">", so the path ends at the first ">" outside quotes.
_PATH_SHAPE = re.compile(r' *<((?:[^<>"\\\s]|"(?:[^"\\]|\\.)*"|\\.)*)>(?= |\Z)')
_SURROGATE = re.compile("[\ud800-\udfff]")
_SOURCE_ROUTE = re.compile(r"@[^:<>\"]*:")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_UTF8_ADDRESS = re.compile(r"(?:[^\x00-\x20\x7f+=]|\\x\{[0-9A-F]{2,6}\}|\+[0-9A-F]{2})+")
_DIGITS = re.compile(r"[0-9]{1,20}")


class Refused(Exception):
    """The command cannot be taken; `reply` says why, without repeating what was sent."""

    def __init__(self, why: Reply) -> None:
        super().__init__(str(why))
        self.reply = why


@dataclass(frozen=True, slots=True)
class MailCommand:
    """MAIL FROM. `sender` None is `<>`; `size` 0 is undeclared; AUTH= was checked and is not believed (R-100)."""

    sender: Address | None
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


def parse_mail(argument: str, *, extended: bool, auth_offered: bool) -> MailCommand:
    """`extended`: the session began with EHLO; `auth_offered`: AUTH is in its EHLO. Raises `Refused`."""
    path, rest = _split(argument, "FROM:", reply.BAD_SENDER_SYNTAX)
    values = _parameters(rest, _MAIL if auth_offered else _MAIL_WITHOUT_AUTH, extended)
    smtputf8 = "SMTPUTF8" in values
    return MailCommand(
        sender=_sender(path, smtputf8),
        size=int(values.get("SIZE", "0")),
        eight_bit=values.get("BODY") == "8BITMIME",
        smtputf8=smtputf8,
        ret=values.get("RET", ""),
        envid=values.get("ENVID", ""),
    )


def parse_recipient(argument: str, *, extended: bool, smtputf8: bool) -> Recipient:
    """`smtputf8`: MAIL had SMTPUTF8. Raises `Refused`."""
    path, rest = _split(argument, "TO:", reply.BAD_RECIPIENT_SYNTAX)
    values = _parameters(rest, _RCPT, extended)
    orcpt = values.get("ORCPT", "")
    if not orcpt.isascii() and not smtputf8:
        raise Refused(reply.SYNTAX)
    notify = frozenset(Notify(word) for word in values.get("NOTIFY", "").split(",") if word)
    return Recipient(_address(path, smtputf8, reply.BAD_RECIPIENT_SYNTAX), notify, orcpt)


def _split(text: str, keyword: str, syntax: Reply) -> tuple[str, str]:
    """The path without its brackets and source route, and what follows it."""
    if _SURROGATE.search(text):
        raise Refused(syntax)
    if text[: len(keyword)].upper() != keyword:
        raise Refused(reply.SYNTAX)
    match = _PATH_SHAPE.match(text, len(keyword))
    if match is None:
        raise Refused(syntax)
    if len(match[1].encode()) + 2 > _PATH:
        raise Refused(_too_long(syntax))
    # RFC 5321 appendix C: a source route is taken and ignored.
    return _SOURCE_ROUTE.sub("", match[1], count=1) if match[1].startswith("@") else match[1], text[match.end() :]


def _sender(path: str, smtputf8: bool) -> Address | None:
    if not path:
        return None
    address = _address(path, smtputf8, reply.BAD_SENDER_SYNTAX)
    if not address.domain:
        raise Refused(reply.BAD_SENDER_SYNTAX)
    return address


def _address(path: str, smtputf8: bool, syntax: Reply) -> Address:
    if not path.isascii() and not smtputf8:
        raise Refused(reply.NON_ASCII_WITHOUT_SMTPUTF8)
    local, _, domain = path.rpartition("@")
    if len(local.encode()) > _LOCAL or len(domain.encode()) > _DOMAIN:
        raise Refused(_too_long(syntax))
    try:
        return Address.parse(path)
    except InvalidAddress:
        raise Refused(syntax) from None


def _too_long(syntax: Reply) -> Reply:
    if syntax is reply.BAD_RECIPIENT_SYNTAX:
        return reply.PATH_TOO_LONG
    return reply.SENDER_TOO_LONG


Check = Callable[[str | None], str | None]
"""A parameter's value (None: none given) → the value as kept, or None when it is bad."""


def _parameters(text: str, known: dict[str, Check], extended: bool) -> dict[str, str]:
    """Name → checked value. Raises `Refused`: 555 unknown (or any after HELO), 501 doubled or bad."""
    values: dict[str, str] = {}
    for word in filter(None, text.split(" ")):
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise Refused(reply.SYNTAX)
        name = match[1].upper()
        if name not in known or not extended:
            raise Refused(reply.UNKNOWN_PARAMETER)
        kept = known[name](match[2])
        if kept is None or name in values:
            raise Refused(reply.SYNTAX)
        values[name] = kept
    return values


def _one_of(*words: str) -> Check:
    def check(value: str | None) -> str | None:
        return value.upper() if value is not None and value.upper() in words else None

    return check


def _size(value: str | None) -> str | None:
    return value if value is not None and _DIGITS.fullmatch(value) else None


def _flag(value: str | None) -> str | None:
    return "" if value is None else None


def _xtext(limit: int) -> Check:
    def check(value: str | None) -> str | None:
        return value if value is not None and len(value) <= limit and _XTEXT.fullmatch(value) else None

    return check


def _auth(value: str | None) -> str | None:
    return value if value == "<>" else _xtext(_AUTH)(value)


def _notify(value: str | None) -> str | None:
    words = (value or "").upper().split(",")
    if any(word not in Notify.__members__ for word in words):
        return None
    return None if "NEVER" in words and len(words) > 1 else ",".join(words)


def _orcpt(value: str | None) -> str | None:
    kind, separator, address = (value or "").partition(";")
    if not separator or len((value or "").encode()) > _ORCPT or not _ADDRESS_TYPE.fullmatch(kind):
        return None
    shape = _UTF8_ADDRESS if kind.lower() == "utf-8" else _XTEXT  # RFC 6533 3
    return value if shape.fullmatch(address) else None


_MAIL_WITHOUT_AUTH: dict[str, Check] = {
    "SIZE": _size,
    "BODY": _one_of("7BIT", "8BITMIME"),
    "SMTPUTF8": _flag,
    "RET": _one_of("FULL", "HDRS"),
    "ENVID": _xtext(_ENVID),
}
_MAIL: dict[str, Check] = _MAIL_WITHOUT_AUTH | {"AUTH": _auth}
_RCPT: dict[str, Check] = {"NOTIFY": _notify, "ORCPT": _orcpt}
