"""The benchmarks' site, its server, what a command costs, a crawl measured: each is what it says."""

from __future__ import annotations

import gzip
import http.client
import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from bench import crawl, memory, programs
from bench.measure import Measured, measure
from bench.programs import WATCHFLOOR, stored
from bench.site import Site, cut, saved_pages
from bench.static import Served, served
from crawler.source import parse_source

BASE, NOW = "http://127.0.0.1:1", 1_800_000_000
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
TEXT = " ".join(f"<p>The ministry of paragraph {n} ordered forty bridging vehicles yesterday.</p>" for n in range(9))
PAGE = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Bridges &amp; ferries</title>
<link rel="canonical" href="https://old.example/a"><meta property="og:url" content="https://old.example/a">
<meta property="og:title" content="Old"></head><body><nav><a href="/other">Other</a> <a href="https://old.example/b">B</a>
</nav><article><h1>Bridges &amp; ferries</h1>{TEXT}
<script>const hidden = 1 > 0 ? "a long sentence that is none, since nobody reads it" : ""</script>
</article></body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(3):
        text = PAGE.replace("ministry", f"ministry number {number}").encode()
        (pages / f"{number}.html.gz").write_bytes(gzip.compress(text))
    return pages


@pytest.fixture
def site(folder: Path) -> Site:
    return Site(saved_pages([folder]), 60, NOW)


def listed(site: Site, path: str) -> list[str]:
    answer = site.answer(path, BASE)
    assert answer
    return [loc.text or "" for loc in ElementTree.fromstring(answer.body).iter(LOC)]


def test_the_sitemaps_name_every_article_once_and_all_of_them_are_there(site: Site) -> None:
    urls = [url for child in listed(site, "/sitemap.xml") for url in listed(site, urlsplit(child).path)]
    assert len(set(urls)) == len(urls) == 60
    assert all(site.answer(urlsplit(url).path, BASE) for url in urls)
    assert listed(site, "/sitemap-news.xml") == urls


def test_every_article_can_be_reached_from_the_front_page(site: Site) -> None:
    seen, waiting = set(), ["/"]
    while waiting:
        path = waiting.pop()
        if path not in seen and (answer := site.answer(path, BASE)):
            seen.add(path)
            waiting += re.findall(r'href="(/[^"]*)"', answer.body.decode())
    assert {site.path(number) for number in range(60)} <= seen


def test_no_two_articles_are_the_same_and_each_says_where_it_stands(site: Site) -> None:
    bodies = [site.answer(site.path(number), BASE).body.decode() for number in range(60)]  # type: ignore[union-attr]
    texts = [re.sub(r"<head>.*?</head>", "", body, flags=re.DOTALL) for body in bodies]
    assert len({re.search(r"<title>(.*?)</title>", body)[1] for body in bodies}) == 60  # type: ignore[index]
    assert len(set(texts)) > 3
    assert {len(text) for text in texts} == {len(texts[0])}
    for number, body in enumerate(bodies):
        assert re.findall(r'rel="canonical" href="([^"]*)"', body) == [BASE + site.path(number)]
        assert "og:url" not in body
        assert 'href="/' not in body


def test_only_words_of_sentences_change_places() -> None:
    saved = cut(PAGE.encode())
    assert set(saved.words) == {b"ministry", b"paragraph", b"ordered", b"forty", b"bridging", b"vehicles", b"yesterday"}
    first, second = saved.page(b"", 0), saved.page(b"", 1)
    assert sorted(re.findall(rb"\w+", first)) == sorted(re.findall(rb"\w+", second))
    assert re.findall(rb"<[^>]*>", first) == re.findall(rb"<[^>]*>", second)


@pytest.mark.parametrize("page", [b"", b"<html>", b"<p>\xff\xfe no title", b"<head>", b"<title></title>" * 3])
def test_any_bytes_make_a_page(page: bytes) -> None:
    assert cut(page).page(b"<title>new</title>", 5).count(b"<title>new</title>") == 1


def test_the_pages_taken_have_the_wanted_mean(tmp_path: Path) -> None:
    for size in (1, 2, 3, 4, 50):
        (tmp_path / f"{size}.html").write_bytes(b"x" * size * 1000)
    assert len(saved_pages([tmp_path], mean=2_500)) == 4
    assert len(saved_pages([tmp_path], mean=20_000)) == 2
    with pytest.raises(ValueError, match="no saved pages"):
        saved_pages([tmp_path / "none"])


