"""Decisions and rules travel: what one database's people said holds in another that crawled the same."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Comment, Href
from db.connect import open_reader
from db.decisions import NotThere
from db.judging import Desk
from db.store import Store
from moderation.exchange import Decision, read_decision, read_rule
from moderation.group import decide_group
from moderation.policy import default_policy
from moderation.rejudge import rejudge
from moderation.travel import Arrival, decision_rows, import_decisions, import_rules, rule_rows
from test_db_store import SOURCE, page, visit

NOW = "2026-11-22T12:00:00Z"
TALK = tuple(
    Comment(text=text, author=f"a{i}", site_id=str(i) if i % 2 else "", position=i, links=links)
    for i, (text, links) in enumerate(
        (
            ("buy at http://shop-a.com/x", ()),
            ("a fair point", ()),
            ("see here", (Href(url="http://paper.com/b", text="here"),)),
            ("again: shop-a dot com", ()),
        )
    )
)


def at(second: int) -> str:
    return f"2026-11-22T10:{second // 60:02}:{second % 60:02}Z"


def exported(path: Path) -> list[Decision]:
    """What the lines of a database say, through bytes and back."""
    db = open_reader(path)
    rows = [json.dumps(row).encode() for row in decision_rows(db)]
    db.close()
    return [read_decision(number, row, NOW) for number, row in enumerate(rows, 1)]


def exported_rules(path: Path) -> list[Any]:
    db = open_reader(path)
    rows = [json.dumps(row).encode() for row in rule_rows(db)]
    db.close()
    return [read_rule(number, row, NOW) for number, row in enumerate(rows, 1)]


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as db:
        return db.execute(sql).fetchall()


def people_hold(path: Path) -> list[tuple[Any, ...]]:
    """Where a person's word holds: the comment, what, by whom, when, why."""
    return rows(
        path,
        "SELECT t.comment_id, t.state, v.judge, v.at, v.note, v.revision FROM standing t"
        " JOIN verdicts v ON v.id = t.verdict_id WHERE v.person ORDER BY 1",
    )


