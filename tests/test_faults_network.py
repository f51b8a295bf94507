"""The other side fails: a server that is down or goes down, names that nobody knows, answers that never end. Each page
has its row with the reason, the exit code tells it, what is stored stays, and the next run makes up for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.demo.server import serve
from conftest import ROOT, Watch, watchfloor
from soundness import (
    article_pages,
    begun,
    check,
    complete,
    long_test,
    one_at_a_time,
    slower,
    told,
    undisturbed,
    until,
)

UNKNOWN_SECONDS = 15
"""After which a host that nobody knows has its row."""


def problems(out: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    return [(each["source"], each["name"]) for each in out["problems"]]


def beside(watch: Watch, folder: Path, **others: str) -> list[str]:
    """Arguments of a crawl of this site and of others, each with the home that is given."""
    folder.mkdir()
    own = [line for line in watch.file.read_text("utf-8").splitlines(True) if not line.startswith("id ")]
    (folder / "demo.toml").write_text("".join(own), "utf-8")
    for name, home in others.items():
        text = f'name = "{name}"\nhome = "{home}/"\nfeeds = ["{home}/feed/"]\ndelay = 0\n'
        (folder / f"{name}.toml").write_text(text, "utf-8")
    allowed = f"127.0.0.1:{watch.server.port}"
    return ["crawl", "--sources", str(folder), "--db", str(watch.db), "--allow-address", allowed, "--json"]


def test_a_server_that_goes_down_in_the_middle_is_loud_and_the_next_run_has_the_rest(tmp_path: Path) -> None:
    server = serve()
    watch = one_at_a_time(server, tmp_path)
    slower(watch, 0.1)
    process = begun(watch, "--json")
    until(lambda: article_pages(watch) >= 3 or process.poll() is not None)
    server.close()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, (out, err)
    assert "pages failed" in out and "Traceback" not in err
    check(watch.db)
    complete(watch.db, undisturbed().rows, server.url)
    ((stored,),) = watch.rows("SELECT count(*) FROM articles")
    ((failed, why),) = watch.rows(
        "SELECT count(*), group_concat(DISTINCT reason) FROM fetches WHERE outcome = 'failed'"
    )
    assert stored >= 1 and failed > stored
    assert set(why.split(",")) <= {"connection refused", "the host gives no answers"}
    assert watch.crawl("--again").code == 3  # still nobody there: what is stored stays
    assert watch.rows("SELECT count(*) FROM articles") == [(stored,)]
    with serve(port=server.port, site=server.site):
        slower(watch, 0.01)
        assert watch.crawl("--again").code == 0
    check(watch.db, broken=False)
    now, whole = told(watch.db, server.url), undisturbed().rows
    assert {row[0] for row in now["articles"]} == {row[0] for row in whole["articles"]}
    assert now["comments"] == whole["comments"]


def test_a_host_that_nobody_knows_has_its_row_in_time_and_costs_the_others_nothing(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    ran = watchfloor(*beside(watch, tmp_path / "sources", nowhere="http://nosuch.invalid"))
    assert (ran.code, problems(ran.json)) == (1, [("nowhere", "source failed")])
    rows = "SELECT outcome, reason FROM fetches WHERE source_id = 'nowhere'"
    assert watch.rows(rows) == [("failed", "unknown host")]
    ((seconds,),) = watch.rows("SELECT seconds FROM run_sources WHERE source_id = 'nowhere'")
    assert seconds < UNKNOWN_SECONDS
    same_but_for(watch, "nowhere")


def same_but_for(watch: Watch, other: str) -> None:
    """All that the site has is stored as always, beside the rows of another source."""
    found = told(watch.db, watch.server.url)
    found["fetches"] = [row for row in found["fetches"] if other not in row]
    for table, rows in undisturbed().rows.items():
        assert found[table] == rows, table


_SLOW_NAMES = """
import socket, sys, time
asking = socket.getaddrinfo
def slow(host, *args, **kwargs):
    if "slow.example" in str(host):
        time.sleep(45)
        raise socket.gaierror(-3, "Temporary failure in name resolution")
    return asking(host, *args, **kwargs)
socket.getaddrinfo = slow
from app.cli.main import main
main()
"""


@pytest.mark.parametrize("host", [pytest.param("http://slow.example.com", marks=long_test())])
def test_names_that_are_never_answered_hold_up_no_other_host(host: str, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    command = [sys.executable, "-c", _SLOW_NAMES, *beside(watch, tmp_path / "sources", slow=host)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    articles = len(undisturbed().rows["articles"])
    until(lambda: _stored(watch) == articles or process.poll() is not None, seconds=120)
    assert process.poll() is None, "the others had to wait"
    print(f"the others were stored after {time.monotonic() - began:.1f} s")
    out, err = process.communicate(timeout=240)
    print(f"the run took {time.monotonic() - began:.1f} s")
    assert process.returncode == 1, (out, err)
    assert "Traceback" not in err
    assert watch.rows("SELECT reason FROM fetches WHERE source_id = 'slow'") == [("unknown host",)]
    ((seconds,),) = watch.rows("SELECT seconds FROM run_sources WHERE source_id = 'slow'")
    assert seconds < UNKNOWN_SECONDS
    same_but_for(watch, "slow")


def _stored(watch: Watch) -> int:
    try:
        return int(watch.rows("SELECT count(*) FROM articles")[0][0])
    except Exception:
        return 0


# ---- slow servers


@contextmanager
def dripping(*, head: bool) -> Iterator[str]:
    """A server that sends a byte a second, of the headers or of a body without end; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def drip(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.recv(65536)
                    if not head:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
                    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
                        if ended.wait(1):
                            return
                        connection.sendall(bytes([byte]))
                except OSError:
                    return

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ended.set()


@pytest.mark.parametrize("head", [pytest.param(True, marks=long_test()), pytest.param(False, marks=long_test())])
def test_a_server_that_drips_ends_and_costs_the_others_nothing(head: bool, tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    with dripping(head=head) as address:
        allowed = ["--allow-address", address.removeprefix("http://")]
        began = time.monotonic()
        ran = watchfloor(*beside(watch, tmp_path / "sources", slow=address), *allowed)
    print(f"the run took {time.monotonic() - began:.1f} s")
    assert (ran.code, problems(ran.json)) == (1, [("slow", "source failed")])
    rows = "SELECT reason FROM fetches WHERE source_id = 'slow'"
    assert watch.rows(rows)[0][0]
    same_but_for(watch, "slow")
