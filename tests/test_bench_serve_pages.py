"""Saved pages served as a local site: every byte as it was saved."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import serve_pages
from crawler.source import parse_source

LATIN = "<html><head><title>Größe</title></head><body><p>Übung</p></body></html>".encode("iso-8859-1")
FEED = b"<?xml version='1.0'?><rss/>"
SCRIPT = Path(serve_pages.__file__)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    articles, feeds = tmp_path / "articles", tmp_path / "feeds"
    articles.mkdir()
    feeds.mkdir()
    (articles / "plain.html").write_bytes(LATIN)
    (articles / "packed.html.gz").write_bytes(gzip.compress(LATIN))
    (articles / "q? 50% & ü.html").write_bytes(b"odd name")
    (articles / ".hidden").write_bytes(b"secret")
    (feeds / "news.xml.gz").write_bytes(gzip.compress(FEED))
    return [articles, feeds]


def get(url: str) -> tuple[str, bytes]:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.headers["Content-Type"], response.read()


def test_pages_are_served_with_unchanged_bytes_and_no_charset(folders):
    with serve_pages.start(folders) as server:
        assert get(f"{server.url}/articles/plain.html") == ("text/html", LATIN)
        assert get(f"{server.url}/articles/packed.html") == ("text/html", LATIN)
        assert get(f"{server.url}/feeds/news.xml") == ("application/xml", FEED)


def test_the_sitemap_and_the_front_page_lead_to_every_page(folders):
    with serve_pages.start(folders) as server:
        entries = ElementTree.fromstring(get(f"{server.url}/sitemap.xml")[1])
        urls = [loc.text for loc in entries.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
        assert len(urls) == 4
        front = get(f"{server.url}/")[1].decode()
        for url in urls:
            assert get(url)[1]
            assert url.removeprefix(server.url) in front


def test_robots_allow_everything(folders):
    with serve_pages.start(folders) as server:
        assert get(f"{server.url}/robots.txt") == ("text/plain", b"User-agent: *\nAllow: /\n")


@pytest.mark.parametrize(
    "path",
    [
        "/articles/none.html",
        "/articles/.hidden",
        "/articles/../feeds/news.xml.gz",
        "/articles/packed.html.gz",
        "/%2e%2e/x",
    ],
)
def test_only_listed_names_are_served(folders, path):
    with serve_pages.start(folders) as server:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(server.url + path)
        assert server.requests[-1][2] == 404


def test_two_files_under_one_path_are_an_error(folders):
    (folders[0] / "plain.html.gz").write_bytes(gzip.compress(b"x"))
    with pytest.raises(ValueError, match="both be served"):
        serve_pages.find_pages(folders)


def test_folders_without_files_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="no files"):
        serve_pages.start([tmp_path])
    with pytest.raises(OSError, match="none"):
        serve_pages.start([tmp_path / "none"])


def test_the_source_file_has_room_for_all_pages(folders):
    with serve_pages.start(folders) as server:
        watched = parse_source(serve_pages.source(server), id="saved")
        assert watched.listings == (("sitemap", f"{server.url}/sitemap.xml"),)
        assert (watched.delay, watched.max_pages, watched.max_links) == (0, 4, 4)
        assert f"127.0.0.1:{server.port}" in watched.all_hosts


def test_the_command_prints_its_address_writes_the_source_and_ends_on_a_signal(folders, tmp_path):
    file = tmp_path / "saved.toml"
    command = [sys.executable, str(SCRIPT), *map(str, folders), "--source", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        assert parse_source(file.read_text("utf-8"), id="saved").home == f"{url}/"
        assert get(f"{url}/articles/packed.html")[1] == LATIN
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_command_says_in_one_line_what_is_wrong(tmp_path):
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path / "none")], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("serve_pages: ")
    assert len(done.stderr.splitlines()) == 1


@given(st.text())
def test_any_name_has_a_content_type_without_charset(name):
    assert ";" not in serve_pages.content_type(name)
