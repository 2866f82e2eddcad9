"""What copies of one campaign say about each other's addresses."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.agreement import SAMPLE
from gateway.compared import Compared, Sameness, Verdict
from gateway.copies import MOST_CAMPAIGNS, Campaign, Family, entries
from gateway.filters.campaign_addresses import Seen, find
from tests.newsletters import CARRIED, LOGO, PICTURES, PIXEL, REDIRECTS, SPACER, TEXT, Letter

COMMON, INDIVIDUAL, UNKNOWN = Sameness.COMMON, Sameness.INDIVIDUAL, Sameness.UNKNOWN
PEOPLE = [f"p{n}" for n in range(40)]
OPEN = "https://t.esp.example/o/{TOKEN:open}.gif"


def campaign() -> Campaign:
    return Family(b"k" * 32).begin(b"letter", frozenset(), frozenset())


def had(made: Campaign, seen: Seen, *names: str, enough: int = 3) -> Compared:
    """What is said about this copy, which is one of the campaign's from now on."""
    return made.compare(seen, frozenset(made.person(name.encode()) for name in names), enough)


def sent(letter: Letter, names: Sequence[str], *extra: str, made: Campaign | None = None) -> Compared:
    """What is said about the last of the copies for these people."""
    into, found = made or campaign(), Compared()
    for name in names:
        found = had(into, find(letter.message(name, *extra)), name)
    return found


def loads(*addresses: str) -> Seen:
    html = "".join(f'<img src="{address}">' for address in addresses)
    return find(Letter((html,)).message("x"))


def test_r059_the_first_copy_says_nothing() -> None:
    assert sent(Letter((LOGO, TEXT, PIXEL)), PEOPLE[:1]) == Compared()


def test_r059_two_copies_show_what_differs() -> None:
    letter = Letter((LOGO, TEXT, REDIRECTS, PIXEL))
    found = sent(letter, PEOPLE[:2])
    assert found.of(letter.address(OPEN, "p1")) == Verdict(INDIVIDUAL)
    assert found.of(letter.address("https://klik.esp.example/c/{TOKEN:c3}/3", "p1")) == Verdict(INDIVIDUAL)
    assert found.of("https://cdn.shop.example/logo.png").sameness is UNKNOWN


def test_r059_as_many_as_are_enough_make_an_address_common() -> None:
    letter = Letter((LOGO, TEXT, SPACER, PICTURES, PIXEL))
    found = sent(letter, PEOPLE[:3])
    for address in ("logo.png", "zomer/bos.jpg"):
        assert found.of(f"https://cdn.shop.example/{address}") == Verdict(COMMON)
    assert found.of("https://cdn.esp.example/transparent.gif").sameness is COMMON
    assert found.of(letter.address(OPEN, "p2")).sameness is INDIVIDUAL
    made = campaign()
    for name in PEOPLE[:3]:
        last = had(made, find(letter.message(name)), name, enough=4)
    assert last.of("https://cdn.shop.example/logo.png").sameness is UNKNOWN


def test_r059_a_sender_that_makes_all_its_images_individual() -> None:
    images = [f"https://img.esp.example/im/2345678/{n}c4f7{n}.png?e={{TOKEN:e}}" for n in range(9)]
    letter = Letter((TEXT, *(f'<img src="{image}" width="200" alt="Les">\n' for image in images)))
    found = sent(letter, PEOPLE[:2])
    for image in images:
        assert found.of(letter.address(image, "p1")) == Verdict(INDIVIDUAL, image.partition("?")[0])


def test_r059_individual_images_of_ordinary_size_without_any_pixel() -> None:
    images = [f"https://beeld.esp.example/{{TOKEN:p}}/{n}/foto.jpg" for n in range(3)]
    letter = Letter((LOGO, TEXT, *(f'<img src="{image}" width="600" height="240">\n' for image in images)))
    found = sent(letter, PEOPLE[:3])
    assert {found.of(letter.address(image, "p2")) for image in images} == {Verdict(INDIVIDUAL)}
    assert found.of("https://cdn.shop.example/logo.png").sameness is COMMON


def test_r059_a_campaign_without_anything_individual_has_nothing_individual() -> None:
    found = sent(Letter((LOGO, TEXT, PICTURES, SPACER)), PEOPLE[:20])
    assert found.count(COMMON) == 5
    assert found.count(INDIVIDUAL) == 0


