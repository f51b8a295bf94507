"""The same story in many outlets is one, as articles come, change and go; marked, never removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Ran, watchfloor
from crawler.items import Article, Block, Fetch, Moment, Page, Section
from crawler.source import Source
from db import read
from db.queries import ask, pack
from db.store import Store
from pipelines.compare import compare
from test_db_store import NOW

SOURCES = [Source(id=name, name=name.title(), home=f"http://{name}.example/") for name in ("ann", "bob", "cid", "dan")]
WIRE = (
    "The navy of Norway has ordered six patrol vessels from a yard in Bergen, the defence minister said on Tuesday.",
    "The ships, each 70 metres long built for ice, will replace cutters that have sailed the Barents Sea since 1982.",
    "Deliveries begin in 2029 and end four years later; the contract is worth 4.3 billion kroner, crews included.",
    '"We need hulls that can stay out in winter," the minister told reporters at the yard, where 400 people work.',
    "Opposition parties asked why helicopters for the vessels were left out of the order and who would pay for them.",
    "The yard, which built its last naval ship in 2011, will hire welders from Poland and train its own apprentices.",
)
OTHER = (
    "A Japanese airline has begun to test tyres made of recycled rubber on two of its freighters at Narita airport.",
    "Engineers expect each tyre to last for three hundred landings, a tenth fewer than those that are in use today.",
    "The maker, which supplies racing teams as well, says that its recipe needs a third less oil than the old one.",
    "Inspectors will look at the tyres after every tenth flight until the trial comes to its end in late summer.",
)


class Desk:
    """A database into which articles come one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        self.run = self.store.begin_run(SOURCES, version="t", now=NOW)

    def publish(
        self, source: str, paragraphs: tuple[str, ...], headline: str = "Norway orders six ships", **how: str
    ) -> int:
        """One article, new or changed; its number."""
        name, day = how.get("name", "a"), how.get("day", "2026-11-20")
        url = f"http://{source}.example/{name}/"
        blocks = tuple(Block(kind="paragraph", text=text) for text in paragraphs)
        article = Article(
            url=url, headline=headline, sections=(Section(blocks=blocks),), language=how.get("language", "en")
        )
        article = replace(article, published=Moment(iso=f"{day}T08:00:00Z", raw=day))
        delta = compare(Page(article=article, comments=()), self.store.known(url))
        saved = self.store.apply(delta, Fetch(url=url, source_id=source, outcome="stored"), run_id=self.run, now=NOW)
        self.store.index(run_id=self.run, now=NOW)
        return saved.article_id

    def stories(self) -> list[list[int]]:
        """The articles of each story."""
        rows = self.store.db.execute("SELECT story_id, article_id FROM story_articles ORDER BY 1, 2").fetchall()
        return [[a for s, a in rows if s == story] for story in dict.fromkeys(s for s, _ in rows)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "w.db")
    yield made
    made.store.close()


def test_copies_edits_and_excerpts_are_one_story_and_others_are_none(desk: Desk) -> None:
    first = desk.publish("ann", WIRE, day="2026-11-20")
    alone = desk.publish("dan", OTHER, "Tyres of old rubber tested")
    copy = desk.publish("bob", WIRE, day="2026-11-21")
    edited = desk.publish(
        "cid", (WIRE[0], *WIRE[2:5], "Denmark has ordered ships of the same kind, at a higher price.")
    )
    excerpt = desk.publish("dan", WIRE[:3], name="b")
    assert desk.stories() == [[first, copy, edited, excerpt]]
    kinds = dict(desk.store.db.execute("SELECT article_id, kind FROM story_articles"))
    assert (kinds[first], kinds[copy], kinds[edited]) == ("first", "copy", "edited")
    assert kinds[excerpt] in ("excerpt", "edited")
    (story,) = read.stories(desk.store.db, since="2026-01-01", publishers=2, limit=9)
    assert (story["first_article_id"], story["first_source_id"]) == (first, "ann")
    assert (story["articles"], story["publishers"], story["independent"], story["copies"]) == (4, 4, 3, 1)
    assert not read.story(desk.store.db, alone)


def test_the_query_pack_tells_who_copies_whom(desk: Desk) -> None:
    desk.publish("ann", WIRE, day="2026-11-20")
    desk.publish("bob", WIRE, day="2026-11-21")
    days = {"days": "20000"}
    (row,) = ask(desk.store.db, pack()["who-copies-whom"], days).rows
    assert row == ("ann", "bob", 1, 1, 0, 0, 1.0, 24.0)
    (row,) = ask(desk.store.db, pack()["most-told-stories"], days).rows
    assert row[1:4] == ("Norway orders six ships", 2, 1)


