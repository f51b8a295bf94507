"""`watchfloor clean` on one page: from a file, from standard input, from the net; read by a person and by a script."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from app.demo.content import FORBIDDEN
from conftest import Ran, Watch, watchfloor

LONG = "The fleet left its harbour on Thursday morning with six ships, the ministry said in a statement. "
PAGE = f"""<!doctype html><html lang=en><head><title>Fleet leaves port - Example</title>
<meta property="og:title" content="Fleet leaves port"><meta name=author content="Ann Reed">
<meta property="article:published_time" content="2024-05-06T10:00:00+02:00"></head><body>
<nav>Home World</nav><div class=share>Share this story</div>
<article class=post><h1>Fleet leaves port</h1><p>{LONG * 3}</p><h2>What next</h2><ul><li>Six ships sail.</li></ul>
<blockquote>We are ready, the admiral said to all.</blockquote><p>{LONG * 2}And more.</p></article>
<div class=aside-story><p>Elsewhere it rained on the other fleet for a day.</p></div>
<ol class=commentlist><li class=comment id=comment-1><cite>Bob</cite><p>Is that so? I doubt it.</p></li></ol>
</body></html>"""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]")
URL = "https://news.example/2024/fleet"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    return file


def test_a_page_is_printed_for_a_reader(page: Path) -> None:
    ran = watchfloor("clean", page, "--url", URL)
    assert ran.code == 0, ran.err
    for shown in (
        "Fleet leaves port\n",
        "by         Ann Reed",
        "2024-05-06T08:00:00Z, as written: 2024-05-06T10:00:00+02:00",
        "## What next",
        "• Six ships sail.",
        "> We are ready",
        "1 comment (state: open)",
        "Bob: Is that so?",
    ):
        assert shown in ran.out
    assert "What became of each text" not in ran.out


def test_explain_tells_the_main_block_the_witnesses_and_why_each_text_was_left_out(page: Path) -> None:
    out = watchfloor("clean", page, "--explain").out
    assert re.search(r"main block +article\.post", out)
    assert re.search(r"headline: +✓ meta og:title +Fleet leaves port", out)
    assert re.search(r"- left out +“Home World” +nav\n +<nav> never holds an article", out)
    assert "class “share” (shares?)" in out
    assert re.search(r"\+ item +“Six ships sail\.” +li", out)


def test_find_tells_what_became_of_a_sentence_and_says_when_it_is_not_there(page: Path) -> None:
    found = watchfloor("clean", page, "--find", "it rained on the other").out
    assert "“Elsewhere it rained" in found and "does not stand in the main block" in found
    assert "Six ships" not in found
    assert "nowhere in the page" in watchfloor("clean", page, "--find", "snow in May").out
    assert "but in its source" in watchfloor("clean", page, "--find", "published_time").out


def test_a_rule_can_be_tried_before_it_is_written_down(page: Path) -> None:
    tried = watchfloor("clean", page, "--rule", "content=.aside-story", "--rule", "headline=h2", "--explain").out
    assert tried.startswith("What next\n")
    assert "Elsewhere it rained" in tried
    assert "rule content    .aside-story: 1 element" in tried
    missed = watchfloor("clean", page, "--rule", "remove=.promo", "--explain").out
    assert ".promo: 0 elements  ← matches nothing" in missed


def test_a_source_is_taken_from_its_file_or_by_its_id(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "ex.toml"
    file.write_text('name = "Ex"\nhome = "https://news.example/"\n[rules]\nremove = "ul, blockquote"\n')
    by_file = watchfloor("clean", page, "--sources", file).out
    assert "Six ships" not in by_file and "What next" in by_file
    home = tmp_path / "home"
    (home / "sources").mkdir(parents=True)
    file.rename(home / "sources" / "ex.toml")
    assert watchfloor("clean", page, "--source", "ex", "--home", home).out == by_file
    assert "no source named 'exx'; did you mean ex?" in watchfloor("clean", page, "--source", "exx", "--home", home).err


def test_standard_input_and_gzipped_files_are_read(page: Path, tmp_path: Path) -> None:
    plain = watchfloor("clean", page).out
    packed = tmp_path / "page.html.gz"
    packed.write_bytes(gzip.compress(PAGE.encode()))
    assert watchfloor("clean", packed).out == plain
    assert watchfloor("clean", "-", stdin=PAGE.encode()).out == plain


def test_json_is_one_ascii_document_with_the_page_and_on_request_the_explanation(page: Path) -> None:
    plain = watchfloor("clean", page, "--url", URL, "--json")
    assert plain.out.isascii()
    assert plain.json["article"]["headline"] == "Fleet leaves port"
    assert [comment["author"] for comment in plain.json["comments"]] == ["Bob"]
    assert set(plain.json) == {"article", "comments", "cuts"}
    why = watchfloor("clean", page, "--json", "--explain").json["explanation"]
    assert why["main"]["element"]["selector"] == "article.post"
    assert {text["rule"] for text in why["texts"] if text["kept"]} == {""}
    assert [text["rule"] for text in why["texts"] if "Share this" in text["text"]] == ["class"]


def test_a_page_that_is_no_article_says_why_and_ends_with_1(tmp_path: Path) -> None:
    file = tmp_path / "empty.html"
    file.write_text("<html><title>404 Not Found</title><body><p>Not found</p></body></html>")
    ran = watchfloor("clean", file)
    assert (ran.code, ran.out.startswith("not an article: error page")) == (1, True)
    assert watchfloor("clean", file, "--json").json["rejected"]["reason"] == "error page"
    assert "How the page was read" in watchfloor("clean", file, "--explain").out
    file.write_bytes(b"%PDF-1.7")
    assert watchfloor("clean", file, "--explain").code == 1


def test_no_page_can_drive_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    odd = "\u202eevil\u202c \u200b\x1b[31mred"
    file.write_text(f"<title>{odd}</title><div id='{odd}' class='share {odd}'>{odd}</div><p>{odd} {LONG * 4}</p>")
    ran = watchfloor("clean", file, "--explain", "--rule", "remove=.a\\\u202e")
    assert ran.code == 0, ran.err
    assert not CONTROL.search(ran.out + ran.err)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ((), 2, "give a URL, a FILE or -"),
        (("no-such-file.html",), 3, "no-such-file.html: no such file"),
        (("-", "--rule", "contnt=p"), 2, "did you mean content?"),
        (("-", "--rule", "content=p["), 2, "no CSS selector"),
        (("-", "--jsonl"), 2, "no page and no other option"),
        (("https://news.example/", "--url", "https://x.example/"), 2, "has its own address"),
        (("http://127.0.0.1/x",), 3, "address refused: not a public address"),
        (("https://ann:secret@news.example/x",), 3, "a user name in the address"),
    ],
)
def test_what_cannot_be_cleaned_is_one_line_with_the_reason(args: tuple[str, ...], code: int, says: str) -> None:
    ran = watchfloor("clean", *args)
    assert ran.code == code
    assert says in ran.err
    assert ran.out == "" and "Traceback" not in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith(("Error", "watchfloor"))]) == 1


def fetched(site: Watch, path: str, *args: str | Path) -> Ran:
    return watchfloor("clean", site.server.url + path, "--allow-address", f"127.0.0.1:{site.server.port}", *args)


def test_a_url_is_fetched_and_nothing_is_stored(site: Watch) -> None:
    said = fetched(site, site.server.site.articles[0].path, "--json").json
    assert said["article"]["headline"].startswith("Baltic")
    assert said["comments"]
    assert list(site.folder.iterdir()) == [site.file]


def test_a_fetch_obeys_robots_and_the_hosts_of_the_source_and_says_what_the_site_answered(site: Watch) -> None:
    assert fetched(site, FORBIDDEN + "x").err.strip().endswith("forbidden by robots.txt")
    assert fetched(site, "/2024/nothing-here").err.strip().endswith("HTTP 404")
    site.file.write_text('name = "Other"\nhome = "https://other.example/"\n')
    assert "leads to another host" in fetched(site, "/", "--sources", site.file).err


def test_the_filter_goes_on_as_before() -> None:
    line = json.dumps({"id": 7, "url": URL, "html_b64": base64.b64encode(PAGE.encode()).decode()})
    ran = watchfloor("clean", "--jsonl", stdin=(line + "\n{}\n").encode())
    first, second = map(json.loads, ran.out.splitlines())
    assert (first["id"], first["title"], first["authors"]) == (7, "Fleet leaves port", ["Ann Reed"])
    assert second == {"id": None, "error": "html_b64 is missing"}
