"""What a large attachment costs: one mail of 20 MB at a time, by turns through three ways.

usage:      python -m bench.attachment [--mails N] [--rounds N] [--megabytes N]
what:       seconds from the first command until the whole mail is at the provider: as a newsletter with all filters; as
            personal mail of an office, which the gateway only stores, signs and relays; and through a bare Postfix
takes→gives: options → figures on standard output; exit 1 when something did not arrive
knows not:  how either of them works; what a step costs (`python -m bench.stages`)
standard:   DESIGN §6: ratios within one run, never an absolute time
"""

from __future__ import annotations

import argparse
import base64
import os
import socket
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import machine, ours
from bench.mail import LIST, SENDER, address
from bench.postfix import Postfix, usable
from bench.process import BenchError
from bench.saying import say
from bench.sink import Sink
from gateway.demo.recorder import Recorder
from gateway.demo.stage import children

_ARRIVAL_LIMIT = 120.0
_HEAD = """From: Rezulto <{sender}>\r
To: {to}\r
Subject: Nieuws met een foto\r
Date: Sun, 22 Nov 2026 10:00:00 +0100\r
Message-ID: <{number}.{pid}@rezulto.nl>\r
{marks}MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="=_b"\r
\r
--=_b\r
Content-Type: text/plain; charset=utf-8\r
\r
De foto van de klas zit bij deze mail.\r
--=_b\r
Content-Type: image/jpeg; name="klas.jpg"\r
Content-Disposition: attachment; filename="klas.jpg"\r
Content-Transfer-Encoding: base64\r
\r
"""
_MARKS = f"Briefgeheim-Stream: newsletter\r\nBriefgeheim-List: {LIST}\r\nBriefgeheim-Basis: consent\r\n"
_TAIL = b"\r\n--=_b--\r\n"


@dataclass(slots=True)
class Way:
    """One server as one client sees it; seconds of each mail, and CPU seconds of the gateway's workers."""

    name: str
    port: int
    source: str
    marks: str = _MARKS
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def line(self, plain: float) -> str:
        middle, cpu = median(self.seconds), self.cpu / len(self.seconds)
        return (
            f"{self.name:44} {middle:.3f} s (least {min(self.seconds):.3f}), {cpu:.3f} s of CPU, {middle / plain:.2f}"
        )


def attachment(megabytes: float) -> bytes:
    """A picture in base64, as a mail program writes it, of about this many MB (10^6 octets) on the wire."""
    octets = int(megabytes * 1e6) // 78 * 57
    coded = base64.b64encode(b"\xff\xd8\xff\xe0" + os.urandom(octets - 4))
    return b"\r\n".join(coded[at : at + 76] for at in range(0, len(coded), 76))


def mail(number: int, coded: bytes, marks: str = _MARKS) -> bytes:
    to = address(number % 100)
    head = _HEAD.format(sender=SENDER, to=to, number=number, pid=os.getpid(), marks=marks)
    return head.encode("ascii") + coded + _TAIL


def send(way: Way, recipient: str, content: bytes) -> None:
    """One session without pipelining; the whole of DATA in one write."""
    here = (way.source, 0)
    with socket.create_connection(("127.0.0.1", way.port), 60, here) as line, line.makefile("rb") as replies:
        _expect(replies.readline(), b"220")
        for command in ("EHLO load.test.example", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{recipient}>"):
            line.sendall(f"{command}\r\n".encode())
            while (reply := replies.readline())[3:4] == b"-":
                pass
            _expect(reply, b"250")
        line.sendall(b"DATA\r\n")
        _expect(replies.readline(), b"354")
        line.sendall(content + b".\r\n")
        _expect(replies.readline(), b"250")
        line.sendall(b"QUIT\r\n")


def _expect(reply: bytes, code: bytes) -> None:
    if not reply.startswith(code):
        raise BenchError(f"expected {code.decode()}, heard {reply.decode('latin-1').strip()}")


def main() -> int:
    options = _options()
    say(*machine.described(), "")
    if why := usable():
        sys.stderr.write(f"no comparison: {why}\n")
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="briefgeheim-bench-", dir=options.folder) as place, ExitStack() as ends:
            Path(place).chmod(0o755)
            ways = _measure(Path(place), options, ends)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say("", *(way.line(median(ways[-1].seconds)) for way in ways))
    edited, plain = (median(way.seconds) for way in ways[:2])
    say(f"the filters add {100 * (edited / plain - 1):.0f} % to the gateway's own plain relay")
    return 0


def _measure(place: Path, options: argparse.Namespace, ends: ExitStack) -> list[Way]:
    with closing(Recorder()) as recorder:
        sink_port = recorder.listen("proof")
        stage = ours.build(place / "gateway", recorder, sink_port, workers=options.workers, people=100)
        stage.start()
        ends.callback(stage.stop)
        relay = stage.ports["relay"][1]
        ways = [Way("gateway, newsletter", relay, "127.0.0.1"), Way("gateway, personal mail", relay, "127.0.0.2", "")]
        for number, way in enumerate(ways):
            send(way, address(0), mail(number, attachment(0.1), way.marks))
            recorder.wait_for(number + 1, 30)
    sink = Sink(place, sink_port)
    ends.callback(sink.close)
    postfix = Postfix(
        place / "postfix", sink_port, place / "gateway" / "certificate.pem", place / "gateway" / "key.pem"
    )
    postfix.start()
    ends.callback(postfix.stop)
    assert stage.process is not None
    workers, coded = children(stage.process.pid), attachment(options.megabytes)
    ways.append(Way("bare Postfix", postfix.port, "127.0.0.1"))
    for turn in range(-1, options.rounds):  # the first warms all up and is not counted
        for way in ways:
            for number in range(options.mails if turn >= 0 else 1):
                used = machine.cpu_seconds(workers)
                seconds = _timed(way, mail(number + 1000 * (turn + 2), coded, way.marks), number, sink)
                if turn >= 0:
                    way.seconds.append(seconds)
                    way.cpu += machine.cpu_seconds(workers) - used
        say(f"round {turn + 1}  " + "  ".join(f"{way.seconds[-1]:.3f} s" for way in ways if way.seconds))
    return ways


def _timed(way: Way, content: bytes, number: int, sink: Sink) -> float:
    before, began = sink.count(), time.monotonic()
    send(way, address(number % 100), content)
    while sink.count() == before:
        if time.monotonic() - began > _ARRIVAL_LIMIT:
            raise BenchError(f"a mail did not arrive in {_ARRIVAL_LIMIT:.0f} s")
        time.sleep(0.002)
    return time.monotonic() - began


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.attachment", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mails", type=int, default=4, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=20, help="of attachment on the wire")
    parser.add_argument("--workers", type=int, default=machine.cores())
    parser.add_argument("--folder", type=Path, default=None, help="where to store; default the temporary folder")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