def states(path: Path) -> list[tuple[Any, ...]]:
    return rows(path, "SELECT comment_id, state FROM standing ORDER BY 1")


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two databases that crawled the same page."""
    for name in ("a.db", "b.db"):
        with Store(tmp_path / name) as store:
            visit(store, page(*TALK))
    return tmp_path / "a.db", tmp_path / "b.db"


def test_a_decision_arrives_with_its_name_its_time_and_its_note(two: tuple[Path, Path]) -> None:
    a, b = two
    with Store(a) as store:
        store.decide(1, "spam", by="ann é", note="the\nshop", now=at(1))
    assert import_decisions(b, exported(a)).imported == {"spam": 1}
    assert people_hold(b) == people_hold(a) == [(1, "spam", "ann é", at(1), "the\nshop", 1)]


def test_a_line_has_the_text_and_what_the_rules_had_said_so_that_it_can_teach(two: tuple[Path, Path]) -> None:
    a, _ = two
    with Store(a) as store:
        store.decide(3, "spam", by="ann", now=at(1))
    db = open_reader(a)
    (line,) = decision_rows(db)
    db.close()
    assert (line["text"], line["links"], line["author"]) == ("see here", ["http://paper.com/b"], "a2")
    assert line["signals"] == ["link"] and line["judged_by"].startswith("rules@") and line["stands"]


def test_what_was_said_of_an_earlier_version_arrives_on_that_version(two: tuple[Path, Path]) -> None:
    a, b = two
    edited = (replace(TALK[0]), replace(TALK[1], text="a fair point, edited"), *TALK[2:])
    with Store(a) as store:
        store.decide(2, "ok", by="ann", now=at(1))
    for path in two:
        with Store(path) as store:
            visit(store, page(*edited), now=at(2))
    assert not import_decisions(b, exported(a)).left
    assert rows(b, "SELECT comment_id, revision, said FROM verdicts WHERE person") == [(2, 1, "ok")]
    assert people_hold(b) == people_hold(a) == []


def test_what_cannot_be_placed_is_counted_line_by_line(two: tuple[Path, Path]) -> None:
    a, b = two
    with Store(a) as store:
        store.decide(1, "spam", by="ann", now=at(1))
    (known,) = exported(a)
    given = [
        replace(known, article_url="http://elsewhere.example/"),
        replace(known, key="id:999"),
        replace(known, content="of another version"),
        replace(known, article_url="http://[::1"),
    ]
    given = [replace(d, word=replace(d.word, line=n)) for n, d in enumerate(given, 1)]
    before = rows(b, "SELECT * FROM verdicts")
    arrival = import_decisions(b, given)
    assert arrival.left == [(1, "no_article"), (2, "no_comment"), (3, "other_version"), (4, "no_article")]
    assert rows(b, "SELECT * FROM verdicts") == before


def test_an_article_is_found_under_another_spelling_of_its_address(two: tuple[Path, Path]) -> None:
    a, b = two
    with Store(a) as store:
        store.decide(1, "spam", by="ann", now=at(1))
    (known,) = exported(a)
    moved = replace(known, article_url=known.article_url.replace("http://", "https://www."))
    assert import_decisions(b, [moved]).imported == {"spam": 1}


def test_a_later_decision_of_a_person_here_stays_and_an_earlier_one_gives_way(two: tuple[Path, Path]) -> None:
    a, b = two
    with Store(a) as store:
        store.decide(1, "spam", by="ann", now=at(5))
        store.decide(2, "spam", by="ann", now=at(5))
    with Store(b) as store:
        store.decide(1, "ok", by="bob", now=at(9))
        store.decide(2, "ok", by="bob", now=at(3))
    arrival = import_decisions(b, exported(a))
    assert arrival.counted["older"] == 1 and arrival.imported == {"spam": 1}
    assert [row[:3] for row in people_hold(b)] == [(1, "ok", "bob"), (2, "spam", "ann")]


def test_an_undoing_that_comes_later_takes_back_what_came_before(two: tuple[Path, Path]) -> None:
    a, b = two
    with Store(a) as store:
        store.decide(1, "spam", by="ann", now=at(1))
        import_decisions(b, exported(a))
        store.undo(by="ann", now=at(2))
    assert import_decisions(b, exported(a)).imported == {"undo": 1}
    assert people_hold(b) == [] and states(b) == states(a)


def test_a_decision_for_a_group_travels_as_one_line_a_comment(two: tuple[Path, Path]) -> None:
    a, b = two
    assert decide_group(a, [1, 4], "spam", by="ann") == [1, 4]
    assert import_decisions(b, exported(a)).imported == {"spam": 2}
    assert people_hold(b) == people_hold(a)


# ---- any history


steps = st.lists(
    st.tuples(st.sampled_from(["spam", "ok"]), st.integers(1, 4), st.sampled_from(["ann", "bob"]))
    | st.tuples(st.just("undo"), st.integers(0, 4), st.sampled_from(["ann", "bob"]))
    | st.tuples(st.just("edit"), st.integers(0, 3), st.sampled_from(["once", "back"]))
    | st.tuples(st.just("wait"), st.integers(1, 9), st.just("")),
    max_size=14,
)


def live(path: Path, history: list[tuple[str, int, str]], *, reviewed: bool) -> None:
    """One database's life: a crawl, edits and, where it is reviewed, what people said meanwhile."""
    second, talk = 0, list(TALK)
    with Store(path) as store:
        visit(store, page(*talk))
        for what, which, who in history:
            if what == "wait":
                second += which
            elif what == "edit":
                talk[which] = TALK[which] if who == "back" else replace(talk[which], text=talk[which].text + " again")
                visit(store, page(*talk), now=at(second))
            elif reviewed and what == "undo":
                try:
                    store.undo(which or None, by=who, now=at(second))
                except NotThere:
                    continue
            elif reviewed:
                store.decide(which, what, by=who, now=at(second))


