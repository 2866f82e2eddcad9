"""The process that children are forked from: one thread, no keys, no settings, everything they use imported.

what:       orders in, children out; collects them when they end
takes→gives: kind, number, descriptor of a control wire → a child; its process id and handle, later its exit code
knows not:  what children do, settings, mail
fails by:   ending when the parent is gone; its children see that by themselves
standard:   DESIGN §4 Shape; fork(2): only where there is one thread, and before anything is opened
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from gateway.app.links import inherited, run
from gateway.app.nursery import LONGEST

_PLACE = "gateway.app."


def main() -> None:
    """`argv`: descriptor of the wire to the parent, listening sockets, modules to import."""
    orders, listening = socket.socket(fileno=int(sys.argv[1])), inherited(sys.argv[2])
    for name in sys.argv[3].split(","):
        import_module(name)
    gc.collect()
    gc.freeze()  # what is imported stays, and stays shared: no collection of a child writes to it
    Births(orders, listening).run()


@dataclass(slots=True)
class Births:
    """`orders` speaks with the parent, one message at a time."""

    orders: socket.socket
    listening: Mapping[str, socket.socket]

    def run(self) -> None:
        """Until the parent is gone."""
        ended, wake = socket.socketpair()
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, _nothing)  # without a handler the descriptor below would not be told
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self.orders, ended], [], [])
            if ended in ready:
                ended.recv(4096)
                self._collect()
            if self.orders in ready:
                order, wires, _, _ = socket.recv_fds(self.orders, LONGEST, 1, socket.MSG_CMSG_CLOEXEC)
                if not order:
                    return
                if not self._bear(json.loads(order), wires[0]):
                    ended.close()
                    wake.close()
                    self._become(json.loads(order), wires[0])

    def _bear(self, order: Mapping[str, Any], wire: int) -> bool:
        """Whether this is still the nursery, and not the child."""
        try:
            pid = os.fork()
        except OSError as error:
            os.close(wire)
            self._tell(errno=error.errno or 0)
            return True
        if pid == 0:
            return False
        os.close(wire)
        handle = os.pidfd_open(pid)
        self._tell(handle, born=pid)
        os.close(handle)
        return True

    def _become(self, order: Mapping[str, Any], wire: int) -> NoReturn:
        """The child's whole life."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.orders.close()
        kind, number = str(order["kind"]), int(order["number"])
        for name in self.listening.keys() - set(order["sockets"]):
            self.listening[name].close()
        with contextlib.suppress(OSError):  # where /proc is not there
            Path("/proc/self/comm").write_text(f"{kind}-{number}")
        serve = sys.modules[_PLACE + kind].serve
        run(serve, number, wire, {name: self.listening[name] for name in order["sockets"]})

    def _collect(self) -> None:
        """Every child that ended."""
        with contextlib.suppress(ChildProcessError):  # none is left
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._tell(ended=found[0], code=os.waitstatus_to_exitcode(found[1]))

    def _tell(self, *handles: int, **message: int) -> None:
        with contextlib.suppress(ConnectionError):  # the parent is gone, which the next look at the wire shows
            socket.send_fds(self.orders, [json.dumps(message).encode()], handles)


def _nothing(_number: int, _frame: object) -> None:
    """Only wakes up."""


if __name__ == "__main__":
    main()
