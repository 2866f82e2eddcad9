"""The log says nothing about people, and never stops mail."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from gateway.observe import maillog

ADDRESS = "anna@people.example"


class Gone(io.StringIO):
    """Standard error whose reader has left."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, raising = logging.getLogger(), logging.raiseExceptions
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], logging.raiseExceptions = handlers, raising
    root.setLevel(level)


def lines(monkeypatch: pytest.MonkeyPatch, level: str = "info") -> io.StringIO:
    out = io.StringIO()
    begin(monkeypatch, out, level)
    return out


def begin(monkeypatch: pytest.MonkeyPatch, out: io.StringIO | None, level: str) -> None:
    """As at the start of a process: the logger finds standard error at its first line and keeps it."""
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(maillog, "_log", structlog.get_logger("mail"))
    maillog.configure("json", level)  # type: ignore[arg-type]


def test_s01_whatever_is_logged_an_address_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    out = lines(monkeypatch)
    maillog.rejected("school", "crm", f"550 no such user <{ADDRESS}>", "m1")
    maillog.sent("m1", "school", b"\x01" * 32, "bulk", 250, 0.12345)
    maillog.fault("pipeline", ValueError(f"quotes {ADDRESS}"))
    logging.getLogger("library").error("failed for %s", ADDRESS)
    assert ADDRESS not in out.getvalue()
    assert "<address>" in out.getvalue()
    second = json.loads(out.getvalue().splitlines()[1])
    assert (second["person"], second["seconds"]) == ("010101010101", 0.123)


def test_a_fault_tells_type_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    out = lines(monkeypatch)
    try:
        raise KeyError(ADDRESS)
    except KeyError as error:
        maillog.fault("here", error)
    found = json.loads(out.getvalue())["fault"]
    assert found.startswith("KeyError at ")
    assert "test_maillog.py:" in found
    assert "@" not in found


def test_a_level_leaves_out_what_is_less(monkeypatch: pytest.MonkeyPatch) -> None:
    out = lines(monkeypatch, "error")
    maillog.recovered("x")
    assert out.getvalue() == ""


def test_a_log_that_is_closed_or_gone_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    for out in (closed, Gone(), None):
        begin(monkeypatch, out, "info")
        maillog.recovered("spool")
        maillog.fault("x", ValueError("y"))
        logging.getLogger("library").error("a line")
