"""What a provider's answer means for one recipient.

what:       `Answer` and the tables that turn codes into a verdict
takes→gives: verb, code, text → `Answer`; `Answer` → `Judgement`
knows not:  sockets, queues, people, clock
fails by:   nothing: what makes no sense is temporary
standard:   RFC 5321 4.2, 4.5.3.1.10; RFC 3463; RFC 7372; R-009, R-014, R-082
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


class Verb(StrEnum):
    """Where in the dialogue an answer came."""

    CONNECT = "connect"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"  # after the final dot


class Verdict(StrEnum):
    """What follows for the row."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"
    PROVIDER = "provider"  # the provider's or our own trouble: slow the route, retry, alert


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply. `text` may quote an address, so it is kept out of every print; `brief` is safe to log."""

    verb: Verb
    code: int
    enhanced: str = ""
    text: str = field(default="", repr=False)

    @classmethod
    def read(cls, verb: Verb, code: int, text: str) -> Answer:
        """Split the enhanced code (RFC 2034) off `text`; one whose class disagrees with `code` is ignored."""
        match = _ENHANCED.match(text)
        if match is None or match[1] != str(code)[0]:
            return cls(verb, code, "", text)
        return cls(verb, code, match[0], text[match.end() :].lstrip())

    @property
    def brief(self) -> str:
        """Codes and place, without the provider's words."""
        return " ".join(part for part in (str(self.code), self.enhanced, f"at {self.verb}") if part)

    @property
    def line(self) -> str:
        """The whole answer on one line, for the diagnostic field of a report (RFC 3464 2.3.6)."""
        return " ".join(" ".join((str(self.code), self.enhanced, self.text)).split())

    @property
    def status(self) -> str:
        """Status for a report (RFC 3464 2.3.4): the enhanced code, else the class alone."""
        if self.enhanced:
            return self.enhanced
        return {2: "2.0.0", 5: "5.0.0"}.get(self.code // 100, "4.0.0")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`trouble` names the kind of provider trouble ("" if none); `person` says that the mailbox itself is at fault."""

    verdict: Verdict
    trouble: str = ""
    person: bool = False


# Second and third number of enhanced codes that speak about us or the provider and never about the recipient:
# RFC 7372 and the IANA registry (x.7.20 to x.7.29), and what large receivers use in the same sense.
_AUTHENTICATION = frozenset(
    {"7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27", "7.29", "7.30", "7.31", "7.32", "7.40"}
    | {"7.509", "7.515"}
)
_RATE = frozenset({"7.28", "7.705", "7.708", "4.5", "3.2"})
_REPUTATION = frozenset({"7.511", "7.513", *(f"7.{n}" for n in range(606, 650))})
_LOGIN_CODES = frozenset({530, 534, 535, 538})
# The mailbox is gone, was never there, or is shut (RFC 3463 3.2, 3.3).
_PERSON = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})


def judge(answer: Answer) -> Judgement:
    """The verdict on one answer. Total; answers outside 2xx, 4xx and 5xx are temporary."""
    kind = answer.code // 100
    if kind == 2:
        return Judgement(Verdict.DELIVERED)
    if trouble := _trouble(answer):
        return Judgement(Verdict.PROVIDER, trouble)
    if kind != 5 or (answer.verb is Verb.RCPT and answer.code == 552):
        return Judgement(Verdict.RETRY)
    return Judgement(Verdict.FAILED, person=_subject(answer) in _PERSON)


def _trouble(answer: Answer) -> str:
    subject = _subject(answer)
    if subject in _AUTHENTICATION:
        return "authentication"
    if subject in _REPUTATION:
        return "reputation"
    if answer.code in _LOGIN_CODES or answer.verb is Verb.LOGIN:
        return "login"
    if subject == "7.28" or (answer.code // 100 == 4 and subject in _RATE):
        return "rate"
    if answer.verb in (Verb.CONNECT, Verb.HELLO, Verb.TLS):
        return str(answer.verb)
    return "unavailable" if answer.code == 421 else ""


def _subject(answer: Answer) -> str:
    return answer.enhanced.partition(".")[2]
