"""`watchfloor extract`: archives into shards as a crawl would have stored them, whatever happens on the way."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from app.cli.extract import extract
from app.demo.server import serve
from conftest import ROOT, Watch
from crawler import limits
from db.archive import Answer, pack
from moderation.policy import default_policy
from pipelines.pages import Pages
from pipelines.records import page_of, verdicts_of
from pipelines.shards import listed, rows
from pipelines.warcs import Share, opened, taken

PATH = "/2026/09/how-armoured-brigades-learn-to-hide-again/"
WORDS = [
    a + b + c
    for a in "bdfgklmnprst"
    for b in ("a", "en", "il", "or", "u")
    for c in ("be", "da", "go", "ky", "lor", "men", "nap")
]
assert len(WORDS) == 420
SPAM = (
    "<ol class=comment-list><li id=comment-7 class=comment><cite>Bob</cite><p>Buy at http://pills.example</p></li></ol>"
)
Rows = list[dict[str, Any]]


def page(seed: int, *, words: int = 80, text: str = "", more: str = "") -> bytes:
    """An article whose text nothing else has."""
    text = text or " ".join(random.Random(seed).sample(WORDS, words))
    half = len(text) // 2
    return (
        f"<html><head><title>Headline {seed}</title></head><body><article><h1>Headline {seed}</h1>"
        f"<p>{text[:half]}</p><p>{text[half:]}</p></article>{more}</body></html>"
    ).encode()


def record(url: str, body: bytes, status: int = 200, kind: str = "text/html") -> bytes:
    return pack(Answer(url=url, status=status, headers=(("Content-Type", kind),), body=body))


def warc(path: Path, *records: bytes) -> Path:
    path.write_bytes(b"".join(records))
    return path


def run(*args: str | Path, code: int = 0) -> Result:
    """The command in this process: what it imports is loaded once, for all tests."""
    few = () if "--tasks" in args else ("--tasks", "1")
    command = [str(arg) for arg in ("--home", "/nonexistent", "--workers", "2", *few, *args)]
    done = CliRunner().invoke(extract, command, standalone_mode=False)
    if isinstance(done.exception, Exception):
        raise done.exception
    assert done.return_value == code, done.output
    return done


def told(*args: str | Path, code: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("--json", *args, code=code).stdout)
    return told


def read(folder: Path, kind: str = "articles") -> Rows:
    """The rows of all shards of a kind, by url."""
    found = [dict(row) for path in listed(str(folder / kind)) for _, row in rows(path)]  # type: ignore[call-overload]
    return sorted(found, key=lambda row: (str(row["url"]), int(row["start"])))


def urls(found: Rows) -> list[str]:
    return [row["url"].partition("example")[2] for row in found]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """A demo site that was crawled, one of its articles with comments on four pages, of which one fails."""
    with serve() as server:
        site = Watch(server, tmp_path_factory.mktemp("crawled"))
        server.site.edit_article(PATH, threads_a_page=1)
        server.site.fail(f"{PATH}comment-page-4/", 500)
        site.crawl()
        yield site


def test_an_archive_of_ours_gives_what_the_crawl_stored_with_comments_from_all_their_pages(
    crawled: Watch, tmp_path: Path
) -> None:
    report = told(crawled.folder / "archive", "--out", tmp_path / "out", "--sources", crawled.file, "--keep-duplicates")
    found = read(tmp_path / "out")
    articles = crawled.rows("SELECT url, headline, body, source_id FROM articles ORDER BY url")
    assert [(row["url"], row["headline"], row["text"], row["source_id"]) for row in found] == articles
    for row in found:
        comments = crawled.rows(
            "SELECT c.key, c.author, c.text FROM comments c JOIN articles a ON a.id = c.article_id WHERE a.url = ?"
            " ORDER BY c.position",
            row["url"],
        )
        verdicts, page = verdicts_of(row), page_of(row)
        ours = [(key, c.author, c.text) for key, c in zip(verdicts, page.comments, strict=True)]
        assert ours == comments
    said = dict(
        crawled.rows(
            "SELECT c.key || a.url, s.state FROM comments c JOIN articles a ON a.id = c.article_id"
            " JOIN standing s ON s.comment_id = c.id"
        )
    )
    flagged = {key + row["url"] for row in found for key, v in verdicts_of(row).items() if v.decision == "flagged"}
    assert flagged == {key for key, state in said.items() if state != "clean"}
    assert report["comment_pages"] == 2 and report["comments"] == len(said)


def bad_news(folder: Path) -> Path:
    """As Common Crawl might have it: two articles among pages that are none and records that cannot be read."""
    damaged = bytearray(record("https://news.example/damaged", page(3)))
    damaged[200:260] = bytes(60)
    return warc(
        folder / "CC-NEWS-20261101.warc.gz",
        record("https://news.example/1", page(1, more=SPAM)),
        record("https://news.example/list", b"<html><body>nothing</body></html>"),
        bytes(damaged),
        record("https://news.example/gone", page(4), status=404),
        record("https://news.example/a.pdf", b"%PDF", kind="application/pdf"),
        record("ftp://news.example/5", page(5)),
        record("https://news.example/2", page(2)),
        record("https://news.example/cut", page(6))[:-40],
    )


def test_a_bad_record_costs_one_row_that_says_why_and_both_formats_hold_the_same(tmp_path: Path) -> None:
    news = bad_news(tmp_path)
    report = told(news, "--out", tmp_path / "parquet", "--tasks", "2")
    assert told(news, "--out", tmp_path / "jsonl", "--format", "jsonl", "--keep-duplicates")["articles"] == 2
    assert urls(read(tmp_path / "parquet")) == ["/1", "/2"]
    ledger = {
        row["url"].rpartition("/")[2]: (row["outcome"], row["reason"]) for row in read(tmp_path / "parquet", "ledger")
    }
    assert ledger == {
        "list": ("rejected", "no text"),
        "gone": ("failed", "HTTP 404"),
        "a.pdf": ("rejected", "not html"),
        "5": ("failed", "no address"),
        "": ("failed", "damaged record"),
        "cut": ("failed", "damaged record"),
    }
    for kind in ("articles", "ledger"):
        assert read(tmp_path / "parquet", kind) == read(tmp_path / "jsonl", kind)
    assert (report["pages"], report["stored"], report["comments"], report["flagged"]) == (8, 2, 1, 1)
    assert report["failed"] == {"damaged record": 2, "HTTP 404": 1, "no address": 1}
    assert report["cpu_seconds"] > 0 < report["core_hours_a_million_pages"]


def test_near_duplicates_are_put_aside_with_what_stands_for_them_but_not_reports_with_other_numbers(
    tmp_path: Path,
) -> None:
    form = " ".join(WORDS[:80]) + " On day {0} of it, {1} drones came. " + " ".join(WORDS[80:160])
    text = " ".join(WORDS[200:400])
    records = [record(f"https://form.example/{n}", page(n, text=form.format(n, n * 7 + 3))) for n in range(4)]
    records += [
        record("https://first.example/a", page(10, text=text)),
        record("https://copy.example/b", page(11, text=text.replace(WORDS[300], "changed"))),
        record("https://paper.example/c", page(12, text="The first reading. " + " ".join(WORDS[:100]))),
        record("https://paper.example/c", page(12)),
    ]
    news = warc(tmp_path / "a.warc.gz", *records)
    report = told(news, "--out", tmp_path / "out")
    assert (report["near_duplicates"], report["same_pages"], report["articles"]) == (1, 1, 6)
    stay = {row["url"] for row in read(tmp_path / "out")}
    assert {url for url in stay if "form" in url} == {f"https://form.example/{n}" for n in range(4)}
    (copy, again) = read(tmp_path / "out", "duplicates")
    assert {copy["url"], copy["stood_for_by"]} == {"https://first.example/a", "https://copy.example/b"}
    assert copy["stood_for_by"] in stay
    assert again["url"] == again["stood_for_by"] == "https://paper.example/c"
    assert "reading" in again["text"]
    report = told(news, "--out", tmp_path / "all", "--keep-duplicates")
    assert (report["near_duplicates"], report["same_pages"], report["articles"]) == (0, 1, 7)


class Files(BaseHTTPRequestHandler):
    """Gives parts of a file, or where it is told not to, only the whole."""

    folder = Path()
    parts = True
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def _answer(self, *, head: bool) -> None:
        data = (self.folder / self.path.strip("/")).read_bytes()
        wanted = self.headers.get("Range", "").removeprefix("bytes=").partition("-") if self.parts else ("", "", "")
        begin, end = int(wanted[0] or 0), min(int(wanted[2] or len(data)), len(data) - 1)
        self.send_response(206 if wanted[1] else 200)
        if self.parts:
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Range", f"bytes {begin}-{end}/{len(data)}")
            self.send_header("Content-Length", str(end + 1 - begin))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"" if head else data[begin : end + 1])
        self.close_connection = not self.parts

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.mark.parametrize("parts", [True, False])
def test_a_file_behind_an_address_is_read_whether_its_server_gives_parts_or_not(tmp_path: Path, parts: bool) -> None:
    news = bad_news(tmp_path)
    handler = type("Handler", (Files,), {"folder": tmp_path, "parts": parts})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{news.name}"
        with opened(url) as far, opened(str(news)) as near:
            share = Share(path=url)
            assert list(taken(far, share)) == list(taken(near, share))
        server.shutdown()


def test_a_page_that_is_too_costly_to_read_costs_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READING_BYTES", 8_000_000)
    news = warc(
        tmp_path / "a.warc.gz",
        record("https://paper.example/1", page(1)),
        record("https://paper.example/2", b"<p>x" * 300_000),
        record("https://paper.example/3", page(3)),
    )
    with Pages((), default_policy()) as pages, opened(str(news)) as file:
        found = [pages.row(one, str(news)) for one in taken(file, Share(path=str(news)))]
    assert [(row["outcome"], row["reason"]) for row in found if row] == [
        ("stored", ""),
        ("rejected", "too costly to read"),
        ("stored", ""),
    ]


# ---- ended half-way


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """An archive, and the rows of an undisturbed extraction."""
    folder = tmp_path_factory.mktemp("news")
    file = warc(folder / "a.warc.gz", *(record(f"https://paper.example/{n:03}", page(n)) for n in range(24)))
    told(file, "--out", folder / "out", "--tasks", "4")
    return file, read(folder / "out")


def when(happened: Callable[[], object], then: Callable[[], object]) -> threading.Thread:
    """Does it as soon as this has happened."""

    def waits() -> None:
        until = time.monotonic() + 60
        while not happened() and time.monotonic() < until:
            time.sleep(0.005)
        then()

    thread = threading.Thread(target=waits, daemon=True)
    thread.start()
    return thread


def test_a_worker_that_is_killed_loses_and_doubles_nothing(news: tuple[Path, Rows], tmp_path: Path) -> None:
    killed: list[int] = []

    def kill() -> None:
        for process in active_children():
            if process.pid:
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)

    out = tmp_path / "out"
    thread = when(lambda: list(out.glob("work/signatures/*/*.sig")), kill)
    told(news[0], "--out", out, "--tasks", "4")
    thread.join()
    assert killed
    assert read(out) == news[1]


def test_an_extraction_that_is_killed_is_taken_up_by_the_same_command(news: tuple[Path, Rows], tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["extract", str(news[0]), "--out", str(out), "--tasks", "4", "--home", "/nonexistent", "--workers", "1"]
    process = subprocess.Popen([sys.executable, "-m", "app.cli.main", *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    when(lambda: (out / "work/read/completions/00001").exists(), process.kill).join()
    assert process.wait() == -signal.SIGKILL
    assert not (out / "report.json").exists() and not list(out.glob("articles/*"))
    done = {path: path.stat().st_mtime_ns for path in out.glob("work/read/completions/*")}
    told(news[0], "--out", out, "--tasks", "4")
    assert read(out) == news[1]
    assert {path: path.stat().st_mtime_ns for path in done} == done


def test_a_task_that_always_fails_is_named_with_its_log_and_the_same_command_tries_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    one = warc(tmp_path / "a.warc.gz", record("https://paper.example/1", page(1)))
    told(one, "--out", out, "--keep-duplicates")
    for name in ("work", "ledger"):
        shutil.rmtree(out / name)
    (out / "report.json").unlink()
    (out / "ledger").write_text("in the way of a folder")
    failed = run(one, "--out", out, "--keep-duplicates", code=1)
    assert "read: task 0 of 1 failed;" in failed.stderr and "task_00000.log says why" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "ledger" in (out / "work/read/logs/task_00000.log").read_text()
    (out / "ledger").unlink()
    assert told(one, "--out", out, "--keep-duplicates")["articles"] == 1


def test_what_is_done_is_told_again_another_plan_is_refused_and_fresh_begins_anew(tmp_path: Path) -> None:
    one = warc(tmp_path / "a.warc.gz", record("https://paper.example/1", page(1)))
    out = tmp_path / "out"
    report = told(one, "--out", out, "--keep-duplicates")
    before = (out / "articles" / "00000.parquet").stat().st_mtime_ns
    assert told(one, "--out", out, "--keep-duplicates") == report
    assert (out / "articles" / "00000.parquet").stat().st_mtime_ns == before
    one.write_bytes(one.read_bytes() + record("https://paper.example/2", page(2)))
    with pytest.raises(Exception, match="an extraction with other bytes was begun there; --fresh begins anew"):
        run(one, "--out", out, "--keep-duplicates")
    assert told(one, "--out", out, "--keep-duplicates", "--fresh")["articles"] == 2


# ---- what it cannot do


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    one = warc(tmp_path / "a.warc.gz", record("https://paper.example/1", page(1)))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(Exception, match="holds what `watchfloor extract` did not write"):
        run(one, "--out", tmp_path / "out", "--fresh")
    assert (tmp_path / "out" / "thesis.txt").exists()


@pytest.mark.parametrize("name", ["nothing.warc.gz", "s3x://bucket/a", "http://127.0.0.1:9"])
def test_a_file_that_cannot_be_had_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    if "127" in name:
        assert "read: " in run(name, "--out", tmp_path / "out", "--tasks", "1", code=1).stderr
        return
    with pytest.raises(Exception, match=name.partition(":")[0]):
        run(name, "--out", tmp_path / "out")


def test_a_missing_extra_is_told_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "datatrove" else found(name, *more)
    )
    with pytest.raises(Exception, match=r"extracting needs datatrove: pip install 'watchfloor\[archives\]'"):
        run(tmp_path / "a.warc.gz", "--out", tmp_path / "out")


def test_two_extractions_into_one_folder_do_not_run_at_a_time(tmp_path: Path) -> None:
    one = warc(tmp_path / "a.warc.gz", record("https://paper.example/1", page(1)))
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"):
        assert "another extraction writes there" in run(one, "--out", tmp_path / "out", code=75).stderr


def test_paths_are_read_from_a_list_as_common_crawl_has_it(tmp_path: Path) -> None:
    warc(tmp_path / "a.warc.gz", record("https://paper.example/1", page(1)))
    lines = tmp_path / "warc.paths.gz"
    lines.write_bytes(gzip.compress(b"a.warc.gz\n"))
    assert (
        told("--paths", lines, "--prefix", f"{tmp_path}/", "--out", tmp_path / "out", "--keep-duplicates")["articles"]
        == 1
    )


# ---- Slurm


def test_slurm_gets_a_job_for_each_stage_that_waits_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nn=$(wc -l < {tmp_path}/calls)\n'
        f'eval last=\\${{$#}}; cp "$last" {tmp_path}/script$n\necho "Submitted batch job $n"\n'
    )
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sbatch.parent}:{os.environ['PATH']}")
    one = warc(tmp_path / "a.warc.gz", record("https://paper.example/1", page(1)))
    how = ("--executor", "slurm", "--partition", "cpu", "--slurm-arg", "account=news", "--tasks", "3")
    jobs = told(one, "--out", tmp_path / "out", *how)["jobs"]
    assert [(each["stage"], each["job"]) for each in jobs] == [
        (stage, str(n)) for n, stage in enumerate(("read", "pair", "choose", "write", "report"), 1)
    ]
    waits = [next((w for w in line.split() if "dependency" in w), "") for line in (tmp_path / "calls").open()]
    assert waits == ["", *(f"--dependency=afterok:{n}" for n in range(1, 5))]
    script = (tmp_path / "script1").read_text()
    for said in (
        "--partition=cpu",
        "--account=news",
        "--array=0-2%2",
        "launch_pickled_pipeline",
        str(Path(sys.executable).parent),
    ):
        assert said in script
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Exception, match="Slurm is not here: sbatch"):
        run(one, "--out", tmp_path / "other", *how)