def asked(site: Served, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.request("GET", path, headers=headers or {})
    return connection.getresponse()


def test_the_server_tells_what_has_not_changed_and_counts_what_it_was_asked(folder: Path) -> None:
    with served([folder], 5, tells="receipts") as site:
        watched = parse_source(site.source, id="bench")
        assert watched.listings == (("sitemap", f"{site.url}/sitemap.xml"),)
        assert watched.max_pages == watched.max_links == 5
        first = asked(site, site.paths[0])
        assert (first.status, first.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert len(first.read()) == int(first.headers["Content-Length"])
        assert asked(site, site.paths[0], {"If-None-Match": first.headers["ETag"]}).status == 304
        assert asked(site, site.paths[0], {"If-Modified-Since": first.headers["Last-Modified"]}).status == 304
        assert asked(site, site.paths[1], {"If-None-Match": first.headers["ETag"]}).status == 200
        assert asked(site, "/none").status == 404
        assert b"lastmod" not in asked(site, "/sitemap-1.xml").read()
        assert site.asked() == {"200": 2, "304": 2, "other": 2}
        assert site.asked() == {}


BURN = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
LEAVE = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', sys.argv[1]])"
HOLD = "import subprocess, sys, time\nheld = bytearray(40 * 2**20)\n"


def test_the_cpu_of_a_grandchild_that_nobody_waits_for_counts() -> None:
    assert measure([sys.executable, "-c", LEAVE, BURN]).cpu >= 0.4


def test_memory_is_that_of_all_processes_at_one_moment() -> None:
    both = f"{HOLD}subprocess.run([sys.executable, '-c', sys.argv[1]])"
    assert measure([sys.executable, "-c", both, f"{HOLD}time.sleep(0.5)"]).peak > 80


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started() -> None:
    done = measure([sys.executable, "-c", LEAVE + ".wait()", "import time; time.sleep(60)"], timeout=0.3)
    assert (done.late, done.code) == (True, -9)
    assert done.wall < 30


def test_what_a_program_left_is_counted_whatever_its_form(tmp_path: Path) -> None:
    long = "x" * programs.WITH_TEXT
    (tmp_path / "a.jsonl").write_text(f'{{"url": "1", "text": "{long}"}}\n{{"url": "1", "text": ""}}\n')
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/b.json").write_text(f'{{"source": "2", "raw_text": "{long}"}}')
    (tmp_path / "deep/c.json").write_text('{"url": "3", "maintext": null}')
    (tmp_path / "deep/settings.json").write_text("{}")
    assert stored(tmp_path) == (3, 2)


def test_a_crawl_without_peers_gives_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, site = crawl.compare([folder], 12, 1, [WATCHFLOOR])
    told = crawl.table(runs, site)
    assert "| watchfloor | " in told
    assert "| 12 · 12 | 1.00 × |" in told
    assert "| all pages stored | 12 of 12 | yes |" in told
    assert "12 of 12, 12 with text" in capsys.readouterr().err


def test_a_peer_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "ROOT", tmp_path)
    absent = programs.Program(
        name="absent", command=lambda *_: [], python=tmp_path / "none/python", packages=(), note=""
    )  # fmt: skip
    site = Served("http://x", 1, "", 1, 1.0, (), "")
    ours = crawl.Runs(WATCHFLOOR, [Measured(1, 1, 1, 0, False)], [Measured(2, 2, 9, 0, False)], 1, 1)
    told = crawl.table([ours, crawl.Runs(absent, why_not=absent.missing(site))], site)
    assert "* absent: not run: not installed (none/python): `make peers`." in told


@pytest.mark.parametrize(
    ("grows", "said"), [(lambda at: 200.0, ": flat."), (lambda at: 200 + at / 10, "**not flat**")], ids=["flat", "not"]
)
def test_memory_that_grows_is_told(grows: Callable[[int], float], said: str) -> None:
    points = [memory.Point(at, grows(at)) for at in range(0, 1001, 10)]
    told = memory.table(points, 1_000)
    assert said in told
    assert f"| 900 to 1,000 | {grows(950):.0f} |" in told
