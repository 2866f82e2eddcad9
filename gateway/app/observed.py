"""What observe mode let through: how often each rule would have refused a recipient.

what:       counts accepted recipients in the audit of all shards
takes→gives: folder of the spool, since when → numbers by organisation, and stream with rule; what is in force, in words
knows not:  people, messages' content
fails by:   `AuditUnavailable`
standard:   docs/observe-mode.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from gateway.audit.reading import AuditReader
from gateway.config.observe_mode import notices
from gateway.config.organisation import Organisation
from gateway.policy.observation import SAID
from gateway.spool.shards import present

_WENT_ON = frozenset({"accepted"})  # at intake; the second decision says the same again and is not counted


def observed_rules(folder: Path, since: float) -> dict[str, Counter[str]]:
    """By organisation: "STREAM: RULE" → recipients that it would have refused, from `since` (Unix seconds) on."""
    found: dict[str, Counter[str]] = {}
    reader = AuditReader([shard.database for shard in present(folder)])
    for row in reader.rows(since, _WENT_ON):
        for rule in _rules(row.detail.get("tried")):
            found.setdefault(row.organisation, Counter())[f"{row.detail.get('stream')}: {rule}"] += 1
    return found


def in_words(organisation: Organisation, counts: Counter[str], now: float) -> list[str]:
    """Lines for the digest: what is observed and until when, then the numbers. Empty when nothing is."""
    numbers = [f"{number:6}  {what}" for what, number in sorted(counts.items())]
    return [*notices([organisation], now), *numbers]


def _rules(tried: object) -> Iterable[str]:
    return [rule for rule, _, fact in tried if str(fact).startswith(SAID)] if isinstance(tried, list) else ()
