"""Every SMTP reply the gateway can give: basic code, enhanced code and text as one value.

what:       `Reply` and the constants; texts are generic and never repeat an address
takes→gives: code, enhanced code, text → bytes for the wire
knows not:  sessions, policy
fails by:   `ValueError` when the two codes disagree or the text could break a line
standard:   RFC 5321 4.2, RFC 2034, RFC 3463, RFC 5248 (R-115)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_LINE_LIMIT = 512  # RFC 5321 4.5.3.1.5, with CRLF


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` e.g. 250, `enhanced` e.g. "2.1.5" (empty only where RFC 2034 has none), `text` one line of ASCII."""

    code: int
    enhanced: str
    text: str

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"reply code {self.code}: expected 200..599")
        if self.enhanced and self.enhanced[0] != str(self.code)[0]:
            raise ValueError(f"reply {self.code} {self.enhanced}: first digits must be equal (RFC 2034)")
        if self.enhanced and not _ENHANCED.fullmatch(self.enhanced):
            raise ValueError(f"enhanced code {self.enhanced}: expected class.subject.detail (RFC 3463 2)")
        if not self.enhanced and self.code // 100 in (4, 5):
            raise ValueError(f"reply {self.code} needs an enhanced code (RFC 2034)")
        if not self.text.isascii() or not self.text.isprintable():
            raise ValueError("reply text must be one line of printable ASCII")
        if len(str(self)) + 2 > _LINE_LIMIT:
            raise ValueError("reply line over 512 octets (RFC 5321 4.5.3.1.5)")

    @property
    def positive(self) -> bool:
        return self.code < 400

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500

    def because(self, reason: str) -> Reply:
        """The same reply with a reason added, cut to fit one line."""
        safe = "".join(c if c.isascii() and c.isprintable() else "?" for c in reason)
        return replace(self, text=f"{self.text}: {safe}"[: _LINE_LIMIT - 20])

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)


# Accepted
OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
QUEUED = Reply(250, "2.6.0", "Message stored")
BYE = Reply(221, "2.0.0", "Goodbye")
AUTHENTICATED = Reply(235, "2.7.0", "Authentication successful")
CANNOT_VERIFY = Reply(252, "2.5.2", "Cannot verify; send some mail")
START_TLS = Reply(220, "2.0.0", "Ready to start TLS")

# Go on (RFC 2034 has no enhanced code for 3xx)
START_DATA = Reply(354, "", "End data with <CR><LF>.<CR><LF>")


def challenge(prompt: bytes) -> bytes:
    """The line that asks for an answer in AUTH (RFC 4954 4); its space stays when the prompt is empty."""
    return b"334 " + base64.b64encode(prompt) + b"\r\n"


# Who we are (no enhanced code: RFC 2034 4)
def greeting(host: str) -> Reply:
    return Reply(220, "", f"{host} ESMTP")


def hello(host: str) -> Reply:
    """Answer to HELO."""
    return Reply(250, "", host)


def extended_hello(host: str, keywords: Sequence[str]) -> bytes:
    """Answer to EHLO, one line per keyword (RFC 5321 4.1.1.1)."""
    lines = (host, *keywords)
    return b"".join(
        f"250{'-' if index < len(keywords) else ' '}{line}\r\n".encode("ascii") for index, line in enumerate(lines)
    )


# Temporary
TRY_LATER = Reply(451, "4.3.0", "Cannot process now; try again later")
STORE_UNAVAILABLE = Reply(451, "4.3.1", "Mail store unavailable; try again later")
UNDECIDED = Reply(451, "4.3.2", "Cannot decide now; try again later")
CONGESTED = Reply(451, "4.4.5", "Too much mail in flight; try again later")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections; try again later")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors; goodbye")
IDLE = Reply(421, "4.4.2", "Idle too long; goodbye")
SHUTTING_DOWN = Reply(421, "4.3.2", "Service is stopping; try again later")
TLS_FAILED = Reply(454, "4.7.0", "TLS not available now")

# Refused: protocol
UNRECOGNIZED = Reply(500, "5.5.1", "Command unrecognized")
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")
BARE_LINE_END_COMMAND = Reply(500, "5.5.2", "Only CR LF ends a command line")
SYNTAX = Reply(501, "5.5.4", "Syntax error in parameters")
BAD_SENDER_SYNTAX = Reply(501, "5.1.7", "Bad sender address syntax")
SENDER_TOO_LONG = Reply(501, "5.1.7", "Address over the limits of RFC 5321 4.5.3.1")
BAD_RECIPIENT_SYNTAX = Reply(501, "5.1.3", "Bad recipient address syntax")
PATH_TOO_LONG = Reply(501, "5.1.3", "Address over the limits of RFC 5321 4.5.3.1")
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")
AUTH_BAD_BASE64 = Reply(501, "5.5.2", "Cannot decode that answer")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
BAD_SEQUENCE = Reply(503, "5.5.1", "Bad sequence of commands")
UNKNOWN_MECHANISM = Reply(504, "5.5.4", "Authentication mechanism not supported")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognized")
NON_ASCII_WITHOUT_SMTPUTF8 = Reply(553, "5.6.7", "Address needs SMTPUTF8")

# Refused: authorisation
TLS_REQUIRED = Reply(530, "5.7.0", "Must issue STARTTLS first")
AUTH_REQUIRED = Reply(530, "5.7.0", "Authentication required")
AUTH_NEEDS_TLS = Reply(538, "5.7.11", "Encryption required for this authentication")
BAD_CREDENTIALS = Reply(535, "5.7.8", "Authentication credentials invalid")
NOT_ALLOWED_HERE = Reply(554, "5.7.1", "This network may not send here")

# Refused: message
TOO_BIG = Reply(552, "5.3.4", "Message over the size limit")
BARE_LINE_END = Reply(550, "5.5.2", "Bare CR, bare LF or NUL in the message")
MALFORMED = Reply(550, "5.6.0", "Message format")
UNSUPPORTED_MEDIA = Reply(550, "5.6.1", "Message media not allowed")
LOOP = Reply(554, "5.4.6", "Mail loop")
NO_VALID_RECIPIENTS = Reply(554, "5.5.1", "No valid recipients")
UNQUALIFIED = Reply(554, "5.6.0", "Message format")
CANNOT_CONVERT = Reply(550, "5.6.3", "Message needs 8-bit transport that its route does not promise")

# Refused: policy
REFUSED = Reply(550, "5.7.1", "Refused by policy")
UNCLASSIFIED = Reply(550, "5.7.1", "Refused: no stream for this mail")
SENDER_NOT_ALLOWED = Reply(550, "5.7.1", "Refused: sender domain not allowed for this client")
NO_ROUTE = Reply(550, "5.7.1", "Refused: no provider mapped for this sender domain and stream")
LEAK = Reply(550, "5.7.1", "Refused: the mail shows other people's addresses")
CONTENT = Reply(550, "5.7.1", "Refused: the mail holds personal data of others")
CANNOT_INSPECT = Reply(550, "5.7.1", "Refused: an attachment cannot be looked into")
BLOCKED = Reply(550, "5.7.1", "Refused: recipient is blocked for this stream")
RESTRICTED = Reply(550, "5.7.1", "Refused: processing is restricted at the recipient's request")
NO_OPT_OUT = Reply(550, "5.7.1", "Refused: no place for the opt-out this stream must carry")
ENCRYPTION_NEEDED = Reply(550, "5.7.10", "Encryption needed")