def test_links_lose_what_is_carried_along_and_keep_what_names_the_page() -> None:
    letter = Letter((TEXT, CARRIED))
    found = sent(letter, PEOPLE[:2])
    link = letter.address("https://shop.example/cursus?les=1&mc_eid={TOKEN:person}", "p1")
    assert found.of(link) == Verdict(INDIVIDUAL, "https://shop.example/cursus?les=1")


@pytest.mark.parametrize(
    "link",
    [
        "https://shop.example/bestelling?nr={TOKEN:order}",  # on one page only: it may name a thing
        "https://klik.esp.example/r/9f8e7d6c5b4a3f2e/x?u={TOKEN:person}",  # where it leads is not plain
    ],
)
def test_a_link_that_may_not_work_without_keeps_its_parameter(link: str) -> None:
    more = "".join(f'<a href="https://shop.example/{page}">meer</a>\n' for page in ("lessen", "boeken", "contact"))
    letter = Letter((TEXT, f'<a href="{link}">hier</a>\n', more))
    assert sent(letter, PEOPLE[:2]).of(letter.address(link, "p1")) == Verdict(INDIVIDUAL)


def test_what_is_carried_along_behind_a_key_stays_for_nobody_knows_where_that_leads() -> None:
    page = "https://klik.esp.example/{n}f8e7d6c5b4a3928/les?u={{TOKEN:person}}"
    letter = Letter((TEXT, *(f'<a href="{page.format(n=n)}">les</a>\n' for n in range(4))))
    assert sent(letter, PEOPLE[:2]).of(letter.address(page.format(n=1), "p1")) == Verdict(INDIVIDUAL)


def test_a_block_for_some_shifts_nothing() -> None:
    letter = Letter((LOGO, TEXT, PICTURES, REDIRECTS, PIXEL))
    made = campaign()
    extra = '<img src="https://cdn.shop.example/zomer/actie.jpg" width="300" alt="Actie">\n'
    for number, name in enumerate(PEOPLE[:6]):
        found = had(made, find(letter.message(name, *([extra] if number % 2 else []))), name)
    assert found.of("https://cdn.shop.example/zomer/bos.jpg").sameness is COMMON
    assert found.of(letter.address(OPEN, "p5")).sameness is INDIVIDUAL
    assert found.of("https://cdn.shop.example/zomer/actie.jpg").sameness is COMMON


def test_a_block_that_only_i_got_is_not_individual_for_that() -> None:
    letter = Letter((LOGO, TEXT, PICTURES, PIXEL))
    for before in (1, 2, 7, 20):
        made = campaign()
        sent(letter, PEOPLE[:before], made=made)
        extra = '<img src="https://cdn.shop.example/zomer/alleen.jpg" width="300" alt="Actie">\n'
        found = had(made, find(letter.message("extra", extra)), "extra")
        assert found.of("https://cdn.shop.example/zomer/alleen.jpg").sameness is UNKNOWN


def test_a_block_that_only_i_got_beside_an_individual_picture_of_the_same_kind() -> None:
    tracked = '<img src="https://cdn.shop.example/zomer/{TOKEN:x}.jpg" width="300">\n'
    letter = Letter((TEXT, PICTURES, tracked))
    made = campaign()
    sent(letter, PEOPLE[:20], made=made)
    extra = '<img src="https://cdn.shop.example/zomer/alleen.jpg" width="300" alt="Actie">\n'
    found = had(made, find(letter.message("extra", extra)), "extra")
    assert found.of("https://cdn.shop.example/zomer/alleen.jpg").sameness is UNKNOWN
    assert found.of(letter.address("https://cdn.shop.example/zomer/{TOKEN:x}.jpg", "extra")).sameness is INDIVIDUAL


def test_two_variants_that_many_share_are_common_both() -> None:
    letter, made = Letter((LOGO, TEXT, PIXEL)), campaign()
    heroes = ["https://cdn.shop.example/hero-a.jpg", "https://cdn.shop.example/hero-b.jpg"]
    for number, name in enumerate(PEOPLE[:10]):
        hero = heroes[number % 2]
        found = had(made, find(letter.message(name, f'<img src="{hero}" width="600">\n')), name)
        assert found.of(hero).sameness is (COMMON if number >= 4 else UNKNOWN)


