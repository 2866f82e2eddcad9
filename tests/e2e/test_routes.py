"""Every provider sees its own mail and no other, also when another one is down (S-12, S-14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.demo.stage import Stage
from tests.e2e.altered import Altered
from tests.e2e.post import PAREL, REZULTO, arrived, consent, mail, person, send, settled, wait

SHOP = "winkel@webshop.dekleineparel.nl"
ROUTES = [
    ("kleine-parel-webshop", SHOP, {}, "kleine-parel/myonlinestore"),
    ("kleine-parel-crm", PAREL, {"stream": "newsletter", "list": "nieuwsbrief"}, "kleine-parel/mailing"),
    ("kleine-parel-crm", PAREL, {"stream": "policy_change", "reference": "2027-01"}, "kleine-parel/mailing"),
    ("kleine-parel-office", PAREL, {}, "kleine-parel/kantoor"),
    ("kleine-parel-office", PAREL, {"stream": "rights"}, "kleine-parel/kantoor"),
    ("rezulto-crm", REZULTO, {"stream": "newsletter", "list": "lestips", "basis": "consent"}, "rezulto/bulk"),
    ("rezulto-crm", REZULTO, {"stream": "informational", "reference": "o", "basis": "contract"}, "rezulto/kantoor"),
    ("rezulto-webshop", REZULTO, {"reference": "o"}, "rezulto/kantoor"),
]


def test_s12_each_provider_sees_only_its_own_mail(shared: Stage) -> None:
    wanted = {}
    for client, sender, marks, provider in ROUTES:
        who = person("route")
        shared.people("kleine-parel", [consent(who, "list:nieuwsbrief")])
        shared.people("rezulto", [consent(who, "list:lestips")])
        sent = send(shared, client, mail(sender, [who], **marks), [who])
        assert sent.code == 250, sent.reply
        wanted[who] = {provider}
    arrived(shared, list(wanted))
    settled(shared)
    seen = {who: {m.provider for m in shared.recorder.mails if m.recipient == who} for who in wanted}
    assert seen == wanted


@pytest.fixture
def shop_route_down(shared: Stage) -> Iterator[Stage]:
    shared.recorder.pause("kleine-parel/myonlinestore")
    yield shared
    shared.recorder.resume("kleine-parel/myonlinestore")


def test_s14_when_the_shops_route_is_down_its_mail_waits_and_nobody_else_gets_it(shop_route_down: Stage) -> None:
    stage, buyer, friend = shop_route_down, person("koper"), person("vriend")
    order = send(stage, "kleine-parel-webshop", mail(SHOP, [buyer], reference="order-14"), [buyer])
    assert order.code == 250
    wait(lambda: '"attempts": 1' in _row(stage, order.id), "one attempt at the shop's route")
    # The other routes of the same organisation go on meanwhile.
    assert send(stage, "kleine-parel-office", mail(PAREL, [friend]), [friend]).code == 250
    arrived(stage, [friend])
    assert '"queued"' in _row(stage, order.id)
    assert [m for m in stage.recorder.mails if m.recipient == buyer] == []
    stage.recorder.resume("kleine-parel/myonlinestore")
    stage.command("queue", "retry", order.id, "--operator", "test", "--reason", "provider is back")
    (copy,) = arrived(stage, [buyer])
    assert copy.provider == "kleine-parel/myonlinestore"


def _row(stage: Stage, message: str) -> str:
    return "\n".join(line for line in stage.command("queue", "list", "--json").splitlines() if message in line)


@pytest.mark.parametrize(
    ("client", "sender", "marks"),
    [
        ("kleine-parel-office", "info@masgutovamethode.nl", {}),  # a domain without a route for this stream
        ("kleine-parel-crm", PAREL, {"stream": "policy_change", "reference": "2027-01"}),  # a stream without a route
    ],
)
def test_s12_mail_without_a_route_is_refused_and_goes_to_no_provider(
    altered: Altered, client: str, sender: str, marks: dict[str, str]
) -> None:
    who = person("nergens")
    sent = send(altered.stage, client, mail(sender, [who], **marks), [who])
    assert (sent.code, sent.reply[:5]) == (550, "5.7.1")
    settled(altered.stage)
    everywhere = [m.recipient for m in altered.stage.recorder.mails]
    everywhere += [to for sink in (altered.office, altered.mailing) for t in sink.transactions for to in t.to]
    assert who not in everywhere