def test_who_published_first_comes_first_however_late_it_was_seen(desk: Desk) -> None:
    desk.publish("ann", WIRE, day="2026-11-20")
    early = desk.publish("bob", WIRE, day="2026-11-18")
    (story,) = read.stories(desk.store.db, since="2026-01-01", publishers=2, limit=9)
    assert (story["first_article_id"], story["first_source_id"]) == (early, "bob")
    assert read.story(desk.store.db, story["story_id"])[0]["id"] == early


def test_a_story_has_the_number_of_its_oldest_article_and_one_first(desk: Desk) -> None:
    """Also when that one comes to it last, leaves it, and tells another story then."""
    old = desk.publish("ann", OTHER, "Tyres of old rubber tested")
    second, third = desk.publish("bob", WIRE), desk.publish("cid", WIRE)
    desk.publish("ann", WIRE)
    numbers = set(desk.store.db.execute("SELECT story_id, kind = 'first', article_id FROM story_articles"))
    assert numbers == {(old, 1, old), (old, 0, second), (old, 0, third)}
    desk.publish("ann", OTHER, "Tyres of old rubber tested")
    desk.publish("dan", OTHER, "Tyres of old rubber tested")
    assert desk.stories() == [[old, third + 1], [second, third]]


def test_a_translation_is_another_story(desk: Desk) -> None:
    desk.publish("ann", WIRE)
    desk.publish("bob", WIRE, language="no")
    assert not desk.stories()


def test_an_article_that_is_rewritten_leaves_its_story_and_may_come_back(desk: Desk) -> None:
    first, second = desk.publish("ann", WIRE), desk.publish("bob", WIRE)
    desk.publish("bob", OTHER, "Tyres of old rubber tested")
    assert not desk.stories()
    desk.publish("bob", WIRE)
    assert desk.stories() == [[first, second]]


def test_a_story_outlives_its_first_article(desk: Desk) -> None:
    first, second, third = (desk.publish(source, WIRE) for source in ("ann", "bob", "cid"))
    desk.publish("ann", OTHER, "Tyres of old rubber tested")
    assert desk.stories() == [[second, third]]
    firsts = desk.store.db.execute("SELECT article_id FROM story_articles WHERE kind = 'first'").fetchall()
    assert firsts == [(second,)]
    assert first not in desk.stories()[0]


def test_what_a_killed_crawl_left_is_compared_by_the_next(desk: Desk, tmp_path: Path) -> None:
    desk.publish("ann", WIRE)
    url = "http://bob.example/a/"
    blocks = tuple(Block(kind="paragraph", text=text) for text in WIRE)
    article = Article(url=url, headline="Norway orders six ships", sections=(Section(blocks=blocks),), language="en")
    delta = compare(Page(article=article, comments=()), desk.store.known(url))
    desk.store.apply(delta, Fetch(url=url, source_id="bob", outcome="stored"), run_id=desk.run, now=NOW)
    assert not desk.stories()
    with Store(desk.path) as another:
        another.begin_run(SOURCES, version="t", now=NOW)
    assert desk.stories() == [[1, 2]]


def test_a_thousand_articles_with_one_boilerplate_do_not_slow_the_next(desk: Desk) -> None:
    asked: list[str] = []
    for n in range(60):
        desk.publish("ann", (f"Report {n * 7919}.", *WIRE), f"Report {n}", name=str(n))
    desk.store.db.conn.set_trace_callback(asked.append)
    desk.publish("bob", WIRE)
    desk.store.db.conn.set_trace_callback(None)
    assert sum("FROM articles WHERE id" in sql for sql in asked) < 30


def say(desk: Desk, *args: str | int) -> Ran:
    return watchfloor("stories", *map(str, args), "--db", desk.path)


def test_the_command_tells_who_has_a_story_and_what_each_changed(desk: Desk) -> None:
    first = desk.publish("ann", WIRE, day="2026-11-20")
    desk.publish("bob", (*WIRE[:5], "The yard will hire three hundred welders from Latvia."), day="2026-11-21")
    listed = say(desk, "--days", 20000)
    assert listed.code == 0 and "2 publishers, 2 with a text of their own; first ann" in listed.out
    told = say(desk, first, "--diff")
    assert "{+" in told.out and "Latvia" in told.out and "in common with 1" in told.out
    assert say(desk, first, "--json").json[1]["like_id"] == first
    assert say(desk, 99).code == 1
    assert say(desk, "--diff").code == 2
