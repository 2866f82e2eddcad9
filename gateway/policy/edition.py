"""What the rules of a stream demand of the text, so that queued mail made by older rules is not sent unedited.

what:       names and digests of the edits that one stream's rules ask for
takes→gives: settings, stream → what is demanded; what a stored mail was made by → what it lacks today
knows not:  the text, templates, how edits are made
fails by:   nothing; a stream without rules demands nothing here, and is refused by `decide`
standard:   DESIGN §4 Spool: an edit that the new rules demand and the old template lacks means hold

`tracking` is not among them: every mail also has its strictest text, and the second decision picks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gateway.config.organisation import Organisation, StreamRule
from gateway.decision import Stream

_DIGITS = 12  # hex digits of a digest: told apart are versions of one text, not texts of the world


def edition(organisation: Organisation, rule: StreamRule | None, *, private: bool = False) -> list[str]:
    """What `rule` demands, JSON-able: "private", "edit", "receipts", "opt-out DIGEST".

    `private` says that this mail was made private whatever its stream says (by its number of recipients).
    """
    if rule is None:
        return []
    found = []
    if rule.private or private:
        found.append("private")
    if rule.edit or rule.private or private:
        found.append("edit")
    if rule.receipts == "strip":
        found.append("receipts")
    if rule.edit and (rule.opt_out.text != "none" or rule.opt_out.header != "none"):
        found.append(f"opt-out {_opt_out(organisation, rule)}")
    return found


def lacking(organisation: Organisation, stream: Stream, stored: Iterable[object]) -> list[str]:
    """Words for what the rules of today demand of this stream and a mail of the edition `stored` does not have."""
    demanded = edition(organisation, organisation.streams.get(stream))
    return [item.partition(" ")[0] for item in demanded if item not in set(stored)]


def _opt_out(organisation: Organisation, rule: StreamRule) -> str:
    """Digest of everything that shapes the visible opt-out, the identity beside it, and the header fields."""
    who, rules = organisation.controller, rule.opt_out
    shape: list[object] = [rules.scope, rules.header, rules.text, organisation.opt_out_url]
    if rules.text != "none":
        texts = organisation.footer.link if rules.text == "link" else organisation.footer.how_to
        shape += [who.name, who.postal_address, who.register_number, who.contact, who.policy_url, sorted(texts.items())]
    # Only where they are not as they come, so that mail made before there were such settings is not held for them.
    if (rules.when_sealed, rules.when_no_text) != ("header", "refuse"):
        shape.append((rules.when_sealed, rules.when_no_text))
    if organisation.footer.placeholders:
        shape.append(organisation.footer.placeholders)
    return hashlib.sha256(repr(shape).encode()).hexdigest()[:_DIGITS]
