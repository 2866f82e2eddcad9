"""The mail log: one function per mail event, and redaction in this one place.

what:       structured log lines, JSON or console
takes→gives: names, numbers, pseudonyms as bytes (shortened here) → one line on standard error
knows not:  messages, addresses (values of type `Address` print as a mark by themselves)
fails by:   nothing; a line that cannot be written is dropped
standard:   I-7, S-01
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog

_ADDRESS_LIKE = re.compile(r"[^\s<>@,;:\"'()\[\]]+@[^\s<>@,;:\"'()\[\]]+")
_log = structlog.get_logger("mail")


def configure(form: Literal["json", "console"], level: str) -> None:
    """Set the form and level of all log lines of this process, libraries included."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Lines,
        cache_logger_on_first_use=True,
    )
    logging.raiseExceptions = False  # a library's line that cannot be written is dropped too
    # Libraries may write message lines and addresses below WARNING (aiosmtpd does at DEBUG).
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_RedactRecord())


class _Lines:
    """Writes a line to standard error, whole and at once; when that is closed or gone the line is dropped."""

    def __init__(self, *_: object) -> None:
        self._out = sys.stderr

    def msg(self, line: str) -> None:
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (OSError, ValueError, AttributeError):  # gone, closed, or never there (None)
            pass

    debug = info = warning = error = critical = msg


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Second line of defence: bytes become short hex, address-like text a mark, exceptions their type."""
    for key, value in event.items():
        if isinstance(value, bytes):
            event[key] = value[:6].hex()
        elif isinstance(value, str) and "@" in value:
            event[key] = _ADDRESS_LIKE.sub("<address>", value)
        elif isinstance(value, BaseException):
            event[key] = fault_place(value)
    return event


def fault_place(error: BaseException) -> str:
    """Type and innermost place of an error, without its text, which could quote mail."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    room_and_file = "/".join(trace.tb_frame.f_code.co_filename.split("/")[-2:])
    return f"{type(error).__name__} at {room_and_file}:{trace.tb_lineno}"


class _RedactRecord(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _ADDRESS_LIKE.sub("<address>", record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[1] is not None:
            record.msg = f"{record.msg} ({fault_place(record.exc_info[1])})"
            record.exc_info = None
            record.exc_text = None
        return True


def started(part: str, **numbers: object) -> None:
    _log.info("started", part=part, **numbers)


def stopped(part: str, **numbers: object) -> None:
    _log.info("stopped", part=part, **numbers)


def reloaded(version: str) -> None:
    _log.info("rules reloaded", version=version)


def reload_refused(errors: int, first: str) -> None:
    _log.error("rules not reloaded, the old ones stay", errors=errors, first=first)


def observing(notice: str) -> None:
    """A client's stream is observed at start or reload, or was; `notice` says which and until when."""
    _log.warning("observe mode", notice=notice)


def rekeyed(part: str) -> None:
    _log.info("all rows are under the newest key", part=part)


def login_failed(listener: str) -> None:
    _log.warning("login failed", listener=listener)


def session_refused(listener: str, code: int, reason: str) -> None:
    _log.info("session refused", listener=listener, code=code, reason=reason)


def accepted(message: str, organisation: str, client: str, stream: str, size: int, **rows: int) -> None:
    _log.info("accepted", message=message, organisation=organisation, client=client, stream=stream, size=size, **rows)


def rejected(organisation: str, client: str, reply: str, message: str = "") -> None:
    _log.info("rejected", organisation=organisation, client=client, reply=reply, message=message)


def sent(message: str, organisation: str, person: bytes, provider: str, code: int, seconds: float) -> None:
    _log.info(
        "sent",
        message=message,
        organisation=organisation,
        person=person,
        provider=provider,
        code=code,
        seconds=round(seconds, 3),
    )


def deferred(message: str, organisation: str, person: bytes, provider: str, why: str, attempts: int) -> None:
    _log.info(
        "deferred",
        message=message,
        organisation=organisation,
        person=person,
        provider=provider,
        why=why,
        attempts=attempts,
    )


def failed(message: str, organisation: str, person: bytes, provider: str, why: str) -> None:
    _log.warning("failed", message=message, organisation=organisation, person=person, provider=provider, why=why)


def uncertain(message: str, organisation: str, person: bytes, provider: str) -> None:
    _log.warning("final reply lost", message=message, organisation=organisation, person=person, provider=provider)


def blocked(message: str, organisation: str, person: bytes, rule: str, fact: str) -> None:
    _log.info("blocked", message=message, organisation=organisation, person=person, rule=rule, fact=fact)


def held(message: str, organisation: str, reason: str, rows: int = 1) -> None:
    _log.warning("held", message=message, organisation=organisation, reason=reason, rows=rows)


def operator_act(message: str, organisation: str, act: str, operator: str, rows: int) -> None:
    _log.warning("operator act", message=message, organisation=organisation, act=act, operator=operator, rows=rows)


def inspected(message: str, organisation: str, unread: int, found: Mapping[str, int]) -> None:
    """Personal data, or something that cannot be looked into, in the content of a mail: kinds and numbers only."""
    _log.info("content", message=message, organisation=organisation, unread=unread, **found)


def quarantined(message: str, organisation: str, fault: str) -> None:
    _log.error("quarantined", message=message, organisation=organisation, fault=fault)


def self_check_failed(message: str, organisation: str, what: str) -> None:
    _log.error("self-check failed", message=message, organisation=organisation, what=what)


def undecided(message: str, organisation: str, why: str) -> None:
    _log.warning("stored undecided", message=message, organisation=organisation, why=why)


def opted_out(organisation: str, person: bytes, scope: str, way: str) -> None:
    _log.info("opted out", organisation=organisation, person=person, scope=scope, way=way)


def trouble(part: str, why: str) -> None:
    _log.error("trouble", part=part, why=why)


def recovered(part: str) -> None:
    _log.info("recovered", part=part)


def fault(where: str, error: BaseException) -> None:
    """A fault of ours at a boundary: type and place, never its text."""
    _log.error("fault", where=where, fault=fault_place(error))


def audit_signed(shard: str, number: int, chain: str, key: int) -> None:
    """A checkpoint of the audit: where the log goes elsewhere, it proves later that nothing was cut off."""
    _log.info("audit signed", shard=shard, number=number, chain=chain, key=key)


def purged(organisation: str, data_class: str, count: int) -> None:
    _log.info("purged", organisation=organisation, data_class=data_class, count=count)


def breach_opened(organisation: str, number: int, message: str, people: int) -> None:
    _log.error("breach opened", organisation=organisation, number=number, message=message, people=people)


def hold_alert(message: str, organisation: str, stream: str, reason: str) -> None:
    """Contract or safety mail is held: a person must look now (GDPR 22)."""
    _log.error("contract mail held", message=message, organisation=organisation, stream=stream, reason=reason)


def probe_passed(organisation: str, seconds: float) -> None:
    _log.info("opt-out probe passed", organisation=organisation, seconds=round(seconds, 3))


def probe_failed(organisation: str, step: str, why: str, failures: int) -> None:
    _log.error("opt-out probe failed", organisation=organisation, step=step, why=why, failures=failures)


def paused_mail_released(organisation: str, rows: int) -> None:
    _log.warning("mail released, the opt-out works again", organisation=organisation, rows=rows)
