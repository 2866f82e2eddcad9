"""Fields with 8-bit text in ASCII: what each kind of field becomes, and that readers still read the same."""

from __future__ import annotations

import email
import email.policy
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.addresses import addresses
from gateway.message.ascii_fields import Unconvertible, ascii_value
from gateway.message.headers import header_text, parameters

ENCODED = re.compile(rb"=\?[^?]+\?[bq]\?[^?]*\?=")


def value(name: str, text: str | bytes) -> bytes:
    octets = text if isinstance(text, bytes) else text.encode()
    written = ascii_value(name.encode(), b" " + octets)
    assert written.isascii()
    assert well_formed(name, written), written
    return written


def well_formed(name: str, written: bytes) -> bool:
    lines = (name.encode() + b":" + written).split(b"\r\n")
    folded = all(line[:1] in b" \t" and line.strip() for line in lines[1:])
    words = [word for line in lines for word in ENCODED.findall(line)]
    return folded and all(len(w) <= 75 for w in words) and all(len(x) <= 76 for x in lines if ENCODED.search(x))


def same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


# --- unstructured ---


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("één", " =?utf-8?b?w6nDqW4=?="),
        ("Cursus één en twee", " Cursus =?utf-8?b?w6nDqW4=?= en twee"),
        ("twee één", " twee =?utf-8?b?w6nDqW4=?="),
        ("Caf\u00e9 Ren\u00e9e open", " =?utf-8?q?Caf=C3=A9_Ren=C3=A9e?= open"),
        ("=?utf-8?q?a?= \u00e9a", " =?utf-8?q?a?= =?utf-8?q?_=C3=A9a?="),
        ("a\u00e9 =?utf-8?q?b?=", " =?utf-8?q?a=C3=A9_?= =?utf-8?q?b?="),
    ],
)
def test_r039_only_the_words_with_8_bit_text_are_encoded(before: str, after: str) -> None:
    assert value("Subject", before) == after.encode()
    assert header_text(after.encode()) == header_text(before.encode())


def test_r043_octets_without_label_are_utf8_or_else_windows_1252() -> None:
    assert header_text(value("Subject", "Prijs €9".encode())) == "Prijs €9"
    assert header_text(value("Subject", "Prijs €9".encode("cp1252"))) == "Prijs €9"
    assert header_text(value("Subject", b"x \x81\xe9")) == "x \x81é"  # windows-1252 has no 0x81


@pytest.mark.parametrize(
    "name", ["Subject", "X-Een-heel-lange-naam-van-een-veld-dat-zelf-al-een-hele-regel-vult-ja-ja"]
)
def test_r039_long_text_is_folded_between_words(name: str) -> None:
    text = "Beëindiging van de überlange reeks " * 20 + "x" * 200
    assert same(header_text(value(name, text)), text)


def test_folds_of_the_sender_stay() -> None:
    assert value("Subject", "een\r\n twee\r\n\tdri\u00e9\u00e9n") == b" een\r\n twee\r\n\t=?utf-8?q?dri=C3=A9=C3=A9n?="


words = st.text(st.sampled_from('ab =?_()<>,;:@"\\é€😀\t.'), max_size=40)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["Subject", "X-Iets", "Comments"]), words)
def test_r039_any_unstructured_text_is_read_the_same_afterwards(name: str, text: str) -> None:
    octets = text.encode()
    if octets.isascii():
        return
    written = value(name, octets)
    assert same(header_text(written), header_text(octets))


# --- addresses ---


@pytest.mark.parametrize(
    ("before", "name", "address"),
    [
        ("Renée <r@school.example>", "Renée", "r@school.example"),
        ('"Jansen, Renée" <r@school.example>', "Jansen, Renée", "r@school.example"),
        ('"Renée \\"R\\"" <r@school.example>', 'Renée "R"', "r@school.example"),
        ('Groep 3 "één" b <r@school.example>', "Groep 3 één b", "r@school.example"),
        ("Renée<r@school.example>", "Renée", "r@school.example"),
        ("r@school.example (Renée)", "Renée", "r@school.example"),
        ("Renée <r@büro.example>", "Renée", "r@xn--bro-hoa.example"),
        ("r@büro.example", "", "r@xn--bro-hoa.example"),
        ("=?utf-8?q?Ren=C3=A9e?= é <r@school.example>", "Renée é", "r@school.example"),
    ],
)
def test_r039_a_name_is_encoded_and_the_address_stays(before: str, name: str, address: str) -> None:
    written = value("To", before)
    (mailbox,) = addresses(written)
    assert (mailbox.display, mailbox.address and mailbox.address.reveal()) == (name, address)
    (other,) = email.message_from_bytes(b"To:" + written + b"\r\n\r\n", policy=email.policy.SMTP)["to"].addresses
    assert other.addr_spec == address


