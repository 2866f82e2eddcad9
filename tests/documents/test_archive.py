"""Archives: what is in them is read with its name in front; bombs end at a bound, counted by what comes out."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.protocol import DAMAGED, PASSWORD, Bounds, Meter
from tests.documents import making
from tests.documents.reading import read

TABLE = "Naam;Mail\nJan;jan@example.org\n"
zipped = making.zipped


def tarred(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return target.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_in_an_archive_has_its_number_in_front(method: int) -> None:
    found = read(zipped({"leden/lijst.csv": TABLE, "b.docx": making.docx(["x"])}, method=method), "post.zip")
    assert found.place_of("jan@") == "file 1 (csv), row 2, column B"
    assert found.at("file 2 (docx), body") == "x"
    assert found.why == ""


@pytest.mark.parametrize("squeeze", [gzip.compress, bz2.compress, lzma.compress, lambda c: c])
@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "x"])
def test_tar_files_are_read_packed_or_not(squeeze: object, name: str) -> None:
    found = read(squeeze(tarred({"lijst.csv": TABLE.encode()})), name)  # type: ignore[operator]
    assert found.place_of("jan@") == "file 1 (csv), row 2, column B"
    assert found.why == ""


@pytest.mark.parametrize("squeeze", [gzip.compress, bz2.compress, lzma.compress])
def test_one_packed_file_is_read_with_all_its_streams(squeeze: object) -> None:
    packed = squeeze(b"Naam;Mail\n") + squeeze(b"Jan;jan@example.org\n")  # type: ignore[operator]
    assert read(packed, "lijst.csv.gz").place_of("jan@") == "row 2, column B"


def test_names_of_files_are_read_and_not_shown() -> None:
    found = read(zipped({"jan@example.org.txt": "hallo"}))
    assert "jan@example.org" in found.at("names of the files")
    assert all("@" not in place for place in found.places)


def test_the_comment_of_an_archive_is_read() -> None:
    target = io.BytesIO(zipped({"a.txt": "x"}))
    with zipfile.ZipFile(target, "a") as file:
        file.comment = b"van jan@example.org"
    assert "jan@example.org" in read(target.getvalue()).all


def test_one_unreadable_file_does_not_hide_the_others() -> None:
    found = read(zipped({"a.7z": b"7z\xbc\xaf\x27\x1c\0\4", "b.csv": TABLE, "c.png": b"\x89PNG\r\n\x1a\n\0"}))
    assert "jan@example.org" in found.all
    assert found.why == "file 1 (7z): a 7-Zip archive"


def test_a_password_is_told_of_and_the_rest_read() -> None:
    whole = bytearray(zipped({"geheim.txt": "x", "open.csv": TABLE}))
    whole[6] |= 1
    whole[whole.find(b"PK\x01\x02") + 8] |= 1
    found = read(bytes(whole))
    assert found.why == f"file 1 (txt): {PASSWORD}"
    assert "jan@example.org" in found.all


def test_a_file_without_a_name_ends_nothing() -> None:
    whole = bytearray(zipped({"X.csv": TABLE, "map/": "", "b.csv": TABLE}))  # a name ends at its first NUL
    whole = bytearray(bytes(whole).replace(b"X.csv", b"\0.csv"))
    found = read(bytes(whole), "x.zip")
    assert "jan@example.org" in found.at("file 2 (csv), row 2")


def test_archives_are_opened_to_a_depth() -> None:
    inner = zipped({"diep.csv": TABLE, "brief.docx": making.docx(["x"])})
    assert "jan@example.org" in read(zipped({"n.zip": inner})).all
    deeper = read(zipped({"m.zip": zipped({"n.zip": inner}), "boven.txt": "boven"}))
    assert "jan@example.org" not in deeper.all
    assert deeper.why == "file 1 (zip): file 1 (zip): archives within archives"
    assert "boven" in deeper.all


def test_a_flat_bomb_ends_at_the_bound() -> None:
    bomb = zipped({"a.txt": bytes(80 * 2**20)})
    assert "unpacks to more than 250 times" in read(bomb).why
    assert "when unpacked" in read(bomb, meter=Meter(Bounds(octets=2**20))).why


@pytest.mark.parametrize("squeeze", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_bomb_ends_at_the_bound(squeeze: object) -> None:
    assert "unpacks to more than" in read(squeeze(bytes(30 * 2**20))).why  # type: ignore[operator]


def test_many_small_bombs_are_counted_together() -> None:
    bomb = zipped({f"{n}.txt": b"x y z " * 100_000 for n in range(40)})
    meter = Meter(Bounds(octets=10 * 2**20))
    assert "when unpacked" in read(bomb, meter=meter).why
    assert meter.octets < 11 * 2**20


def test_a_nested_bomb_ends_at_the_bound() -> None:
    layer = zipped({"a.txt": b"x" * 4 * 2**20})
    bomb = zipped({f"{n}.zip": layer for n in range(200)})
    meter = Meter(Bounds())
    assert "when unpacked" in read(bomb, meter=meter).why
    assert meter.octets < 70 * 2**20


def overlapping(entries: int, size: int) -> bytes:
    """Every entry of the directory points at the same packed octets."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = b"x y z " * (size // 6)
    packed = packer.compress(plain) + packer.flush()
    sizes = struct.pack("<III", zlib.crc32(plain), len(packed), len(plain))
    head = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", 5, 0) + b"a.txt" + packed
    entry = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes
    entry += struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"a.txt"
    end = struct.pack("<HHHHIIH", 0, 0, entries, entries, len(entry) * entries, len(head), 0)
    return head + entry * entries + b"PK\x05\x06" + end


