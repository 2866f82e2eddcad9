"""Mail and page as two units with folders of their own, as systemd runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.demo.stage import Stage
from tests.e2e.post import PAREL, arrived, consent, mail, one_click, opt_out_url, person, send, wait
from tests.e2e.watching import metric, samples
from tests.stages import MakeStage


@contextmanager
def unit(stage: Stage, part: str, home: Path, credentials: Path) -> Iterator[dict[str, Any]]:
    """`serve --only PART`, with its keys handed over as systemd does; gives its ports."""
    (home / "listening.json").unlink(missing_ok=True)
    line = [sys.executable, "-m", "gateway", "serve", "--config", str(stage.config), "--only", part]
    environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)}
    with stage.log.open("ab") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait(lambda: (home / "listening.json").exists() or process.poll() is not None, f"{part} to listen")
        assert process.poll() is None, stage.log.read_text("utf-8")[-2000:]
        ports = json.loads((home / "listening.json").read_text("utf-8"))
        wait(lambda: answer(ports["observe"], "/readyz") == "ok\n", f"{part} to be ready")
        yield ports
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(180)
    assert code == 0


def answer(port: list[Any], path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{port[0]}:{port[1]}{path}", timeout=180) as found:
            return found.read().decode()
    except OSError as error:
        return str(error)


def handed_over(folder: Path, source: Path, *names: str) -> Path:
    """Credentials as systemd lays them out: single ones under their name, a folder's with the folder's before them."""
    folder.mkdir()
    for file in source.iterdir():
        if file.name in names:
            (folder / file.name).write_bytes(file.read_bytes())
        elif not names:
            (folder / f"credentials_{file.name}").write_bytes(file.read_bytes())
    return folder


def test_the_page_as_a_unit_of_its_own_knows_only_its_keys_and_blocks_all_the_same(make_stage: MakeStage) -> None:
    def apart(gateway: dict[str, Any]) -> None:
        gateway["web"] |= {"folder": str(Path(gateway["state"]).parent / "page"), "metrics_port": 0}

    stage = make_stage(gateway=apart, workers=2)
    page = stage.folder / "page"
    keys = stage.state / "credentials"
    for_mail = handed_over(stage.folder / "for-mail", keys)
    for_page = handed_over(stage.folder / "for-page", keys, "kleine-parel.token", "rezulto.token")
    keys.rename(stage.folder / "locked-away")
    with unit(stage, "web", page, for_page) as web, unit(stage, "mail", stage.state, for_mail) as ports:
        stage.ports = {name: (str(a), int(p)) for name, (a, p) in ports.items()}
        assert "web" not in stage.ports
        assert set(web) == {"web", "observe"}
        os.environ["CREDENTIALS_DIRECTORY"] = str(for_mail)
        try:
            who = person()
            stage.people("kleine-parel", [consent(who, "list:nieuwsbrief")])
        finally:
            del os.environ["CREDENTIALS_DIRECTORY"]
        news = mail(PAREL, [who], stream="newsletter", list="nieuwsbrief")
        assert send(stage, "kleine-parel-crm", news, [who]).code == 250
        (copy,) = arrived(stage, [who])
        assert one_click(opt_out_url(copy.content)) == 200
        refused = send(stage, "kleine-parel-crm", news, [who])
        assert refused.code == 550, "at once: every decision reads the page's journal"
        wait(lambda: metric(stage, "briefgeheim_opt_outs_total", organisation="kleine-parel") == 1, "the count")
        shown = samples(answer(web["observe"], "/metrics"), "briefgeheim_page_opt_outs_total")
        assert [value for _, value in shown] == [1.0]
        assert answer(web["observe"], "/healthz") == "ok\n"
    assert (page / "kleine-parel.journal").exists()
    assert not (stage.state / "web").exists()
