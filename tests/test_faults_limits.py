"""Little memory, few descriptors: a page that needs more has its row, the run goes on, and nothing leaks. `make faults`
runs it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from app.demo.server import serve
from app.demo.site import Response
from bench.serve_pages import Server, source
from bench.serve_pages import start as serve_pages
from conftest import ROOT, Ran, Watch
from soundness import check, command, long_test, made_up_for, one_at_a_time, rows, told, undisturbed, until

pytestmark = long_test()
MEGABYTE = 2**20
SPACE = 700 * MEGABYTE
"""Of address space, for each process."""
PAGES = 1_000
SLACK = 12
"""Descriptors that may come and go: connections, a cache of SQLite's."""


def limited(*limits: tuple[int, int]) -> Callable[[], None]:
    """For a child, before it becomes a command."""

    def limit() -> None:
        for of, most in limits:
            resource.setrlimit(of, (most, most))

    return limit


def ran(watch: Watch, *more: str, limit: Callable[[], None] | None = None) -> Ran:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command(watch, *more), cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False,
        preexec_fn=limit,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


HEAVY = {
    "nested": b"<div>" * 400_000,
    "attributes": b"<p " + b"a=1 b=2 c=3 " * 200_000 + b">",
    "entities": b"<p>" + b"&amp;" * 900_000,
    "unclosed": b"<p><b><i>" * 400_000,
}
"""Pages that cost their reader far more than they weigh."""


def test_with_little_memory_heavy_pages_have_their_row_and_the_others_are_stored(tmp_path: Path) -> None:
    with serve() as server:
        watch = one_at_a_time(server, tmp_path)
        paths = [article.path for article in server.site.articles if not article.forbidden][: len(HEAVY)]
        for path, body in zip(paths, HEAVY.values(), strict=True):
            page = b"<html><head><title>Heavy</title></head><body>" + body
            server.site.answer(path, Response(body=page, headers={"Content-Type": "text/html"}))
        done = ran(watch, "--json", limit=limited((resource.RLIMIT_AS, SPACE)))
        print(done.err[-500:])
        assert done.code in (0, 1) and "Traceback" not in done.err, done.err
        outcomes = watch.rows("SELECT outcome, reason, detail FROM fetches WHERE url LIKE '%20__/%'")
        print([row for row in outcomes if row[0] not in ("stored", "unchanged")])
        assert len(outcomes) == len(server.site.articles)
        for path in paths:
            assert watch.rows("SELECT outcome FROM fetches WHERE url = ?", server.url + path)
        good = {row[0] for row in undisturbed().rows["articles"]} - set(paths)
        assert good <= {row[0] for row in told(watch.db, server.url)["articles"]}
        check(watch.db, broken=bool(done.code))


def test_with_hardly_any_memory_it_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    for size in (60, 120, 180, 240, 300):
        done = ran(watch, "-q", limit=limited((resource.RLIMIT_AS, size * MEGABYTE)))
        print(f"{size} MB of address space: exit code {done.code}: {done.err.strip().splitlines()[-1:]}")
        assert done.code == 0 or done.err
        check(watch.db, broken=False)
    made_up_for(watch)


# ---- descriptors


def test_with_few_descriptors_a_crawl_is_slower_or_says_it(tmp_path: Path) -> None:
    watch = one_at_a_time(undisturbed().server, tmp_path)
    done = ran(watch, "--json", limit=limited((resource.RLIMIT_NOFILE, 64)))
    assert (done.code, done.err) == (0, "")
    check(watch.db, broken=False)
    for few in (32, 24, 16, 10):
        done = ran(watch, "-q", "--again", limit=limited((resource.RLIMIT_NOFILE, few)))
        print(f"{few} descriptors: exit code {done.code}: {done.err.strip().splitlines()[-1:]}")
        assert done.code == 0 or done.err
        check(watch.db, broken=False)
    made_up_for(watch)


def articles(folder: Path, number: int) -> Server:
    """A site of so many articles, each with comments."""
    folder.mkdir()
    text = "".join(
        f"<p>Paragraph {n} tells of ships, yards and the money they take, at some length.</p>" for n in range(8)
    )
    for each in range(number):
        comments = "".join(
            f'<li class="comment" id="comment-{each}-{n}"><b class="fn">reader {n}</b>'
            f'<time datetime="2026-10-0{n}"></time>'
            f'<div class="comment-content"><p>word {n} of {each}, http://shop{n}.example/</p></div></li>'
            for n in range(1, 4)
        )
        page = (
            f"<html><head><title>Story {each}</title></head><body><article><h1>Story {each}</h1>{text}</article>"
            f'<ol class="comment-list">{comments}</ol></body></html>'
        )
        (folder / f"story-{each}.html").write_text(page, "utf-8")
    return serve_pages([folder])


def test_over_a_thousand_pages_no_descriptor_is_left_open(tmp_path: Path) -> None:
    with articles(tmp_path / "pages", PAGES) as server:
        file, db = tmp_path / "pages.toml", tmp_path / "watchfloor.db"
        file.write_text(source(server), "utf-8")
        address = f"127.0.0.1:{server.port}"
        given = ["crawl", "-q", "--sources", str(file), "--db", str(db), "--allow-address", address]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli.main", *given], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
        )
        counts = []
        for asked in (100, 300, 500, 700, 900):
            until(lambda asked=asked: len(server.requests) >= asked or process.poll() is not None, seconds=300)
            counts.append(sum(_open(pid) for pid in family(process.pid)))
        _, err = process.communicate(timeout=300)
    print(f"descriptors after 100, 300, 500, 700 and 900 pages: {counts}")
    assert process.returncode == 0, err
    assert max(counts[1:]) - counts[1] <= SLACK
    assert rows(db, "SELECT count(*) FROM articles") == [(PAGES,)]
    check(db, broken=False)


def family(pid: int) -> list[int]:
    from test_faults_environment import children

    return [pid, *children(pid)]


def _open(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0
