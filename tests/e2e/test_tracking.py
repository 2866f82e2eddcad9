"""Individual links stay where stream, basis and consent all allow it; what reports opening never stays (S-46, S-47)."""

from __future__ import annotations

import pytest

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, REZULTO, arrived, consent, header, mail, person, send, texts

LINK = "https://rezulto.nl/proefles?mc_eid=9c1f00a7d2&les=5"
CLEAN = "https://rezulto.nl/proefles?les=5"
PIXEL = "https://rezulto.list-manage.com/track/open.php?u=5be1&amp;id=77&amp;e=9c1f00a7d2"
HTML = (
    f'<html><body><p>Nieuw: <a href="{LINK.replace("&", "&amp;")}">de proefles</a></p>\n'
    f'<img src="https://rezulto.nl/klas.jpg" width="560" height="240"><img src="{PIXEL}" width="1" height="1">\n'
    "</body></html>\n"
)
NEWSLETTER = {"stream": "newsletter", "list": "lestips", "basis": "consent"}
OFFER = {"stream": "notification", "offer": "similar lesmateriaal", "basis": "soft_opt_in"}
ORDER = {"stream": "informational", "reference": "o-46", "basis": "contract"}
SURVEY = {"stream": "research", "basis": "consent"}
PAREL_NEWS = {"stream": "newsletter", "list": "nieuwsbrief"}


def reader(stage: Stage, *, tracking: bool) -> str:
    """Somebody who may get every kind of mail here, and agreed to tracking or not."""
    who = person("lezer")
    scopes = ["list:lestips", "purpose:research", *(["purpose:tracking"] if tracking else [])]
    bought = {"address": who, "kind": "purchase", "category": "lesmateriaal", "declined": "no", "at": "2026-09-01"}
    stage.people("rezulto", [*(consent(who, s) for s in scopes), bought])
    parel = ["list:nieuwsbrief", *(["purpose:tracking"] if tracking else [])]
    stage.people("kleine-parel", [consent(who, s) for s in parel])
    return who


@pytest.mark.parametrize(
    ("client", "sender", "marks", "tracking", "kept"),
    [
        ("rezulto-crm", REZULTO, NEWSLETTER, True, True),
        ("rezulto-crm", REZULTO, NEWSLETTER, False, False),
        ("rezulto-crm", REZULTO, OFFER, True, False),
        ("rezulto-crm", REZULTO, OFFER, False, False),
        ("rezulto-crm", REZULTO, ORDER, True, False),
        ("rezulto-crm", REZULTO, SURVEY, True, False),
        ("rezulto-webshop", REZULTO, {"reference": "o-46"}, True, False),
        ("kleine-parel-crm", PAREL, PAREL_NEWS, True, False),
    ],
)
def test_s46_s47_links_by_stream_basis_and_consent_and_never_a_pixel_or_receipt(
    shared: Stage, client: str, sender: str, marks: dict[str, str], tracking: bool, kept: bool
) -> None:
    who = reader(shared, tracking=tracking)
    message = mail(sender, [who], html=HTML, text=f"Nieuw: {LINK}\n", **marks)
    message["Disposition-Notification-To"] = sender
    sent = send(shared, client, message, [who])
    assert sent.code == 250, sent.reply
    (copy,) = arrived(shared, [who])
    shown = texts(copy.content)
    link = LINK if kept else CLEAN
    assert f'href="{link.replace("&", "&amp;")}"' in shown["text/html"]
    assert f"Nieuw: {link}\n" in shown["text/plain"].replace("\r\n", "\n")
    assert "track/open" not in shown["text/html"]
    assert "klas.jpg" in shown["text/html"]
    assert header(copy.content, "Disposition-Notification-To") == []


def test_s46_readers_of_one_mail_each_get_their_own_variant(shared: Stage) -> None:
    agreed, not_agreed = reader(shared, tracking=True), reader(shared, tracking=False)
    message = mail(REZULTO, [agreed, not_agreed], html=HTML, text=f"Nieuw: {LINK}\n", **NEWSLETTER)
    assert send(shared, "rezulto-crm", message, [agreed, not_agreed]).code == 250
    copies = {c.recipient: texts(c.content)["text/plain"] for c in arrived(shared, [agreed, not_agreed])}
    assert "mc_eid" in copies[agreed]
    assert "mc_eid" not in copies[not_agreed]


def test_s46_tracking_consent_taken_back_counts_at_once(shared: Stage) -> None:
    who = reader(shared, tracking=True)
    shared.people("rezulto", [{"address": who, "kind": "withdrawal", "scope": "purpose:tracking"}])
    message = mail(REZULTO, [who], html=HTML, text=f"Nieuw: {LINK}\n", **NEWSLETTER)
    assert send(shared, "rezulto-crm", message, [who]).code == 250
    (copy,) = arrived(shared, [who])
    assert "mc_eid" not in texts(copy.content)["text/plain"]
