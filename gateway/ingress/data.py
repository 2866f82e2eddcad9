"""The octets after DATA: finds the one true end, refuses everything ambiguous, takes the dots out.

what:       an incremental reader, fed with whatever the network gave
takes→gives: chunks → the exact message (CR LF kept, dots unstuffed, final dot line gone) or the reply that refuses it
knows not:  sockets, headers, policy; long lines are not its business
fails by:   `refusal` and `ambiguous`; never raises on any input
standard:   RFC 5321 2.3.8, 4.1.1.4, 4.5.2; RFC 1870; CVE-2023-51764, CVE-2024-27305; I-8, R-002..R-004, R-006
"""

from __future__ import annotations

from gateway import base64_lines, reply
from gateway.ingress.limits import Budget
from gateway.reply import Reply

_END = b"\r\n.\r\n"
_OVERRUN = 2**20


class DataReader:
    """Feed it until `feed` says where the message ended, then ask `refusal`, `ambiguous` and `content`.

    `limit` counts octets of the message itself, as SIZE does (RFC 1870 5). Octets kept are reserved in `budget`;
    whoever takes the content calls `release` when done. A refused message keeps nothing, and is read to its true end.
    """

    def __init__(self, limit: int, budget: Budget) -> None:
        self._limit = limit
        self._budget = budget
        self._chunks: list[bytes] = []
        self._tail = b"\r\n"  # the line before the first octet ended with DATA's own CR LF
        self._returns = self._feeds = self._pairs = 0
        self._stuffed = 0
        self._refusal: Reply | None = None
        self.reserved = 0
        self.octets = 0
        self.ambiguous = False

    def feed(self, chunk: bytes) -> int:
        """Take `chunk`. Gives -1 while the message goes on, else how many octets of `chunk` were still part of it."""
        if self._tail[-1:] not in (b"\r", b".") and (pairs := base64_lines.lines(chunk)):
            return self._feed_plain(chunk, pairs)
        window = self._tail + chunk
        found = window.find(_END)
        if found < 0:
            self._take(chunk, len(chunk), slack=len(_END) - 2)  # up to that much may turn out to be the end
            self._tail = window[-4:]
            return -1
        used = found + len(_END) - len(self._tail)
        self._take(chunk[:used], found + 2 - len(self._tail), slack=0)
        return used

    @property
    def refusal(self) -> Reply | None:
        """Why this message is refused, as far as known; ambiguous line ends come first."""
        return reply.BARE_LINE_END if self.ambiguous else self._refusal

    @property
    def hopeless(self) -> bool:
        """Whether a refused message goes on so long that its end is not worth waiting for."""
        return self.refusal is not None and self.octets > 2 * self._limit + _OVERRUN

    def content(self) -> bytes:
        """The message. Only for one that ended and was not refused; the chunks are let go."""
        raw = b"".join(self._chunks)[: self.octets]  # shorter only when the final dot began in an earlier chunk
        self._chunks.clear()
        if not self._stuffed:
            return raw
        # RFC 5321 4.5.2: one leading dot of each line goes. The end was found before, on the octets as they came.
        return raw.replace(b"\r\n.", b"\r\n").removeprefix(b".")

    def release(self) -> None:
        """Give the reserved octets back."""
        self._budget.give_back(self.reserved)
        self.reserved = 0

    def _feed_plain(self, chunk: bytes, pairs: int) -> int:
        """Only whole lines of an attachment, behind an octet that no end began with: no dot, and `pairs` CR LF."""
        self._returns += pairs
        self._feeds += pairs
        self._pairs += pairs
        self._keep(chunk, len(chunk), slack=len(_END) - 2)
        self._tail = chunk[-4:]
        return -1

    def _take(self, piece: bytes, gain: int, slack: int) -> None:
        """Check `piece` and keep it; `gain` octets of it (below 0 when the end began earlier) are message."""
        self._look_for_ambiguity(piece)
        self._stuffed += (self._tail[-2:] + piece[:gain]).count(b"\r\n.") if gain >= 0 else -1
        self._keep(piece, gain, slack)

    def _keep(self, piece: bytes, gain: int, slack: int) -> None:
        self.octets += gain
        if self.ambiguous:
            self._drop(reply.BARE_LINE_END)
        elif self.octets - self._stuffed > self._limit + slack:
            self._drop(reply.TOO_BIG)
        elif self._refusal is None and not self._budget.take(len(piece)):
            self._drop(reply.CONGESTED)
        elif self._refusal is None:
            self.reserved += len(piece)
            self._chunks.append(piece[:gain] if gain > 0 else b"")

    def _look_for_ambiguity(self, piece: bytes) -> None:
        # Every CR must be followed by LF and every LF preceded by CR, over the whole stream: then three counts agree,
        # but for a CR at the very end, which may still get its LF with the next chunk.
        self._returns += piece.count(b"\r")
        self._feeds += piece.count(b"\n")
        self._pairs += (self._tail[-1:] + piece).count(b"\r\n")
        waiting = 1 if piece.endswith(b"\r") else 0
        if self._feeds != self._pairs or self._returns != self._pairs + waiting or b"\0" in piece:
            self.ambiguous = True

    def _drop(self, why: Reply) -> None:
        self._refusal = self._refusal or why
        self._chunks.clear()
        self.release()
