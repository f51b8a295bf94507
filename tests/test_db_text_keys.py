"""The same text elsewhere: found by its keys, small changes aside, in every way a comment comes and changes."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from crawler import limits
from crawler.items import Comment, Known
from db.connect import open_reader
from db.judging import Desk, History
from db.store import Store
from moderation.campaigns import near_keys
from pipelines.compare import compare
from test_db_store import FETCH, NOW, SOURCE, page

PITCH = "Hello friends, I earn {} thousand a week from my kitchen table, ask me how on my page, {}!"


def put(store: Store, number: int, *texts: str) -> None:
    """An article with these comments, or what it has now."""
    url = f"https://example.com/{number}"
    content = page(*(Comment(text=text, site_id=str(n), position=n) for n, text in enumerate(texts)))
    delta = compare(replace(content, article=replace(content.article, url=url)), store.known(url))
    run = store.begin_run([SOURCE], version="t", now=NOW)
    store.apply(delta, FETCH, run_id=run, now=NOW)


def elsewhere(store: Store, text: str, article: int = 0) -> int:
    history = History(store.db)
    history.learn_texts([text], article)
    return history.same_text(text)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w.db")


def test_nearly_the_same_text_is_found_under_other_articles_and_not_under_its_own(desk: Desk) -> None:
    put(desk, 1, PITCH.format("four", "Ann"), "An honest remark on the range of the new missile, and its price.")
    put(desk, 2, PITCH.format("nine", "Bob").upper(), PITCH.format("9", "today"))
    assert elsewhere(desk, PITCH.format("six", "now")) == 3
    assert [elsewhere(desk, PITCH.format("six", "now"), article) for article in (1, 2)] == [2, 1]
    assert elsewhere(desk, "Quite another thing is said here, of ships and of the sea they sail on.") == 0
    assert elsewhere(desk, "Great article!") == 0


def test_stored_comments_are_counted_as_new_ones_are(desk: Desk) -> None:
    texts = [PITCH.format("four", "Ann"), "An honest remark on the range of the new missile, and its price."]
    put(desk, 1, *texts)
    put(desk, 2, PITCH.format("four", "Bob"))
    history = History(desk.db)
    history.learn_stored_texts({1: texts[0], 2: texts[1]}, 1)
    assert [history.same_text(text) for text in texts] == [elsewhere(desk, text, 1) for text in texts] == [1, 0]


def test_an_edit_takes_the_old_text_back_and_puts_the_new_one_in(desk: Desk) -> None:
    put(desk, 1, PITCH.format("four", "Ann"))
    put(desk, 1, "An honest remark on the range of the new missile, and its price.")
    assert elsewhere(desk, PITCH.format("four", "Ann")) == 0
    assert elsewhere(desk, "An honest remark on the range of the new missile, and its prices.") == 1


def test_a_database_of_before_gets_the_keys_of_all_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "w.db"
    with Store(path) as store:
        put(store, 1, PITCH.format("four", "Ann"), "Great article!")
        kept = store.db.execute("SELECT * FROM text_keys ORDER BY 1, 2, 3").fetchall()
    with sqlite3.connect(path) as old:
        old.executescript(
            "DROP TABLE text_keys; CREATE INDEX comments_by_text ON comments (substr(text, 1, 60));"
            " DELETE FROM _sqlite_migrations WHERE name = 'm003_text_keys';"
        )
    Store(path).close()
    db = open_reader(path)
    assert db.execute("SELECT * FROM text_keys ORDER BY 1, 2, 3").fetchall() == kept
    assert {key for _, _, key in kept} == set(near_keys(PITCH.format("four", "Ann")))
    db.close()


def test_a_text_that_stands_everywhere_is_counted_to_the_limit_and_looked_up_in_no_time(desk: Desk) -> None:
    content = page(*(Comment(text=PITCH.format("four", "Ann"), site_id=str(n), position=n) for n in range(400)))
    run = desk.begin_run([SOURCE], version="t", now=NOW)
    for number in range(5):
        article = replace(content.article, url=f"https://example.com/{number}")
        desk.apply(compare(replace(content, article=article), Known()), FETCH, run_id=run, now=NOW)
    began = time.process_time()
    for article in range(1, 6):
        assert elsewhere(desk, PITCH.format("four", "Bob"), article) == limits.SAME_TEXTS
    assert time.process_time() - began < 1
