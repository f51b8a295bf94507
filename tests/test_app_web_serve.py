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
from browser import served as here
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


def test_the_printed_address_opens_once_on_this_machine_alone_and_ctrl_c_ends_quietly(db: Path) -> None:
    with served(db, "--by", "ann") as (process, address):
        port = int(re.findall(r":(\d+)/", address)[0])
        assert listening(process) == {f"0100007F:{port:04X}"}, "127.0.0.1"
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


def listening(process: subprocess.Popen[str]) -> set[str]:
    """The addresses and ports at which a process listens, in hexadecimal."""
    about = Path(f"/proc/{process.pid}")
    held = {os.readlink(file) for file in (about / "fd").iterdir() if file.is_symlink()}
    lines = [line for name in ("tcp", "tcp6") for line in (about / "net" / name).read_text().splitlines()[1:]]
    rows = [line.split() for line in lines]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held}


def test_an_old_cookie_opens_nothing_after_a_new_start(db: Path, tmp_path: Path) -> None:
    with here(db, tmp_path) as before, before.client() as known:
        assert known.get("/review").status_code == 200
        secret = before.cookie.partition("=")[2]
    with here(db, tmp_path) as after, after.client(enter=False) as late:
        late.cookies.set(after.cookie.partition("=")[0], secret)
        assert late.get("/review").status_code == 401


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


def test_the_password_of_a_file_or_the_environment_is_asked_for(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.txt"
    file.write_text(f"{PASSWORD}\nnot this\n")
    with served(db, "--host", "127.0.0.1", "--password-file", str(file)) as (_, address):
        base = address.partition("/start")[0]
        told = {"name": "ann", "password": PASSWORD}
        with httpx.Client(base_url=base, headers={"Origin": base, "Accept": "text/html"}) as ann:
            assert ann.get("/review").headers["location"] == "/login"
            assert ann.post("/login", data={**told, "password": "not this"}).status_code == 403
            assert ann.post("/login", data=told).status_code == 303
            assert "Deciding as <bdi>ann</bdi>" in ann.get("/review").text