def test_a_list_with_a_group_keeps_its_shape() -> None:
    before = 'Jan <jan@school.example>, Groep é: "Fée, R" <f@school.example>, r@school.example (é);, x@school.example'
    after = value("To", before)
    assert after.startswith(b" Jan <jan@school.example>,")
    boxes = addresses(after)
    assert [b.address.reveal() for b in boxes if b.address] == [
        *("jan@school.example", "f@school.example", "r@school.example", "x@school.example")
    ]
    assert [b.display for b in boxes] == ["Jan", "Fée, R", "é", ""]


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("To", "renée@school.example"),
        ("From", "R <renée@school.example>"),
        ("To", "<geen é adres>"),
        ("Resent-Cc", "jan@school.example, é@school.example"),
        ("Content-ID", "<é@school.example>"),
    ],
)
def test_r043_an_8_bit_address_has_no_form_in_ascii(name: str, before: str) -> None:
    with pytest.raises(Unconvertible) as caught:
        value(name, before)
    assert "school" not in str(caught.value)


def test_a_backslash_before_a_fold_quotes_nothing() -> None:
    assert value("To", "Fée <f@school.example>, x\\\r\n y <y@school.example>").endswith(
        b", x\\\r\n y <y@school.example>"
    )


def test_an_obsolete_list_of_words_is_a_phrase() -> None:
    assert header_text(value("To", "Alle ouders é")) == "Alle ouders é"


@settings(deadline=None, max_examples=300)
@given(words, st.booleans())
def test_any_address_field_becomes_ascii_or_says_why_not(text: str, latin: bool) -> None:
    octets = text.encode("cp1252", "replace") if latin else text.encode()
    try:
        written = ascii_value(b"To", octets)
    except Unconvertible:
        return
    assert written.isascii() or octets.isascii()
    before = [b.address.exact() for b in addresses(octets) if b.address and b.address.ascii_only]
    after = [b.address.exact() for b in addresses(written) if b.address]
    assert set(before) <= set(after)


# --- parameters ---


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ('attachment; filename="café.csv"', "café.csv"),
        ("attachment; filename=Mijn café.csv; size=3", "Mijn café.csv"),
        ('attachment; size=3; filename="Jan \\"é\\".txt"', 'Jan "é".txt'),
        ("attachment; filename*=utf-8''caf%C3%A9-é.csv", "café-é.csv"),
        ('attachment; filename*0="een lange é";\r\n filename*1=" naam.txt"; size=3', "een lange é naam.txt"),
        ('attachment; filename="' + "é" * 100 + '.csv"', "é" * 100 + ".csv"),
    ],
)
def test_r040_a_parameter_takes_the_extended_form(before: str, text: str) -> None:
    written = value("Content-Disposition", before)
    read = parameters(written)
    assert (read.main, read.values["filename"], read.clean, set(read.repeated)) == ("attachment", text, True, set())
    assert read.values.get("size") == ("3" if "size" in before else None)
    assert email.message_from_bytes(b"Content-Disposition:" + written + b"\r\n\r\n").get_filename() == text


def test_r040_other_parameters_keep_their_octets() -> None:
    assert value("Content-Type", 'text/csv ; name=é.csv;charset="UTF-8" (x)') == (
        b" text/csv ;\r\n name*=utf-8''%C3%A9.csv;charset=\"UTF-8\" (x)"
    )


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab;=\"\\*'%é€ ()\t01"), max_size=40))
def test_any_parameters_become_ascii_and_read_the_same(text: str) -> None:
    octets = b"text/plain; name=" + text.encode()
    if octets.isascii():
        return
    written = ascii_value(b"Content-Type", octets)
    assert written.isascii()
    assert parameters(written).main == "text/plain"


# --- the other fields ---


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("Date", "Tue, 18 Nov 2025 09:30:00 +0100 (Été)", b" Tue, 18 Nov 2025 09:30:00 +0100 (=?utf-8?b?w4l0w6k=?=)"),
        ("Received", "from Büro-PC by mx.example (é) ; x", b" from B?ro-PC by mx.example (=?utf-8?b?w6k=?=) ; x"),
        ("Message-ID", "<1@Büro>", b" <1@B%C3%BCro>"),
        ("References", "<a@b>\r\n <1@Büro>", b" <a@b>\r\n <1@B%C3%BCro>"),
        ("List-Unsubscribe", "<https://school.example/é?a=1>", b" <https://school.example/%C3%A9?a=1>"),
        ("In-Reply-To", 'Bericht van "é" <a@b>', b" =?utf-8?q?Bericht_van_=C3=A9?= <a@b>"),
    ],
)
def test_r043_other_fields_keep_what_they_mean(name: str, before: str, after: bytes) -> None:
    assert value(name, before) == after


def test_a_mark_stays_whole_and_is_never_encoded() -> None:
    assert value("To", "Renée <\x000\x00>").endswith(b"<\x000\x00>")
    with pytest.raises(Unconvertible, match="slot"):
        value("Subject", "é\x000\x00")
    with pytest.raises(Unconvertible, match="slot"):
        value("Content-Type", "text/plain; name=é\x000\x00")


def test_r039_another_library_reads_the_same_name() -> None:
    written = value("From", '"Coördinatie «De Kleine Parel» — afdeling übergroße Namen en 😀" <a@school.example>')
    name = str(make_header(decode_header(b"".join(written.partition(b"<")[0].split(b"\r\n")).decode()))).strip()
    assert name == "Coördinatie «De Kleine Parel» — afdeling übergroße Namen en 😀"
