"""S-64, L-15, L-19: exports that machines and people can read, with nobody else in them."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts import Scope, ScopeKind
from gateway.registry.protocol import Act, EventKind
from gateway.rights.dossier import Dossier
from gateway.rights.export import ExportRefused, Profile, as_csv, files, packed, write
from gateway.rights.tables import TABLES, Retained
from tests.rights.house import NOW, WHO, House, house

_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
PORTABLE = ("consents", "facts")


@pytest.fixture
async def found(tmp_path: Path):
    async with house(tmp_path) as made:
        yield await filled(made)


async def filled(parel: House) -> Dossier:
    await parel.record(EventKind.CONSENT, scope=Scope(ScopeKind.LIST, 1))
    await parel.record(EventKind.OPT_OUT, scope=Scope(ScopeKind.TOPIC, 2))
    await parel.record(EventKind.ENROLMENT, reference="<b>cursus & co</b>", third_party="aanbieder-1")
    await parel.record(EventKind.CONTACT, client="kleine-parel-crm", contact="c-77")
    await parel.record(EventKind.ORIGIN, origin="wedstrijd")
    await parel.record(EventKind.LANGUAGE, language="nl")
    await parel.record(EventKind.SHARED, third_party="aanbieder-1", message="m1", purpose="order")
    await parel.registry.act(Act(NOW, "els", "=1+1", "show"), parel.person())
    await parel.put(WHO, *(f"cursist{n}@voorbeeld.example" for n in range(24)))
    return await parel.dossier()


def data(dossier: Dossier, profile: Profile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(dossier, profile)["data.json"])
    return found


@pytest.mark.parametrize("profile", list(Profile))
async def test_s64_the_json_is_valid_by_the_schema_beside_it(found: Dossier, profile: Profile) -> None:
    content = files(found, profile)
    schema = json.loads(content[data(found, profile)["$schema"]])
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    check.validate(data(found, profile))
    for broken in ({"version": 2}, {"inferred": []}, {"made": "yesterday"}):
        assert not check.is_valid(data(found, profile) | broken)


async def test_s64_l19_portability_holds_only_what_the_person_gave(found: Dossier) -> None:
    whole, mine = data(found, Profile.ACCESS), data(found, Profile.PORTABILITY)
    assert [name for name in TABLES if name in mine] == list(PORTABLE)
    assert {row["kind"] for row in mine["facts"]} == {"enrolment", "language"}
    assert {row["kind"] for row in whole["facts"]} == {"enrolment", "language", "contact", "origin"}
    assert {name for name in TABLES if name in whole} == set(TABLES)
    assert len(whole["sendings"]) == len(whole["looks"]) == len(whole["blocks"]) == 1


@pytest.mark.parametrize("profile", list(Profile))
async def test_l15_no_address_but_the_persons_own_is_in_any_file(found: Dossier, profile: Profile) -> None:
    for name, content in files(found, profile).items():
        assert set(_ADDRESS.findall(content.decode())) <= {WHO}, name


async def test_csv_says_the_same_as_the_json(found: Dossier) -> None:
    content, whole = files(found, Profile.ACCESS), data(found, Profile.ACCESS)
    for name in TABLES:
        rows = list(csv.DictReader(io.StringIO(content[f"csv/{name}.csv"].decode("utf-8-sig"), newline="")))
        expected = [{k: str(v) for k, v in row.items()} for row in whole[name]]
        assert [{k: re.sub(r"^'(?==)", "", v) for k, v in row.items()} for row in rows] == expected


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_a_cell_never_starts_a_formula_and_every_table_reads_back(value: str) -> None:
    raw = as_csv("retained", [Retained(id=value, reason="a,b", until='say "x"')]).decode("utf-8-sig")
    ((_, reason, until),) = ((i, r, u) for i, r, u in list(csv.reader(io.StringIO(raw, newline="")))[1:])
    (read,) = (row[0] for row in list(csv.reader(io.StringIO(raw, newline="")))[1:])
    assert (reason, until) == ("a,b", 'say "x"')
    assert read in (value, f"'{value}")
    assert not read.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert raw.splitlines(keepends=True)[0] == "id,reason,until\r\n"


@pytest.mark.parametrize("start", ["=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_every_way_to_start_a_formula_is_stopped(start: str) -> None:
    assert f"'{start}".encode() in as_csv("retained", [Retained(start, "", "")])


@pytest.mark.parametrize("language", ["nl", "en", "de"])
async def test_the_page_stands_alone_and_escapes_what_it_shows(tmp_path: Path, language: str) -> None:
    async with house(tmp_path) as made:
        await filled(made)
        page = files(await made.dossier(language=language), Profile.ACCESS)["read-me.html"].decode()
    assert f'<html lang="{"en" if language == "de" else language}">' in page
    assert "default-src 'none'" in page
    assert not re.search(r"<script|<img|<link|<iframe|\bsrc=|url\(|@import|href=\"(?!#)|\bon\w+=", page)
    assert "&lt;b&gt;cursus &amp; co&lt;/b&gt;" in page
    assert "<b>cursus" not in page
    titles = {"nl": "Mail aan u", "en": "Mail to you", "de": "Mail to you"}
    assert titles[language] in page


async def test_the_page_of_a_stranger_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        page = files(await made.dossier("niemand@voorbeeld.example"), Profile.ACCESS)["read-me.html"].decode()
    assert "niets bekend" in page


def test_only_the_owner_can_read_the_files_and_nothing_is_written_over(tmp_path: Path) -> None:
    out = tmp_path / "made" / "export"
    write(out, {"data.json": b"1", "csv/a.csv": b"2"})
    modes = {str(p.relative_to(out)): stat.S_IMODE(p.stat().st_mode) for p in out.rglob("*")}
    assert modes == {"data.json": 0o600, "csv": 0o700, "csv/a.csv": 0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    with pytest.raises(ExportRefused):
        write(out, {"data.json": b"3"})
    assert (out / "data.json").read_bytes() == b"1"
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for wrong in ("file", "link"):
        with pytest.raises(ExportRefused):
            write(tmp_path / wrong, {"data.json": b"3"})
    write(tmp_path / "empty", {"data.json": b"3"})


async def test_one_zip_holds_the_same_files(found: Dossier) -> None:
    content = files(found, Profile.PORTABILITY)
    with zipfile.ZipFile(io.BytesIO(packed(content))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == content
    assert packed(content) == packed(content)
