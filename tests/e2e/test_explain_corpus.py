"""Real mail of many writers, explained as a newsletter: never a fault, and every copy is fit to leave.

Every fourth mail of the corpus goes through the command here; `tests/corpus` looks at all of them, more closely.
"""

from __future__ import annotations

import email
import json
import re
from pathlib import Path

import pytest

from gateway.demo.stage import Stage
from gateway.filters.receipts import ALWAYS, OTHER, READ, X400
from tests.e2e.post import header, verifies
from tests.message.samples import CORPUS, CORPUS_FOLDER, OWN

SOME = CORPUS[::4]

RECEIPTS = (*READ, *OTHER, *X400, *ALWAYS)


def test_i11_i1_every_mail_gets_an_account_and_every_copy_is_signed_stoppable_and_private(
    shared: Stage, tmp_path: Path
) -> None:
    shared.command(
        "explain", *map(str, (*OWN, *SOME)), "--client", "rezulto-crm", "--any-sender", "--assume-consent",
        "--mark", "Stream=newsletter", "--mark", "List=onderwijsnieuws", "--mark", "Basis=consent",
        "--out", str(tmp_path),
    )  # fmt: skip
    index = json.loads((tmp_path / "copies.json").read_text("utf-8"))
    records = {name.encode(): value.encode() for name, value in index["dkim"].items()}
    recipients: dict[str, set[str]] = {}
    for row in index["copies"]:
        recipients.setdefault(row["input"], set()).add(row["recipient"])
        # Nothing leaves unexplained: a copy, or a reply to the client, or a hold with its reason.
        assert row["file"] or row["reply"] or (row["action"], bool(row["fact"])) == ("hold", True), row
        assert not row["reply"] or re.match(r"5\d\d 5\.\d\.\d ", row["reply"]), row
    assert set(recipients) == {str(p) for p in (*OWN, *SOME)}
    copies = [row for row in index["copies"] if row["file"]]
    for row in copies:
        others = recipients[row["input"]] - {row["recipient"]}
        check(row["input"], modern((tmp_path / row["file"]).read_bytes()), row["recipient"], others, records)
    if not CORPUS:
        pytest.skip(f"own messages are right; no message corpus at {CORPUS_FOLDER}")
    assert len(copies) > 60
    # What the readers here cannot read is one mail of our own that shows old header syntax.
    old = [row["input"] for row in copies if modern(raw := (tmp_path / row["file"]).read_bytes()) != raw]
    assert {Path(name).name for name in old} <= {"folded-headers.eml"}


def check(name: str, content: bytes, recipient: str, others: set[str], records: dict[bytes, bytes]) -> None:
    assert verifies(content, records), name
    assert len(header(content, "List-Unsubscribe")) == 1, name
    assert len(header(content, "List-Unsubscribe-Post")) == 1, name
    assert [f for f in RECEIPTS if header(content, f)] == [], name
    assert header(content, "To") in ([recipient], [t for t in header(content, "To") if recipient in t]), name
    assert header(content, "Cc") == header(content, "Bcc") == [], name
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", content), name
    head = content.partition(b"\r\n\r\n")[0].lower()
    assert b"briefgeheim-" not in head, name
    seen, writers = decoded(content).lower(), senders(content)
    assert [a for a in others if a.lower() not in writers and re.search(address(a), seen)] == [], name


def decoded(content: bytes) -> bytes:
    """The raw bytes and every part without its transfer encoding."""
    parts = [p.get_payload(decode=True) for p in email.message_from_bytes(content).walk() if not p.is_multipart()]
    return b"\n".join([content, *(p for p in parts if isinstance(p, bytes))])


def modern(content: bytes) -> bytes:
    """Without the obsolete space before a colon (RFC 5322 4.5.8): the readers here do not know it, DKIM drops it."""
    head, end, body = content.partition(b"\r\n\r\n")
    return re.sub(rb"(?m)^([\x21-\x39\x3b-\x7e]+)[ \t]+:", rb"\1:", head) + end + body


def address(text: str) -> bytes:
    """The address by itself, not as the end of a longer one or the beginning of a message id."""
    return rb"(?<![\w.+-])" + re.escape(text.lower().encode()) + rb"(?![\w-]|\.\w)"


def senders(content: bytes) -> str:
    """Who wrote the mail stays visible (I-1)."""
    return " ".join(str(v) for f in ("From", "Sender", "Reply-To") for v in header(content, f)).lower()
