"""What a crawl leaves in the archive: every page that it read, before it read it, whatever ends the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.demo.site import Response
from conftest import ROOT, Watch
from db.archive import Answer, Place, check, files, read

PATH = "/2026/09/how-armoured-brigades-learn-to-hide-again/"


def folder(site: Watch) -> Path:
    return site.folder / "archive"


def kept(site: Watch, role: str = "page") -> dict[str, Answer]:
    """By the path that was asked for; each row points to a whole record."""
    sql = "SELECT url, file, start, length FROM captures WHERE role = ? AND file <> '' ORDER BY id"
    rows = site.rows(sql, role)
    return {url.removeprefix(site.server.url): read(folder(site), Place(*place)) for url, *place in rows}


def pages(site: Watch) -> set[str]:
    sql = "SELECT url FROM fetches WHERE kind = 'page' AND (article_id IS NOT NULL OR outcome = 'rejected')"
    return {url.removeprefix(site.server.url) for (url,) in site.rows(sql)}


def test_every_page_that_was_read_is_kept_as_it_came_also_one_that_is_no_article(site: Watch) -> None:
    empty = Response(body=b"<html><title>Soon</title><p>Soon.</p></html>", headers={"Content-Type": "text/html"})
    site.server.site.answer(PATH, empty)
    assert site.crawl().code == 0
    answers = kept(site)
    assert set(answers) == pages(site)
    assert answers[PATH].body == empty.body
    for path, answer in answers.items():
        assert answer.body == site.server.site.get(path).body
        assert answer.url == site.server.url + path
        assert not answer.header("Content-Encoding")


def test_what_is_no_page_or_did_not_come_again_is_not_kept(site: Watch) -> None:
    site.server.site.answer(PATH, Response(body=b"%PDF", headers={"Content-Type": "application/pdf"}))
    site.crawl()
    assert PATH not in kept(site)
    before = site.rows("SELECT count(*) FROM captures")
    site.crawl("--again")  # every page answers 304
    assert site.rows("SELECT count(*) FROM captures") == before


def test_answers_with_further_comments_are_kept_under_their_page(site: Watch) -> None:
    site.server.site.edit_article(PATH, threads_a_page=1)
    site.crawl()
    assert set(kept(site, "comments")) == {f"{PATH}comment-page-{n}/" for n in (2, 3, 4)}
    assert site.rows("SELECT DISTINCT page_url FROM captures WHERE role = 'comments'") == [(site.server.url + PATH,)]


def test_a_page_on_which_our_own_code_raises_was_kept_before(site: Watch, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import crawler.reading as reading\n"
        "def page(*_):\n    raise ZeroDivisionError\n"
        "reading.page = page\n"
        "from app.cli.main import main\nmain()\n"
    )
    command = [sys.executable, broken, "crawl", "-q", "--sources", site.file, "--db", site.db]
    command += ["--allow-address", f"127.0.0.1:{site.server.port}"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
    failed = {url for (url,) in site.rows("SELECT url FROM fetches WHERE reason = 'exception'")}
    assert failed == {site.server.url + path for path in kept(site)} != set()


def test_without_the_archive_nothing_is_kept(site: Watch) -> None:
    assert site.crawl("--no-archive").code == 0
    assert not folder(site).exists()
    assert site.rows("SELECT count(*) FROM captures") == [(0,)]


def test_an_archive_that_cannot_be_written_costs_no_page_and_is_said_once(site: Watch) -> None:
    folder(site).write_text("a file where the folder should be")
    ran = site.crawl()
    assert ran.json["sources"]["demo"]["new"] > 10
    assert ran.json["sources"]["demo"]["failed"] == 0
    assert ran.err.count("is not in the archive") == 1
    assert site.rows("SELECT count(*) FROM captures") == [(0,)]


def test_two_databases_in_one_folder_have_archives_of_their_own(site: Watch) -> None:
    site.db = site.folder / "other.db"
    site.crawl()
    assert files(site.folder / "other.db.archive")


def test_an_archive_over_its_limit_lets_the_oldest_files_go_and_says_so(site: Watch) -> None:
    ran = site.crawl("--archive-limit", "0.00003")
    assert "archive: " in ran.err and "let go" in ran.err
    assert sum(path.stat().st_size for path in files(folder(site))) <= 30_000
    assert kept(site)
    assert {f for (f,) in site.rows("SELECT DISTINCT file FROM captures")} <= {p.name for p in files(folder(site))}
    assert site.crawl("-q", "--archive-limit", "0.00003").err == ""


@pytest.mark.parametrize("tail", [b"\x1f\x8b\x08\x00half of a record", bytes(64)], ids=["half", "zeros"])
def test_after_a_kill_the_next_run_mends_the_archive_and_goes_on_in_the_same_file(site: Watch, tail: bytes) -> None:
    site.file.write_text(site.file.read_text().replace("delay = 0", "delay = 0.05"), "utf-8")
    command = [sys.executable, "-m", "app.cli.main", "crawl", "-q", "--sources", site.file, "--db", site.db]
    command += ["--allow-address", f"127.0.0.1:{site.server.port}"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT)
    until = time.monotonic() + 60
    while time.monotonic() < until and not (folder(site).exists() and _size(site) > 20_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (file,) = files(folder(site))
    with file.open("ab") as stream:
        stream.write(tail)
    before = len(kept(site))  # each row points to a whole record already now
    assert before
    assert site.crawl().code in (0, 1)
    assert files(folder(site)) == [file]
    assert check(file).problem == ""
    assert set(kept(site)) == pages(site)


def _size(site: Watch) -> int:
    return sum(path.stat().st_size for path in files(folder(site)))


def test_an_archive_that_cannot_be_written_to_costs_no_page_and_is_named(site: Watch) -> None:
    folder(site).write_text("a file stands where the folder should be", "utf-8")
    ran = site.crawl()
    assert ran.code == 1 and ran.json["sources"]["demo"]["new"] > 10
    assert [p["name"] for p in ran.json["problems"]] == ["archive"]
    assert str(folder(site)) in ran.json["problems"][0]["detail"]
    assert site.rows("SELECT count(*) FROM captures WHERE file <> ''") == [(0,)]
