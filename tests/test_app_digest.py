"""`watchfloor digest`: a day as a page that needs nothing, runs nothing and turns no headline into anything else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.digest import markdown, page, shortened
from conftest import ROOT
from db.connect import open_reader
from db.digest import Change, Day, Digest, Item, Story, Trouble, digest
from hostile_cells import HOSTILE_CELLS
from strategies import texts
from test_app_export import EVIL, HELD, NOW, Run
from test_app_export import db as db
from test_app_export import run as run


def day(db: Path, named: str = "2026-11-22", zone: str = "UTC", source: str = "") -> Digest:
    whole = Day(day=date.fromisoformat(named), zone=ZoneInfo(zone), zone_name=zone)
    return digest(open_reader(db), whole, source=source, now=NOW)


def test_a_day_has_its_stories_its_sources_its_changes_and_its_problems(db: Path) -> None:
    found = day(db)
    ((story,), (change,), (trouble,)) = (found.stories, found.changes, found.troubles)
    assert [item.headline for item in story.items] == ["About first", "About second"] and story.publishers == 2
    assert story.items[0].comments == len(HOSTILE_CELLS) and story.items[0].held == HELD
    assert [(name, [item.headline for item in items]) for name, items in found.sources] == [
        ("The gamma", [EVIL, "About whole-day"])
    ]
    assert (change.was, change.became, change.source) == ("About old", "Another headline", "The alpha")
    assert (trouble.source, trouble.name, trouble.runs) == ("beta", "blocked", 1)
    assert (found.articles, found.outlets) == (4, 3)


@pytest.mark.parametrize(
    ("named", "zone", "names"),
    [
        ("2026-11-22", "UTC", {"first", "second", "whole-day", "evil"}),
        ("2026-11-21", "UTC", {"late"}),
        ("2026-11-22", "Europe/Berlin", {"first", "second", "whole-day", "evil", "late"}),
        ("2026-11-21", "Europe/Berlin", set()),
        ("2026-11-21", "America/Los_Angeles", {"late"}),
        ("2026-11-22", "America/Los_Angeles", {"first", "second", "whole-day", "evil"}),
        ("2026-11-23", "Pacific/Kiritimati", set()),
        ("2026-11-22", "Pacific/Kiritimati", {"first", "second", "whole-day", "late"}),
        ("2026-10-01", "UTC", {"old"}),
    ],
)
def test_an_article_belongs_to_one_day_of_the_readers_clock(db: Path, named: str, zone: str, names: set[str]) -> None:
    found = day(db, named, zone)
    items = [item for story in found.stories for item in story.items]
    items += [item for _, group in found.sources for item in group]
    if zone == "Pacific/Kiritimati" and named == "2026-11-23":
        names = {"evil"}  # seen at noon UTC, which is two in the morning there
    assert {item.url.rpartition("/")[2] for item in items} == names


def test_a_page_needs_nothing_and_runs_nothing(db: Path) -> None:
    text = page(day(db))
    tree = lxml.html.fromstring(text)
    assert {element.tag for element in tree.iter() if isinstance(element.tag, str)}.isdisjoint(
        {"script", "img", "link", "iframe", "form", "object", "base"}
    )
    assert all(href.startswith(("https://", "http://")) for href in tree.xpath("//@href")) and not tree.xpath("//@src")
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0] and "url(" not in text
    assert EVIL in tree.xpath("//h3/a/text()") and "spam.example" not in text
    assert not tree.xpath("//@*[starts-with(name(), 'on') or name() = 'style']")
    assert f"{len(HOSTILE_CELLS)} comments, {HELD} held" in tree.text_content()


def test_a_story_whose_first_teller_was_earlier_says_so(db: Path) -> None:
    found = replace(day(db), stories=(replace(day(db).stories[0], before="The Older"),))
    assert "Told by 2 outlets, first by The Older on an earlier day" in page(found)
    assert "Told by 2 outlets, first by The Older on an earlier day" in markdown(found)


def test_an_empty_day_says_so(db: Path, run: Run) -> None:
    assert "Nothing was published on this day, and no crawl ran." in page(day(db, "2020-01-01"))
    ran = run("digest", "--day", "2020-01-01")
    assert ran.code == 0 and "Nothing was published on this day." in ran.out


def tokens(text: str) -> list[object]:
    found = []
    for token in MarkdownIt("commonmark").enable("strikethrough").enable("table").parse(text):
        found += [token, *(token.children or ())]
    return found


def hostile_day(headline: str, summary: str = "", url: str = "https://x.example/") -> Digest:
    item = Item(
        headline=headline, summary=summary, url=url, source_id="s", source=headline, authors=(headline,), language="",
        time=None, seen=False, comments=0, held=0, gone=False, story_id=None, told="copy",
    )  # fmt: skip
    change = Change(was=headline, became=f"x {headline}", url=url, source=headline, time=None)
    trouble = Trouble(source=headline, name=headline, detail=headline, runs=1)
    whole = Day(day=date(2026, 11, 22), zone=ZoneInfo("UTC"), zone_name="UTC")
    stories = (Story(items=(item, item), publishers=2, before=headline),)
    sources = ((headline, (item,)),)
    return Digest(
        day=whole, stories=stories, sources=sources, changes=(change,), troubles=(trouble,), runs=1, made_at=NOW
    )


MARKED = st.one_of(
    st.just(EVIL),
    texts,
    st.text("`*_[]()<>!#-+=~|\\&.:/@1 \n\tahttpw", max_size=30),
    st.sampled_from(
        [
            "[a](http://evil.example)", "<http://evil.example>", "http://evil.example", "www.evil.example", "a@b.co",
            "![x](http://evil.example/p.png)", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "](http://evil.example)",
            "x\n\n# Head\n\n- item", "~~gone~~ **bold** `code`", "<!-- -->",
            "-", "===", "1. x", "3) x", "+ x", "---", "\\](http://evil.example)", "@everyone",
            "[a]: http://evil.example", "xmpp:a@b.example", "mailto:a@b.example", "ftp://evil.example", "WWW.evil.co",
        ]
    ),
)  # fmt: skip


@given(MARKED)
def test_no_headline_becomes_markdown(headline: str) -> None:
    text = markdown(hostile_day(headline, headline))
    found = tokens(text)
    kinds = {token.type for token in found}
    assert not kinds & {"image", "html_inline", "html_block", "code_inline", "fence", "code_block", "em_open"}
    assert {token.attrGet("href") for token in found if token.type == "link_open"} <= {"https://x.example/"}
    assert sum(token.type == "heading_open" for token in found) == 5
    bare = text.replace("(<https://x.example/>)", "")
    assert not re.search(r"(?i)\bwww\.|[a-z]://|@\w|(mailto|xmpp):", bare)


@given(MARKED)
def test_no_headline_becomes_markup(headline: str) -> None:
    tree = lxml.html.fromstring(page(hostile_day(headline, headline)))
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "img", "b", "i", "x", "iframe"}
    assert set(tree.xpath("//@href")) == {"https://x.example/"}


def test_an_address_that_is_none_is_no_link() -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", ""):
        found = hostile_day("A headline", url=url)
        assert "href" not in page(found) and "](" not in markdown(found)
    assert "](<https://x.example/%3Ca%3E%5C>)" in markdown(hostile_day("H", url="https://x.example/<a>\\"))


def test_a_summary_is_cut_at_a_word() -> None:
    assert shortened("a  b\nc") == "a b c"
    cut = shortened("word, " * 200)
    assert len(cut) <= 361 and cut.endswith("word…")
    assert len(shortened("x" * 1_000)) <= 361


def test_the_command_writes_either_form_and_says_so_in_a_line(tmp_path: Path, run: Run) -> None:
    for name, begins in (("d.html", "<!DOCTYPE html>"), ("d.md", "# Sunday, 22 November 2026")):
        ran = run("digest", "--day", "2026-11-22", "--out", tmp_path / name)
        assert ran.code == 0 and ran.out == "" and len(ran.err.splitlines()) == 1
        assert "4 articles, 3 sources" in ran.err and (tmp_path / name).read_text("utf-8").startswith(begins)
    only = run("digest", "--day", "2026-11-22", "--source", "beta").out
    assert "About second" in only and "About first" not in only


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--day", "2026-02-30"), "not a day"),
        (("--day", "soon"), "not a day"),
        (("--day", "9999-12-31"), "too far away"),
        (("--zone", "Mars/Base"), "no such time zone"),
        (("--zone", "../../etc/passwd"), "no such time zone"),
        (("--source", "alpa"), "nothing of a source"),
    ],
)
def test_what_no_digest_can_be_made_of_is_one_line(asked: tuple[str, ...], says: str, run: Run) -> None:
    ran = run("digest", *asked)
    assert ran.code in (1, 2) and says in ran.err and len(ran.err.splitlines()) == 1


def test_the_pages_parts_are_packed_with_the_program() -> None:
    assert all((ROOT / "app" / name).exists() for name in ("digest.html", "digest.css"))
