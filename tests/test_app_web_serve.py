"""`watchfloor serve` as a process: where it listens, what it prints, who gets in, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from browser import copied
from conftest import ROOT, watchfloor

PASSWORD = "correct horse"


@pytest.fixture
def db(demo_db: Path, tmp_path: Path) -> Path:
    return copied(demo_db, tmp_path / "watchfloor.db")


@contextmanager
def served(db: Path, *args: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it prints."""
    command = [sys.executable, "-m", "app.cli.main", "serve", "--port", "0", "--db", str(db), *args]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "WATCHFLOOR_HOME": str(db.parent), "PYTHONUNBUFFERED": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        lines = [process.stdout.readline(), process.stdout.readline()]
        yield process, lines[1].strip()
    finally:
        process.kill()
        process.communicate()


def test_the_printed_address_opens_once_and_ctrl_c_ends_quietly(db: Path) -> None:
    with served(db, "--by", "ann") as (process, address):
        with httpx.Client() as browser:
            answer = browser.get(address)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            base = address.partition("/start")[0]
            page = browser.get(f"{base}/review").text
            assert "Deciding as" in page
            assert "ann" in page
            token = re.findall(r'name="token" value="([^"]+)"', page)[0]
            form = {"token": token, "comment": re.findall(r'data-id="(\d+)"', page)[0]}
            form |= {"seen": re.findall(r'data-seen="(\d+)"', page)[0], "said": "spam"}
            assert browser.post(f"{base}/review/decide", data=form, headers={"Origin": base}).status_code == 303
            assert browser.get(f"{base}/audit.json").json()["rows"][0]["judge"] == "ann"
        assert httpx.get(address).status_code == 401
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert "Traceback" not in out


def test_only_this_machine_can_reach_it(db: Path) -> None:
    with served(db) as (process, address):
        port = int(re.findall(r":(\d+)/", address)[0])
        listening = Path(f"/proc/{process.pid}/net/tcp").read_text()
        places = {line.split()[1] for line in listening.splitlines()[1:] if line.split()[3] == "0A"}
        assert {place for place in places if place.endswith(f":{port:04X}")} == {f"0100007F:{port:04X}"}


def test_an_old_cookie_opens_nothing_after_a_new_start(db: Path) -> None:
    with served(db) as (_, address):
        cookie = httpx.get(address).headers["set-cookie"].partition(";")[0]
    with served(db) as (_, address):
        base = address.partition("/start")[0]
        port = re.findall(r":(\d+)", base)[0]
        renamed = re.sub(r"watchfloor-\d+", f"watchfloor-{port}", cookie)
        assert httpx.get(f"{base}/review", headers={"Cookie": renamed}).status_code == 401


def test_what_is_wrong_is_one_line(db: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for args, code, told in (
            (["--port", port, "--db", db], 2, "cannot be had"),
            (["--db", tmp_path / "none.db"], 4, "no database here yet"),
            (["--host", "0.0.0.0", "--db", db], 2, "WATCHFLOOR_PASSWORD"),
            (["--host", "::", "--db", db], 2, "WATCHFLOOR_PASSWORD"),
        ):
            ran = watchfloor("serve", *args, env={"WATCHFLOOR_PASSWORD": ""})
            assert ran.code == code, ran
            assert told in ran.err
            assert "Traceback" not in ran.err
    short = watchfloor("serve", "--db", db, "--host", "0.0.0.0", env={"WATCHFLOOR_PASSWORD": "short"})
    assert (short.code, "8 characters" in short.err) == (2, True)


def test_with_a_password_people_log_in_with_a_name_of_their_own(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.txt"
    file.write_text(f"{PASSWORD}\n")
    with served(db, "--host", "127.0.0.1", "--password-file", str(file)) as (_, address):
        base = address.partition("/start")[0]
        head = {"Origin": base, "Accept": "text/html"}
        with httpx.Client(base_url=base, headers=head) as ann, httpx.Client(base_url=base, headers=head) as bob:
            assert ann.get("/review").headers["location"] == "/login"
            assert ann.get("/review.json", headers={"Accept": "application/json"}).status_code == 401
            assert ann.get("/login").status_code == 200
            assert ann.post("/login", data={"name": "ann", "password": "wrong"}).status_code == 403
            assert ann.post("/login", data={"name": " ", "password": PASSWORD}).status_code == 400
            assert ann.get("/review").status_code == 303
            for name, client in (("ann", ann), ("bob", bob)):
                assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
            page = bob.get("/review").text
            form = {"token": re.findall(r'name="token" value="([^"]+)"', page)[0], "said": "spam"}
            form |= {
                "comment": re.findall(r'data-id="(\d+)"', page)[0],
                "seen": re.findall(r'data-seen="(\d+)"', page)[0],
            }
            assert bob.post("/review/decide", data=form).status_code == 303
            late = ann.post("/review/decide", data=form | {"said": "ok"}, headers={"Accept": "application/json"})
            assert late.status_code == 409
            assert late.json()["stands"]["by"] == "bob"
            assert ann.post("/logout").status_code == 303
            assert ann.get("/review").status_code == 303
            assert bob.get("/review").status_code == 200
            tries = [ann.post("/login", data={"name": "x", "password": str(n)}).status_code for n in range(12)]
            assert tries[-1] == 429
            assert bob.get("/review").status_code == 200


def test_a_form_of_another_page_does_not_log_in_or_out(db: Path) -> None:
    with served(db, WATCHFLOOR_PASSWORD=PASSWORD) as (_, address):
        base = address.partition("/start")[0]
        for path in ("/login", "/logout"):
            evil = {"Origin": "http://evil.example"}
            assert httpx.post(base + path, data={"name": "x", "password": PASSWORD}, headers=evil).status_code == 403
