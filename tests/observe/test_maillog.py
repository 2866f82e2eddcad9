"""The mail log: what a line may hold, in both forms, also when nobody can write it."""

from __future__ import annotations

import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from gateway.address import Address
from gateway.observe import maillog

PERSON = Address.parse("Jan.Jansen@example.nl")
FORMS: tuple[Literal["json", "console"], ...] = ("json", "console")
SPELLINGS = [
    "Jan.Jansen@example.nl",
    "<jan.jansen@EXAMPLE.nl>",
    "550 5.1.1 <jan.jansen@example.nl>: no such user",
    "mailto:jan.jansen@example.nl?subject=x",
    'to="jan.jansen@example.nl", cc=(jan.jansen@example.nl)',
    "jan.jansen@example.nl;piet@example.nl",
]


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    maillog._log = structlog.get_logger("mail")  # not the one another test bound
    root, raising = logging.getLogger(), logging.raiseExceptions
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    maillog._log = structlog.get_logger("mail")
    root.handlers[:], logging.raiseExceptions = handlers, raising
    root.setLevel(level)


Lines = pytest.CaptureFixture[str]


def events() -> list[str]:
    named = inspect.getmembers(maillog, inspect.isfunction)
    own = {"configure", "redact", "fault_place", "fault"}
    return [name for name, function in named if function.__module__ == maillog.__name__ and name not in own]


def say(event: str, text: str) -> None:
    """One line of this event, with `text` wherever it takes a text."""
    function = getattr(maillog, event)
    values: dict[str, object] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        values[name] = {"str": text, "int": 7, "float": 0.5, "bytes": text.encode(), "Mapping[str, int]": {"email": 7}}[
            str(parameter.annotation)
        ]
    function(**values)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("event", events())
def test_i7_no_form_of_an_address_gets_into_a_line(event: str, form: Literal["json", "console"], capsys: Lines) -> None:
    maillog.configure(form, "info")
    for text in SPELLINGS:
        say(event, text)
    written = capsys.readouterr().err.lower()
    assert written.count("\n") == len(SPELLINGS)
    assert "jansen" not in written
    assert "@example" not in written
    assert "<address>" in written, "the text itself was there"


@pytest.mark.parametrize("form", FORMS)
def test_a_pseudonym_is_shortened(form: Literal["json", "console"], capsys: Lines) -> None:
    maillog.configure(form, "info")
    maillog.blocked("m1", "alfa", bytes(range(32)), "opt-out", "list 7")
    written = capsys.readouterr().err
    assert "000102030405" in written
    assert "00010203040506" not in written


def test_a_json_line_is_one_object_with_time_and_level(capsys: Lines) -> None:
    maillog.configure("json", "info")
    maillog.sent("m1", "alfa", b"p" * 32, "bulk", 250, 0.12345)
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "event": "sent", "level": "info", "message": "m1", "organisation": "alfa", "person": "707070707070",
        "provider": "bulk", "code": 250, "seconds": 0.123,
    }  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_fault_says_where_and_never_what(form: Literal["json", "console"], capsys: Lines) -> None:
    maillog.configure(form, "info")
    try:
        raise ValueError(f"cannot read {PERSON.reveal()}")
    except ValueError as error:
        maillog.fault("pipeline", error)
    written = capsys.readouterr().err
    assert "ValueError at observe/test_maillog.py:" in written
    assert "cannot read" not in written


def test_the_level_counts(capsys: Lines) -> None:
    maillog.configure("json", "warning")
    maillog.recovered("spool")
    assert capsys.readouterr().err == ""
    maillog.trouble("spool", "SpoolFull")
    assert "SpoolFull" in capsys.readouterr().err


def test_lines_of_libraries_are_redacted_too(capsys: Lines) -> None:
    maillog.configure("json", "info")
    library = logging.getLogger("some.library")
    library.debug("DATA %s", "secret text")
    library.info("MAIL FROM:<%s>", PERSON.reveal())
    library.warning("refused %s", PERSON.reveal())
    try:
        raise RuntimeError(PERSON.reveal())
    except RuntimeError:
        library.exception("broken by %s", "jan@example.nl")
    written = capsys.readouterr().err
    assert "refused <address>" in written
    assert "broken by <address> (RuntimeError at observe/test_maillog.py:" in written
    assert "example.nl" not in written
    assert "MAIL FROM" not in written, "below WARNING a library may quote mail"


_CLOSED = """
import logging, os, sys
from gateway.observe import maillog
maillog.configure("json", "info")
{how}
for _ in range(3):
    maillog.trouble("spool", "SpoolFull")
    logging.getLogger("library").error("trouble")
print("still here")
"""


@pytest.mark.parametrize(
    "how", ["sys.stderr.close()", "os.close(2)", "os.dup2(os.open('/dev/full', os.O_WRONLY), 2)"], ids=str
)
def test_a_line_that_cannot_be_written_is_dropped_and_stops_nobody(how: str) -> None:
    done = subprocess.run([sys.executable, "-c", _CLOSED.format(how=how)], capture_output=True, text=True, timeout=180)
    assert done.stdout == "still here\n"


def test_without_any_standard_error_lines_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    maillog.configure("console", "info")
    maillog.trouble("spool", "SpoolFull")
