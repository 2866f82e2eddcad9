"""A bare Postfix that only relays: own settings, own queue, a free loopback port; /etc/postfix stays as it is.

what:       the peer: smtpd → cleanup → queue on disk → smtp, with Debian's defaults
takes→gives: an empty folder, the sink's port → a running Postfix with its port
knows not:  the gateway
fails by:   `BenchError` with Postfix's own words
"""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from pathlib import Path

from bench.process import BenchError, tool
from bench.sink import free_port

# Defaults unless a line says why not. No log file and no syslog: what is left out can only make it faster.
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {commands}
daemon_directory = {daemons}
myhostname = bare.test.example
mydestination =
alias_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [127.0.0.1]:{sink}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_chain_files = {key}, {certificate}
# The default of 1s makes smtpd wait for delivery: rather let it take mail as fast as it can.
in_flow_delay = 0
# Its clients are all on one address, and count their connections per minute.
smtpd_client_connection_count_limit = 0
# One copy per recipient, as the gateway makes; without this 50 recipients share a copy.
smtp_destination_recipient_limit = {share}
# The gateway's default; Postfix's own is 10 MB.
message_size_limit = 52428800
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
"""


class Postfix:
    """Started by `start`, ended by `stop`; both may be called again."""

    def __init__(self, folder: Path, sink: int, certificate: Path, key: Path) -> None:
        """`folder` must not exist and must be reachable for the user postfix."""
        self._conf = folder / "conf"
        self.port = free_port()
        for name in ("", "conf", "queue", "data"):
            (folder / name).mkdir()
            (folder / name).chmod(0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
        daemons = _setting("daemon_directory")
        main = _MAIN.format(
            folder=folder, commands=_setting("command_directory"), daemons=daemons, sink=sink, share=1,
            key=key, certificate=certificate,
        )  # fmt: skip
        (self._conf / "main.cf").write_text(main, "ascii")
        (self._conf / "master.cf").write_text(_MASTER.format(port=self.port), "ascii")

    def start(self) -> None:
        self._order("start")
        until = time.monotonic() + 10
        while self._order("status", check=False):
            if time.monotonic() > until:
                raise BenchError("Postfix did not start")
            time.sleep(0.1)

    def stop(self) -> None:
        self._order("stop", check=False)
        until = time.monotonic() + 30
        while not self._order("status", check=False) and time.monotonic() < until:
            time.sleep(0.1)

    def _order(self, what: str, *, check: bool = True) -> int:
        # Not inherited pipes: Postfix's master would keep them open.
        log = self._conf.parent / "orders.txt"
        with log.open("ab") as out:
            done = subprocess.run(
                [tool("postfix") or "postfix", "-c", str(self._conf), what],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60, check=False,
            )  # fmt: skip
        if check and done.returncode:
            raise BenchError(f"postfix {what}: {log.read_text('utf-8', 'replace')[-500:]}")
        return done.returncode


def usable() -> str:
    """Why there is no Postfix to compare with, or ""."""
    if not (tool("postfix") and tool("smtp-sink")):
        return "Debian's package postfix is not installed"
    return "" if os.geteuid() == 0 else "Postfix starts as root only"


def _setting(name: str) -> str:
    """A compiled-in default; installed settings are not read."""
    done = subprocess.run([tool("postconf") or "postconf", "-d", "-h", name], capture_output=True, check=True)
    return done.stdout.decode().strip()
