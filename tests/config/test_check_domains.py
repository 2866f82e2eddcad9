"""Where keys can be published, and what an address and a page must look like."""

from __future__ import annotations

import pytest
from publicsuffixlist import PublicSuffixList

from gateway.config.check_domains import check_domains, check_identity, is_public_suffix, private_suffix
from tests.config.samples import organisation, raw


def wrong(domain: dict[str, object]) -> list[str]:
    return [text for _, text in check_domains(organisation(domains=[{"domain": "alpha.example"}, domain]))]


@pytest.mark.parametrize("domain", ["alpha.nl", "alpha.co.uk", "mail.alpha.com", "alpha.example"])
def test_a_name_of_ones_own_can_be_signed(domain: str) -> None:
    assert wrong({"domain": domain, "dkim": True, "selector": "s1"}) == []


@pytest.mark.parametrize("parent", ["123website.nl", "github.io", "myshopify.com", "blogspot.com"])
def test_a_name_under_a_site_builder_cannot(parent: str) -> None:
    [text] = wrong({"domain": f"shop.{parent}", "dkim": True, "selector": "s1"})
    assert f"{parent} is a public suffix" in text


def test_a_name_under_a_registry_in_the_private_part_can_when_we_say_so() -> None:
    assert len(wrong({"domain": "alpha.eu.org", "dkim": True, "selector": "s1"})) == 1
    assert wrong({"domain": "alpha.eu.org", "dkim": True, "selector": "s1", "own_dns": True}) == []


def test_a_public_suffix_itself_never_can() -> None:
    [text] = wrong({"domain": "co.uk", "dkim": True, "selector": "s1", "own_dns": True})
    assert "itself is a public suffix" in text


def test_a_shared_parent_never_can_even_when_it_is_the_name_itself() -> None:
    for domain in ("mijnwebwinkel.nl", "alpha.mijnwebwinkel.nl"):
        settings = {"domain": domain, "shared_parent": "mijnwebwinkel.nl"}
        assert wrong(settings) == []
        [text] = wrong({**settings, "dkim": True, "selector": "s1"})
        assert "which other customers share" in text


def test_own_dns_contradicts_a_shared_parent() -> None:
    [text] = wrong({"domain": "a.example.net", "shared_parent": "example.net", "own_dns": True})
    assert "expected one of the two" in text


def test_suffixes_are_those_of_the_public_list() -> None:
    assert is_public_suffix("123website.nl")
    assert not is_public_suffix("mijnwebwinkel.nl")
    assert private_suffix("a.b.123website.nl") == "123website.nl"
    assert private_suffix("alpha.nl") is None


def test_an_organisation_has_a_domain() -> None:
    assert [text for loc, text in check_domains(organisation(domains=[], lists=[])) if loc == ("domains",)]


@pytest.mark.parametrize("list_id", ["alpha.example", "xalpha.example", "news.alpha.example.net"])
def test_a_list_id_is_under_an_own_domain(list_id: str) -> None:
    settings = organisation(lists=[{"id": 1, "name": "n", "title": "N", "list_id": list_id}])
    assert [loc for loc, _ in check_domains(settings)] == [("lists", 0, "list_id")]


@pytest.mark.parametrize(
    "url",
    [
        "http://stop.alpha.example",
        "stop.alpha.example",
        "https://",
        "ftp://a.example",
        "https://user@a.example",
        "https://a.example/?x",
        "https://a.example/#x",
        "https://a.example:port",
        "https://[::1",
        "https://é.example",
        "https://a.example/a b",
        "http://localhost.example",
    ],
)
def test_a_page_that_is_not_plain_https_is_refused(url: str) -> None:
    assert [loc for loc, _ in check_identity(organisation(opt_out_url=url))] == [("opt_out_url",)]


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "https://a.example:8443/x/", "http://127.0.0.1:8025", "http://[::1]/x", "http://localhost"],
)
def test_https_and_this_machine_are_fine(url: str) -> None:
    assert list(check_identity(organisation(opt_out_url=url))) == []


@pytest.mark.parametrize("address", ["", "info", "postmaster", "a@b@c.example", "a b@c.example", "a@-.example"])
def test_what_is_no_address_is_refused_everywhere(address: str) -> None:
    settings = organisation(postmaster=address, contacts=[address], hold_owner=address)
    assert [loc for loc, _ in check_identity(settings)] == [("postmaster",), ("hold_owner",), ("contacts", 0)]


@pytest.mark.parametrize("key", ["name", "postal_address"])
@pytest.mark.parametrize("value", ["", "  ", "two\nlines", "a\u2028b"])
def test_the_sender_has_a_name_and_an_address_on_one_line(key: str, value: str) -> None:
    controller = raw()["controller"] | {key: value}
    assert [loc for loc, _ in check_identity(organisation(controller=controller))] == [("controller", key)]


EVERYTHING, ICANN = PublicSuffixList(), PublicSuffixList(only_icann=True)


@pytest.mark.parametrize(
    "domain",
    ["nl", "alpha.nl", "x.github.io", "y.x.github.io", "www.ck", "a.ck", "b.a.ck", "city.kobe.jp", "a.kobe.jp", "рф",
     "alpha.рф", "xn--p1ai", "alpha.xn--p1ai", "shop.xn--55qx5d.cn", "公司.cn", "a.公司.cn", "alpha.nowhere-at-all"],
)  # fmt: skip
def test_the_rules_of_one_top_level_domain_say_what_the_whole_list_says(domain: str) -> None:
    private = str(EVERYTHING.publicsuffix(domain))
    assert is_public_suffix(domain) == EVERYTHING.is_public(domain)
    assert private_suffix(domain) == (private if private != str(ICANN.publicsuffix(domain)) else None)
