"""Copies of one campaign through the running gateway: what differs per person is found by that (R-059)."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, arrived, consent, mail, person, send, texts, until, wait
from tests.newsletters import CARRIED, LOGO, PICTURES, PIXEL, REDIRECTS, SPACER, TEXT, Letter, text
from tests.stages import MakeStage

CLIENT = "kleine-parel-crm"
NEWS = {"stream": "newsletter", "list": "nieuwsbrief"}
INDIVIDUAL = '<img src="https://beeld.esp.example/n/{TOKEN:p}/foto.jpg" width="600" height="240" alt="Foto">\n'


def readers(stage: Stage, count: int) -> list[str]:
    found = [person("copy") for _ in range(count)]
    stage.people("kleine-parel", [consent(who, "list:nieuwsbrief") for who in found])
    return found


def run(stage: Stage, letter: Letter, to: list[str], **marks: str) -> list[str]:
    """The HTML that each person got, in the order in which they were sent."""
    got = []
    for who in to:
        name = who.partition("@")[0]
        message = mail(PAREL, [who], html=letter.html(name), subject=letter.subject_for(name), **NEWS, **marks)
        sent = send(stage, CLIENT, message, [who])
        assert sent.code == 250, sent.reply
        (copy,) = arrived(stage, [who])
        got.append(texts(copy.content)["text/html"])
    return got


def learned(stage: Stage, letter: Letter, gone: str, **marks: str) -> str:
    """The HTML of the first copy without `gone`, from the second on. It is the second, but a store that does not answer
    at once is not waited for."""
    run(stage, letter, readers(stage, 1), **marks)
    return until(
        lambda: run(stage, letter, readers(stage, 1), **marks)[0], lambda html: gone not in html, f"{gone} to go"
    )


def stored(stage: Stage) -> Path:
    return stage.state / "campaigns" / "kleine-parel.sqlite"


def entries(stage: Stage) -> int:
    if not stored(stage).exists():
        return 0
    with sqlite3.connect(f"file:{stored(stage)}?mode=ro", uri=True) as db:
        return int(db.execute("SELECT COUNT(*) FROM entries").fetchone()[0])


def metric(stage: Stage, name: str, **labels: str) -> float:
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = stage.get("observe", "/metrics")[1].splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name) and all(w in line for w in wanted))


def explained(stage: Stage, *files: Path) -> list[dict[str, object]]:
    told = stage.command("explain", *map(str, files), "--client", CLIENT, "--json", "--assume-consent")
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


def written(folder: Path, letter: Letter, to: list[str]) -> list[Path]:
    files = []
    for who in to:
        name = who.partition("@")[0]
        message = mail(PAREL, [who], html=letter.html(name), subject=letter.subject_for(name), **NEWS)
        files.append(folder / f"{name}.eml")
        files[-1].write_bytes(message.as_bytes())
    return files


def test_r059_of_two_copies_the_differing_image_goes_and_the_equal_logo_stays(shared: Stage) -> None:
    letter = Letter((LOGO, TEXT, INDIVIDUAL, PICTURES), salt="e2e-two")
    second = learned(shared, letter, "foto.jpg", campaign="e2e-two")
    assert "logo.png" in second
    assert second.count("/zomer/") == 3


def test_r059_copies_without_a_mark_and_a_spacer_that_is_the_same_for_all(shared: Stage) -> None:
    letter = Letter((LOGO, SPACER, text("fiets"), INDIVIDUAL, PIXEL), salt="e2e-three")
    second = learned(shared, letter, "foto.jpg")
    assert "t.esp.example" not in second
    assert "logo.png" in second

    def common() -> bool:
        run(shared, letter, readers(shared, 1))
        return metric(shared, "briefgeheim_compared_addresses", sameness="common") > 0

    wait(common, "a third copy to show what is common")


def test_r059_all_images_individual_are_made_common_where_that_can_be(shared: Stage) -> None:
    images = [f"https://img.esp.example/im/2345678/{n}c4f7{n}.png" for n in range(9)]
    blocks = (f'<img src="{image}?e={{TOKEN:e}}" width="200" alt="Les">\n' for image in images)
    letter = Letter((TEXT, *blocks), salt="e2e-nine")
    second = learned(shared, letter, "?e=", campaign="e2e-nine")
    for image in images:
        assert f'"{image}"' in second


def test_r060_a_link_that_differs_loses_what_differs(shared: Stage) -> None:
    letter = Letter((TEXT, CARRIED.replace("mc_eid", "wie"), REDIRECTS), salt="e2e-links")
    second = learned(shared, letter, "wie=", campaign="e2e-links")
    assert 'href="https://shop.example/cursus?les=1"' in second


def test_r059_one_message_to_many_makes_nothing_individual(shared: Stage) -> None:
    to = readers(shared, 4)
    picture = '<img src="https://beeld.esp.example/m/0f1e2d3c4b5a6978/foto.jpg" width="600" height="240">\n'
    message = mail(PAREL, to, html=Letter((TEXT, picture)).html("allen"), **NEWS)
    assert send(shared, CLIENT, message, to).code == 250
    assert all("foto.jpg" in texts(copy.content)["text/html"] for copy in arrived(shared, to))


def test_r059_what_one_worker_saw_the_other_knows(shared: Stage) -> None:
    """Twelve connections spread over two workers: each has seen others by the end."""
    letter = Letter((LOGO, TEXT, INDIVIDUAL), salt="e2e-workers")
    learned(shared, letter, "foto.jpg", campaign="e2e-workers")
    until(
        lambda: "".join(run(shared, letter, readers(shared, 6), campaign="e2e-workers")),
        lambda all_six: "foto.jpg" not in all_six,
        "both workers to know",
    )


def test_i11_explain_tells_what_is_known_and_learns_nothing(make_stage: MakeStage, tmp_path: Path) -> None:
    stage = make_stage()  # in one that others share their copies may be written late
    stage.start()
    letter = Letter((LOGO, text("vogel"), INDIVIDUAL), salt="e2e-explain")
    to = readers(stage, 3)
    run(stage, letter, to[:1])
    wait(lambda: entries(stage) > 0, "what was seen to be written")
    known = entries(stage)
    (account,) = explained(stage, *written(tmp_path, letter, to[1:2]))
    assert account["compared"] == {"individual": 1, "common": 0}
    (again,) = explained(stage, *written(tmp_path, letter, to[2:3]))
    assert again["compared"] == {"individual": 1, "common": 0}
    assert entries(stage) == known


def test_i11_explain_compares_the_mails_it_is_given(shared: Stage, tmp_path: Path) -> None:
    letter = Letter((LOGO, text("kaart"), INDIVIDUAL), salt="e2e-given", subject="Alleen uitgelegd")
    accounts = explained(shared, *written(tmp_path, letter, readers(shared, 3)))
    first, second, third = (account["compared"] for account in accounts)
    assert (first, second) == (None, {"individual": 1, "common": 0})
    assert third == {"individual": 1, "common": 1}
