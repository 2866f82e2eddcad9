"""`python -m bench`: generator → gateway → sink, and the same load through a bare Postfix, by turns.

what:       builds both, proves the gateway's work on a few mails, measures rounds, prints the table
takes→gives: options → figures on standard output; exit 1 when something did not arrive
knows not:  how either of them works
standard:   DESIGN §6: ratios within one run, never an absolute time
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from bench import machine, ours
from bench.figures import Result, Round, table
from bench.generator import Load
from bench.postfix import Postfix, usable
from bench.process import BenchError
from bench.saying import say
from bench.sink import Sink
from gateway.demo.recorder import Recorder
from gateway.demo.stage import Stage, children

_ARRIVAL_LIMIT = 180.0
_PROOF = 10
_FAN_OUT = 500


@dataclass(frozen=True, slots=True)
class Case:
    """One load for both; a bare Postfix knows no passwords, so it is spared AUTH."""

    key: str
    name: str
    unit: str
    ours: Load
    peer: Load


def main() -> int:
    options = _options()
    say(*machine.described(), f"command   python -m bench {' '.join(sys.argv[1:])}".rstrip(), "")
    try:
        with tempfile.TemporaryDirectory(prefix="briefgeheim-bench-", dir=options.folder) as place, ExitStack() as ends:
            Path(place).chmod(0o755)
            results, signed = _measure(Path(place), options, ends)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say("", *table(results))
    fan_out = next((r for r in results if r.unit == "copies"), None)
    if signed and fan_out:
        part = fan_out.rate() / median(signed)
        say("", f"openssl speed rsa2048 on all cores: {median(signed):.0f} signatures/s; copies/s to that: {part:.2f}")
    return 0


def _measure(place: Path, options: argparse.Namespace, ends: ExitStack) -> tuple[list[Result], list[float]]:
    with closing(Recorder()) as recorder:
        port = recorder.listen("proof")
        stage = ours.build(place / "gateway", recorder, port, workers=options.workers, people=options.people)
        stage.start()
        ends.callback(stage.stop)
        cases = [case for case in _cases(stage, options) if case.key in options.loads]
        _run(replace(cases[0].ours, mails=_PROOF, recipients=1, sessions=2))
        recorder.wait_for(_PROOF, 30)
        ours.prove(stage, recorder.mails, _PROOF)
    sink = Sink(place, port)
    ends.callback(sink.close)
    assert stage.process is not None
    workers = children(stage.process.pid)
    why = "left out" if options.alone else usable()
    if why:
        say(f"no comparison: {why}")
        return _rounds(cases, sink, workers, options, None)
    with _postfix(place, port) as peer:
        cases = [replace(case, peer=replace(case.peer, port=peer.port)) for case in cases]
        return _rounds(cases, sink, workers, options, peer)


def _rounds(
    cases: list[Case], sink: Sink, workers: list[int], options: argparse.Namespace, peer: Postfix | None
) -> tuple[list[Result], list[float]]:
    found: dict[str, tuple[list[Round], list[Round]]] = {case.key: ([], []) for case in cases}
    signed: list[float] = []
    for turn in range(-1, options.rounds):  # the first warms both up and is not counted
        for case in cases:
            loads = [(case.ours, 0), (case.peer, 1)] if peer is not None else [(case.ours, 0)]
            for load, which in loads if turn % 2 else reversed(loads):
                first = (turn + 1) * load.mails * load.recipients
                mails = max(load.mails // 4, 1) if turn < 0 else load.mails
                used = machine.cpu_seconds(workers)
                measured = _timed(replace(load, first=first, mails=mails), sink)
                measured = replace(measured, cpu=machine.cpu_seconds(workers) - used)
                if turn >= 0:
                    found[case.key][which].append(measured)
                    cpu = "" if which else f", {measured.cpu / measured.number * 1e6:.0f} us of CPU each"
                    who = ("gateway", "postfix")[which]
                    say(f"round {turn + 1}  {case.name}: {who} {measured.rate:.0f}/s{cpu}")
        if turn >= 0 and (rate := machine.signatures_per_second(2)):
            signed.append(rate)
    return [Result(case.name, case.unit, *found[case.key]) for case in cases], signed


def _timed(load: Load, sink: Sink) -> Round:
    """From the generator's first connection until the last copy is in the sink."""
    before, copies = sink.count(), load.mails * load.recipients
    began = _run(load)
    until = time.monotonic() + _ARRIVAL_LIMIT
    while (there := sink.count() - before) < copies:
        if time.monotonic() > until:
            raise BenchError(f"{there} of {copies} copies arrived in {_ARRIVAL_LIMIT:.0f} s")
        time.sleep(0.005)
    if there > copies:
        raise BenchError(f"{there} copies arrived; {copies} were sent")
    return Round(copies, time.monotonic() - began)


def _run(load: Load) -> float:
    """Run the generator to its end; gives when it began (time.monotonic)."""
    line = [sys.executable, "-m", "bench.generator", load.to_json()]
    done = subprocess.run(line, capture_output=True, timeout=_ARRIVAL_LIMIT, check=False)
    if done.returncode:
        raise BenchError(f"generator: {done.stderr.decode()[-500:]}")
    return float(json.loads(done.stdout)["began"])


def _cases(stage: Stage, options: argparse.Namespace) -> list[Case]:
    authority = str(stage.folder / "certificate.pem")
    kept = Load(stage.ports["relay"][1], options.mails, sessions=20, people=options.people)
    fresh = replace(kept, mails=max(options.mails // 5, 1), fresh=True, authority=authority)
    login = replace(
        fresh, port=stage.ports["submission"][1], user=ours.CLIENT, password=stage.secrets[ours.CLIENT]
    )  # fmt: skip
    wide = replace(
        kept, mails=max(options.mails // _FAN_OUT, 1), recipients=_FAN_OUT, sessions=2, pipelining=True
    )  # fmt: skip
    return [
        Case("kept", "5 kB, one recipient, kept connections", "mails", kept, kept),
        Case("fresh", "5 kB, one recipient, connection + TLS + AUTH each", "mails", login, fresh),
        Case("wide", f"5 kB to {_FAN_OUT} recipients", "copies", wide, wide),
    ]


@contextmanager
def _postfix(place: Path, sink: int) -> Iterator[Postfix]:
    peer = Postfix(place / "postfix", sink, place / "gateway" / "certificate.pem", place / "gateway" / "key.pem")
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mails", type=int, default=3000, help="mails per round on kept connections")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=5000, help="readers in the registry")
    parser.add_argument("--workers", type=int, default=machine.cores())
    parser.add_argument("--loads", nargs="+", choices=("kept", "fresh", "wide"), default=["kept", "fresh", "wide"])
    parser.add_argument("--alone", action="store_true", help="without Postfix")
    parser.add_argument("--folder", type=Path, default=None, help="where to store; default the temporary folder")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