@settings(max_examples=20)
@given(steps)
def test_what_people_said_holds_alike_in_a_copy_of_the_crawl_and_coming_again_changes_nothing(
    history: list[tuple[str, int, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        a, b = Path(folder, "a.db"), Path(folder, "b.db")
        live(a, history, reviewed=True)
        live(b, history, reviewed=False)
        assert not import_decisions(b, exported(a)).left
        assert people_hold(b) == people_hold(a)
        for path in (a, b):
            rejudge(path, default_policy(), {})
        assert states(b) == states(a)
        before = rows(b, "SELECT * FROM verdicts")
        for there, back in ((a, b), (b, a), (b, b)):
            assert import_decisions(back, exported(there)).imported == {}
        assert rows(b, "SELECT * FROM verdicts") == before


# ---- rules


def said_of(path: Path, *words: tuple[str, str, str, str, int]) -> None:
    with Desk(path) as desk:
        for domain, said, source, by, second in words:
            desk.rule_domain(domain, said, source=source, note="n", by=by, now=at(second))


def holding(path: Path) -> list[tuple[Any, ...]]:
    return rows(path, "SELECT domain, said, source_id, note, judge, at FROM domain_rules_now")


def test_rules_arrive_as_they_hold_and_a_later_word_here_stays(two: tuple[Path, Path]) -> None:
    a, b = two
    said_of(a, ("shop-a.com", "deny", "", "ann", 1), ("shop-a.com", "none", "", "bob", 2))
    said_of(a, ("gao.gov", "allow", "", "ann", 3), ("x.example", "deny", SOURCE.id, "ann", 4))
    said_of(a, ("gao.gov", "deny", "", "ann", 3), ("gao.gov", "deny", "", "ann", 3))
    assert import_rules(b, exported_rules(a)).imported == {"deny": 4, "none": 1, "allow": 1}
    assert holding(b) == holding(a)
    assert import_rules(b, exported_rules(a)).imported == {}
    said_of(b, ("x.example", "allow", SOURCE.id, "eve", 9))
    said_of(a, ("x.example", "none", SOURCE.id, "ann", 8))
    assert import_rules(b, exported_rules(a)).counted["older"] == 1
    assert ("x.example", "allow", SOURCE.id, "n", "eve", at(9)) in holding(b)


rules = st.lists(
    st.tuples(
        st.sampled_from(["a.com", "b.com"]),
        st.sampled_from(["allow", "deny", "none"]),
        st.sampled_from(["", "s"]),
        st.sampled_from(["ann", "bob"]),
    ),
    max_size=8,
)


@settings(max_examples=15)
@given(rules, st.randoms(use_true_random=False))
def test_rules_hold_alike_and_coming_again_changes_nothing(words: list[Any], random: Any) -> None:
    seconds = sorted(random.randint(0, 4) for _ in words)
    with tempfile.TemporaryDirectory() as folder:
        a, b = Path(folder, "a.db"), Path(folder, "b.db")
        said_of(a, *((*word, second) for word, second in zip(words, seconds, strict=True)))
        said_of(b)
        import_rules(b, exported_rules(a))
        assert holding(b) == holding(a)
        assert import_rules(b, exported_rules(a)).imported == import_rules(a, exported_rules(b)).imported == {}


def test_what_a_plan_raises_leaves_everything_as_it_was(two: tuple[Path, Path]) -> None:
    a, b = two
    with Store(a) as store:
        store.decide(1, "spam", by="ann", now=at(1))
    (known,) = exported(a)

    def broken() -> Iterator[Decision]:
        yield known
        raise RuntimeError

    before = rows(b, "SELECT * FROM verdicts")
    with pytest.raises(RuntimeError):
        import_decisions(b, broken())
    assert rows(b, "SELECT * FROM verdicts") == before


def test_an_arrival_counts_every_reason_also_those_that_did_not_occur() -> None:
    counted = Arrival(left=[(1, "older")]).counted
    assert counted["older"] == 1 and counted["no_comment"] == 0