def test_entries_that_overlap_are_counted_as_often_as_they_are_read() -> None:
    meter = Meter(Bounds())
    found = read(overlapping(1500, 2**20), meter=meter)
    assert "when unpacked" in found.why or DAMAGED in found.why
    assert meter.octets < 66 * 2**20


def test_a_file_that_holds_itself_ends() -> None:
    quine = zipped({"a.zip": zipped({"a.zip": zipped({"a.zip": zipped({"a.zip": b"PK"})})})})
    assert "archives within archives" in read(quine).why
    twice = content = b"x"
    for _ in range(20):
        twice, content = content, gzip.compress(content)
    assert twice
    assert read(content).why == "archives within archives"


@pytest.mark.parametrize("claimed", [0, 1, 2**20, 2**32 - 2])
def test_a_size_that_is_a_lie_is_damage_or_no_matter(claimed: int) -> None:
    whole = bytearray(zipped({"a.csv": TABLE * 99}))
    for at, offset in ((0, 22), (whole.find(b"PK\x01\x02"), 24)):
        whole[at + offset : at + offset + 4] = struct.pack("<I", claimed)
    meter = Meter(Bounds())
    found = read(bytes(whole), meter=meter)
    assert DAMAGED in found.why or "jan@example.org" in found.all
    assert meter.octets < 2**20


def test_more_files_than_anybody_looks_at_are_too_much() -> None:
    meter = Meter(Bounds(members=100))
    assert read(zipped({f"{n}": "x" for n in range(101)}), meter=meter).why == "more than 100 files inside"
    assert read(zipped({f"{n}": "x" for n in range(1001)}), meter=Meter(Bounds(members=100))).texts == ()


def test_a_hole_in_a_tar_file_is_counted() -> None:
    info = tarfile.TarInfo("leeg")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[386:410] = b"00000000000 00000000000 "
    head[483:495] = b"77777777777 "  # eight thousand million octets, none of them there
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    meter = Meter(Bounds())
    found = read(bytes(head) + bytes(1024), meter=meter)
    assert found.why != ""
    assert meter.octets < 70 * 2**20


def test_a_whole_mail_is_read_part_by_part() -> None:
    mail = (
        b"From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>hallo</p>\n--b\nContent-Type: text/csv; name=lijst.csv\n"
        b"Content-Transfer-Encoding: base64\n\nTmFhbTtNYWlsCkphbjtqYW5AZXhhbXBsZS5vcmcK\n--b--\n"
    )
    found = read(zipped({"oud.eml": mail}))
    assert found.place_of("jan@") == "file 1 (eml), file 2 (csv), row 2, column B"
    assert "Zoë" in found.at("file 1 (eml), header")


def test_a_mail_that_is_none_is_read_as_text_and_told_of_where_it_may_hide_something() -> None:
    found = read(b"no mail at all jan@example.org\n", "x", "message/rfc822")
    assert "jan@example.org" in found.all
    assert found.why == ""
    encoded = b"no mail at all\nContent-Transfer-Encoding: base64\n\namFuQGV4YW1wbGUub3Jn"
    assert read(encoded, "x", "message/rfc822").why == DAMAGED


WHOLES = [
    lambda: zipped({"a.csv": TABLE * 50, "b.txt": "x" * 500}),
    lambda: zipped({"a.csv": TABLE * 50}, method=zipfile.ZIP_LZMA),
    lambda: zipped({"a.csv": TABLE * 50}, method=zipfile.ZIP_BZIP2),
    lambda: tarred({"a.csv": TABLE.encode() * 50, "b": b"x" * 900}),
    lambda: gzip.compress(TABLE.encode() * 50),
    lambda: bz2.compress(TABLE.encode() * 50),
    lambda: lzma.compress(TABLE.encode() * 50),
]


def test_a_tar_file_with_a_damaged_header_is_not_taken_for_its_beginning() -> None:
    whole = tarred({"a.csv": TABLE.encode(), "b.csv": TABLE.encode()})
    second = whole.index(b"b.csv")
    broken = whole[: second + 150] + b"\xff" + whole[second + 151 :]
    for content in (broken, whole[: second + 100], whole + whole):
        found = read(content, "x.tar")
        assert ("jan@example.org" in found.all, found.why) == (True, DAMAGED)
    assert read(whole + bytes(9000), "x.tar").why == ""


@pytest.mark.parametrize("make", WHOLES)
def test_an_archive_cut_off_anywhere_is_damaged_and_no_more(make: object) -> None:
    whole = make()  # type: ignore[operator]
    for part in range(1, 20):
        read(whole[: len(whole) * part // 20], "x.zip")


@pytest.mark.parametrize("make", WHOLES)
@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_an_archive_with_octets_changed_is_read_or_damaged(make: object, seed: int) -> None:
    chance = random.Random(seed)
    whole = bytearray(make())  # type: ignore[operator]
    for _ in range(chance.randint(1, 12)):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    read(bytes(whole), "x")
