"""The tree of a message as each of four parsers sees it, in one form that can be compared.

Ours, Python's standard library, fast_mail_parser (Rust) and postal-mime (JavaScript, in one node process). What is the
same for every message is evened out here, and only this:

- the standard library keeps no content of message/* but message/rfc822, and no other parser looks into message/global:
  such leaves are compared by what is kept;
- a message/rfc822 with a transfer encoding (RFC 2046 5.2.1 forbids it) is a leaf without content;
- a Content-Type without exactly one slash means text/plain (RFC 2045 5.2); two parsers give it as it is written;
- content is compared as lines, without line ends at its end (postal-mime ends each line with LF).

What depends on the message is in `differences.py`.
"""

from __future__ import annotations

import base64
import binascii
import email
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message as StdlibMessage
from pathlib import Path
from typing import Any

import fast_mail_parser

from gateway.message.encodings import IDENTITY, decode
from gateway.message.parse import MalformedMessage, Part, parse

SCRIPT = Path(__file__).resolve().parents[1] / "clients" / "tree.mjs"
RFC822 = "message/rfc822"


class NoTree(Exception):
    """This parser does not read the message; the text says why."""


@dataclass(frozen=True)
class Node:
    """One entity. `digest` is of the decoded content of a leaf, "" of a container and where a parser keeps none."""

    type: str
    digest: str = ""
    children: tuple[Node, ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.children))
        return f"{self.type}[{inner}]" if self.children else f"{self.type} {self.digest}".strip()


Reader = Callable[[bytes], Node]


def same(one: Node, other: Node) -> bool:
    """Equal trees; a message/* leaf whose content one of the two does not keep is equal by its type."""
    if one.type != other.type or len(one.children) != len(other.children):
        return False
    kept = one.digest and other.digest
    if one.digest != other.digest and (kept or not one.type.startswith("message/")):
        return False
    return all(map(same, one.children, other.children))


def digest(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n").rstrip(b"\n")).hexdigest()[:12]


def _type(written: str) -> str:
    return written if written.count("/") == 1 else "text/plain"


def ours(raw: bytes) -> Node:
    """As `gateway.message.parse` sees it. `NoTree` when it is refused."""
    try:
        root = parse(raw).root
    except MalformedMessage as error:
        raise NoTree(error.reason) from None
    return _ours(raw, root)


def _ours(raw: bytes, part: Part) -> Node:
    kind = part.content_type
    if kind == RFC822 and part.encoding not in IDENTITY:
        return Node(kind)
    if kind.startswith("multipart/") or (part.children and kind == RFC822):
        return Node(kind, children=tuple(_ours(raw, child) for child in part.children))
    return Node(kind, digest(decode(part.encoding, raw[slice(*part.body)])))


def stdlib(raw: bytes) -> Node:
    """As `email.message_from_bytes` sees it."""
    return _stdlib(email.message_from_bytes(raw))


def _stdlib(part: StdlibMessage) -> Node:
    kind, payload = part.get_content_type(), part.get_payload()
    if kind == RFC822 and str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower() not in IDENTITY:
        return Node(kind)
    if kind.startswith("multipart/") or (isinstance(payload, list) and kind == RFC822):
        children = payload if isinstance(payload, list) else []
        return Node(kind, children=tuple(_stdlib(child) for child in children))  # type: ignore[arg-type]
    if isinstance(payload, list):
        return Node(kind)  # message/delivery-status and its like are taken apart
    try:
        content = part.get_payload(decode=True)
    except (binascii.Error, ValueError):
        content = b""
    assert isinstance(content, bytes)
    return Node(kind, digest(content))


def rust(raw: bytes) -> Node:
    """As fast_mail_parser sees it. `NoTree` for what it does not read."""
    try:
        return _rust(fast_mail_parser.parse_email_tree(raw))
    except fast_mail_parser.ParseError as error:
        raise NoTree(str(error)) from None


def _rust(part: Any) -> Node:
    kind = _type(part.content_type)
    named = {name.lower(): values for name, values in part.headers.items()}
    if kind == RFC822 and named.get("content-transfer-encoding", ["7bit"])[0].strip().lower() not in IDENTITY:
        return Node(kind)
    if part.children or part.content is None:
        return Node(kind, children=tuple(map(_rust, part.children)))
    return Node(kind, digest(part.content))


class Postal:
    """One node process that reads one message after another."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, raw: bytes) -> Node:
        """As postal-mime sees it. `NoTree` for what it does not read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(base64.b64encode(raw) + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise NoTree(answer["error"])
        return _from_json(answer)


def _from_json(value: dict[str, Any]) -> Node:
    kind = _type(value["type"])
    if value["children"] is not None:
        return Node(kind, children=tuple(map(_from_json, value["children"])))
    return Node(kind, "" if kind == RFC822 else digest(base64.b64decode(value["content"])))


@contextmanager
def postal() -> Iterator[Postal]:
    """A running node process, ended with the block."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(["node", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        try:
            yield Postal(process)
        finally:
            process.communicate(timeout=120)