def test_products_chosen_per_person_are_not_individual_once_others_have_them_too() -> None:
    chance, letter, made = random.Random(3), Letter((LOGO, TEXT, PIXEL)), campaign()
    catalogue = [f"https://cdn.shop.example/artikel/{number}.jpg" for number in range(10_000, 10_060)]
    wrong = []
    for name in PEOPLE:
        mine = chance.sample(catalogue, 6)
        found = had(made, find(letter.message(name, *(f'<img src="{a}" width="150">\n' for a in mine))), name)
        wrong += [a for a in mine if found.of(a).sameness is INDIVIDUAL]
    assert wrong == []
    assert found.of(letter.address(OPEN, PEOPLE[-1])).sameness is INDIVIDUAL


def ordered(made: Campaign, name: str, pictures: Sequence[str]) -> Compared:
    """An order confirmation: the same letter with pictures of what this person bought."""
    letter = Letter((LOGO, TEXT, PIXEL))
    return had(made, find(letter.message(name, *(f'<img src="{a}" width="80">\n' for a in pictures))), name)


@pytest.mark.parametrize(
    "shape",
    [
        "https://cdn.shop.example/940f9b2e-6be1-11e9-a722-44a8421b9960/artikel/{key}/{word}-schoen.jpg",
        "https://cdn.shop.example/s/files/1/0234/5678/{word}-schoen_1024x1024.jpg?v=17{number}",
        "https://cdn.shop.example/cache/9f8e7d6c5b4a39281706f5e4d3c2b1a0/{word}schoen_{key}.png",
    ],
)
def test_pictures_of_what_somebody_bought_stay(shape: str) -> None:
    chance, made = random.Random(5), campaign()
    for name in PEOPLE[:20]:
        mine = []
        for _ in range(chance.choice([1, 1, 2, 3])):
            word = chance.choice(["rode", "blauwe", "hoge", "lage"]) + chance.choice("abcdefghij") * 3
            key = hashlib.sha256(word.encode()).hexdigest()  # one article, one key
            mine.append(shape.format(key=key[:12], word=word, number=10**7 + int(key[:6], 16)))
        found = ordered(made, name, mine)
        assert not any(found.of(address).sameness is INDIVIDUAL for address in mine)


def test_a_key_that_all_have_is_nobodys_own() -> None:
    """A number of the shop's own in front of what differs does not make an article's number a person's."""
    made = campaign()
    for number, name in enumerate(PEOPLE[:7]):
        address = f"https://cdn.shop.example/9f8e7d6c5b4a3928/artikel/{1234 + number}.jpg"
        assert ordered(made, name, [address]).of(address).sameness is UNKNOWN


def test_the_same_picture_by_everybodys_own_way_is_individual() -> None:
    address = "https://beeld.esp.example/{TOKEN:p}/zomer/strand.jpg"
    letter = Letter((TEXT, f'<img src="{address}" width="600">\n'))
    assert sent(letter, PEOPLE[:2]).of(letter.address(address, "p1")) == Verdict(INDIVIDUAL)


def test_a_short_number_is_found_to_be_individual_when_all_have_their_own() -> None:
    letter = Letter((LOGO, TEXT, '<img src="https://cdn.shop.example/o.gif?id={NUMBER:n}" width="5">\n'))
    address = "https://cdn.shop.example/o.gif?id={NUMBER:n}"
    assert sent(letter, PEOPLE[:7]).of(letter.address(address, "p6")).sameness is UNKNOWN
    later = sent(letter, PEOPLE[:10]).of(letter.address(address, "p9"))
    assert later == Verdict(INDIVIDUAL, "https://cdn.shop.example/o.gif")


def test_one_message_to_many_counts_for_all_of_them() -> None:
    seen = loads("https://t.esp.example/o/0f1e2d3c4b5a6978.gif")
    made = campaign()
    assert had(made, seen, "a", "b").of("https://t.esp.example/o/0f1e2d3c4b5a6978.gif").sameness is UNKNOWN
    assert had(campaign(), seen, "a", "b", "c").of(seen.places[0].address).sameness is COMMON


