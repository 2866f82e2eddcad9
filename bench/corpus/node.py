"""Programs of others that run under node: asked a line, answering a line.

what:       a child process of `tests/clients/NAME.mjs`, started when first asked
takes→gives: bytes, or a JSON document → a JSON document
knows not:  what is asked
fails by:   `NodeGone` when it does not answer
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parents[2] / "tests" / "clients"


class NodeGone(Exception):
    """The child process ended."""


def usable() -> str:
    """Why the scripts cannot run; "" when they can."""
    if shutil.which("node") is None:
        return "node is not installed"
    missing = [name for name in ("postal-mime", "mailauth") if not (CLIENTS / "node_modules" / name).exists()]
    return f"npm packages missing: {', '.join(missing)} (make tools)" if missing else ""


@dataclass(slots=True)
class Script:
    name: str
    _process: subprocess.Popen[bytes] | None = field(default=None)

    def ask(self, question: bytes | dict[str, Any]) -> Any:
        """The answer to one mail, or to one JSON document."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        line = base64.b64encode(question) if isinstance(question, bytes) else json.dumps(question).encode()
        process.stdin.write(line + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise NodeGone(self.name)
        return json.loads(answer)

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        line = ["node", str(CLIENTS / f"{self.name}.mjs")]
        self._process = subprocess.Popen(
            line, cwd=CLIENTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return self._process