def test_a_second_copy_for_the_same_person_is_nobody_elses() -> None:
    made = campaign()
    for token in ("aa11bb22cc33", "dd44ee55ff66", "77aa88bb99cc", "12ab34cd56ef"):
        found = had(made, loads(f"https://t.esp.example/o/{token}.gif"), "anna")
        assert found == Compared()
    logo = loads("https://cdn.shop.example/logo.png")
    for _ in range(5):
        assert had(made, logo, "anna") == Compared()


def test_what_two_of_many_share_is_neither() -> None:
    made = campaign()
    for name in PEOPLE[:10]:
        had(made, find(Letter((PIXEL,)).message(name)), name)
    had(made, loads("https://t.esp.example/o/shared0123456789.gif"), "one")
    found = had(made, loads("https://t.esp.example/o/shared0123456789.gif"), "two")
    assert found == Compared()


def test_after_the_first_copies_nothing_is_written_any_more() -> None:
    letter, made = Letter((LOGO, TEXT, PICTURES, CARRIED, REDIRECTS, PIXEL)), campaign()
    sent(letter, PEOPLE[:SAMPLE], made=made)
    assert not made.young
    list(entries(made))
    found = sent(letter, PEOPLE[SAMPLE:], made=made)
    assert made.fresh == []
    assert found.of(letter.address(OPEN, PEOPLE[-1])).sameness is INDIVIDUAL


def test_what_was_written_gives_another_worker_the_same_verdicts() -> None:
    letter = Letter((LOGO, TEXT, PICTURES, CARRIED, REDIRECTS, PIXEL))
    one, other = Family(b"k" * 32), Family(b"k" * 32)
    made = one.begin(b"letter", one.features({1, 2}), one.features({3, 4, 5}))
    for name in PEOPLE[:5]:
        had(made, find(letter.message(name)), name)
        for data in entries(made, most=7):
            other.apply(data)
    assert list(entries(made)) == []
    copied = other.campaigns[b"letter"]
    assert (copied.subject, copied.content) == (made.subject, made.content)
    seen = find(letter.message("new"))
    assert had(copied, seen, "new") == had(made, seen, "new")


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x09letter\0\0" + bytes(16), b"\x01letter\xff\xff", b"\x01letter\0\0xyz"]
)
def test_an_entry_that_nobody_can_read_is_passed_over(data: bytes) -> None:
    family = Family(b"k" * 32)
    family.apply(data)
    assert not any(made.fresh for made in family.campaigns.values())


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=100)
def test_no_entry_raises(data: bytes) -> None:
    Family(b"k" * 32).apply(b"\x01" + data)


def test_hashes_of_two_campaigns_have_nothing_in_common() -> None:
    seen, found = find(Letter((LOGO, PIXEL)).message("anna")), []
    for tag in (b"letter", b"lettre"):
        made = Family(b"k" * 32).begin(tag, frozenset(), frozenset())
        had(made, seen, "anna")
        found.append({record[i : i + 4] for record in made.fresh for i in range(0, 16, 4)})
    assert found[0] & found[1] == set()


class TestWhichCampaign:
    """A copy finds the campaign it is of, whatever is personal in it."""

    letter = Letter((LOGO, TEXT, PICTURES, PIXEL))
    family = Family(b"k" * 32)

    def features(self, letter: Letter, name: str, *extra: str) -> tuple[frozenset[bytes], frozenset[bytes]]:
        seen = find(letter.message(name, *extra))
        return self.family.features(seen.subject), self.family.features(seen.content)

    def same(self, other: Letter, *extra: str) -> bool:
        family = Family(b"k" * 32)
        made = family.begin(b"letter", *self.features(self.letter, "Anna"))
        return family.match(*self.features(other, "Willem-Alexander", *extra)) is made

    def test_names_make_no_other(self) -> None:
        assert self.same(self.letter)

    def test_neither_does_a_block_for_some(self) -> None:
        assert self.same(self.letter, "<p>Speciaal voor leraren:</p>", "<p>Een extra les over rekenen.</p>")

    def test_neither_does_another_subject_over_the_same_text(self) -> None:
        assert self.same(Letter(self.letter.blocks, subject="Nieuw: probeer het uit"))

    def test_another_issue_is_another_although_it_looks_the_same(self) -> None:
        text = TEXT.replace("Alinea", "Nieuws").replace("lessen van deze maand", "proeven in het najaar")
        pictures = PICTURES.replace("zomer", "herfst").replace("bos", "zee").replace("strand", "stad")
        assert not self.same(Letter((LOGO, text, pictures, PIXEL), subject="{name}, het najaar begint"))

    def test_a_mail_of_one_sentence_is_known_by_its_words(self) -> None:
        one = Letter(("<p>Hallo {name}, je bestelling {NUMBER:o} is onderweg naar het adres dat we kennen.</p>", LOGO))
        two = Letter(("<p>Hallo {name}, je wachtwoord is veranderd, was jij dat niet, bel dan even.</p>", LOGO))
        family = Family(b"k" * 32)
        made = family.begin(b"letter", *self.features(one, "Anna"))
        assert family.match(*self.features(one, "Bert")) is made
        assert family.match(*self.features(two, "Bert")) is None

    def test_of_several_the_likest(self) -> None:
        family = Family(b"k" * 32)
        other = Letter((LOGO, TEXT.replace("Alinea", "Stuk"), PICTURES))
        family.begin(b"other1", *self.features(other, "Anna"))
        made = family.begin(b"letter", *self.features(self.letter, "Anna"))
        assert family.match(*self.features(self.letter, "Bert")) is made

    def test_of_several_that_are_nearly_as_like_the_same_for_every_worker(self) -> None:
        letter = Letter((LOGO, *(f"<p>Alinea {word} over de lessen.</p>" for word in "abcdefghijklmnopqrst")))
        with_block = self.features(letter, "Anna", "<p>Een extra les.</p>")
        without_it = self.features(letter, "Bert")
        for order in ((b"aaaaaa", b"bbbbbb"), (b"bbbbbb", b"aaaaaa")):
            family = Family(b"k" * 32)
            begun = {tag: family.begin(tag, *(with_block if tag == b"aaaaaa" else without_it)) for tag in order}
            assert family.match(*self.features(letter, "Cees")) is begun[b"aaaaaa"]

    def test_only_so_many_are_remembered(self) -> None:
        family = Family(b"k" * 32)
        for number in range(MOST_CAMPAIGNS + 5):
            family.begin(b"%06d" % number, frozenset(), frozenset())
        assert len(family.campaigns) == MOST_CAMPAIGNS
        assert b"000004" not in family.campaigns


BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(["own", "same"]),
        st.sampled_from(["https://cdn.shop.example/b/", "https://t.esp.example/x/", "https://shop.example/"]),
        st.sampled_from([".png", ".gif", ""]),
        st.sampled_from(["img", "a"]),
    ),
    min_size=1,
    max_size=8,
)
LETTER = Letter(())


def first_of(blocks: list[tuple[str, str, str, str]], number: int) -> tuple[str, str]:
    """The first block, which everybody gets."""
    kind, base, ending, _ = blocks[0]
    return kind, LETTER.address(f"{base}{{TOKEN:0}}{ending}", f"person{number}")


@given(BLOCKS, st.randoms(use_true_random=False), st.integers(2, 30))
@settings(deadline=None, max_examples=80)
def test_blocks_may_come_go_and_move_between_copies(
    blocks: list[tuple[str, str, str, str]], chance: random.Random, copies: int
) -> None:
    """What all had is never called individual, what is everybody's own never common, wherever they stand."""
    made = campaign()
    for number in range(copies):
        places = []
        for at, (kind, base, ending, element) in enumerate(blocks):
            if kind == "own" and at and chance.random() < 0.3:
                continue  # not all get all of what is their own
            token = f"{{TOKEN:{at}}}" if kind == "own" else "blok" + "abcdefgh"[at]
            places.append((kind, LETTER.address(f"{base}{token}{ending}", f"person{number}"), element))
        chance.shuffle(places)
        html = "".join(f'<a href="{a}">x</a>' if e == "a" else f'<img src="{a}">' for _, a, e in places)
        found = had(made, find(Letter((html,)).message("x")), f"person{number}")
        for kind, address, _ in places:
            sameness = found.of(address).sameness
            assert sameness is not (INDIVIDUAL if kind == "same" else COMMON)
            if kind == "same" and number >= 2:
                assert sameness is COMMON
            if kind == "own" and number and (kind, address) == first_of(blocks, number):
                assert sameness is INDIVIDUAL
