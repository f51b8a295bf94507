"""What the review desk reads: the queue in memory, one comment with its surroundings, groups, decisions, the log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from browser import copied
from browser import demo_db as demo_db
from db import desk
from db.connect import Database, open_reader
from db.people import Ledger
from moderation import ruling
from moderation.group import decide_group
from moderation.policy import default_policy
from moderation.queue import Entry, Queue, Sieve, after, cursor
from moderation.rejudge import changes
from moderation.review import decide, undo


@pytest.fixture
def path(demo_db: Path, tmp_path: Path) -> Path:
    return copied(demo_db, tmp_path / "w.db")


def waiting(db: Database) -> list[int]:
    return [row[0] for row in db.execute("SELECT id FROM review_queue")]


def entry(id: int, place: float = 1.0, **given: object) -> Entry:
    fields = {"verdict": id, "blind": False, "source": "s", "language": "en", "at": f"2026-01-{id % 28 + 1:02}"}
    empty = {"signals": (), "domains": (), "places": frozenset(), "keys": (), "folded": ""}
    return Entry(rank=-place, id=id, **{**fields, **empty, **given})  # type: ignore[arg-type]


# ---- the queue


def test_the_queue_in_memory_is_the_review_queue(path: Path) -> None:
    db = open_reader(path)
    with desk.Waiting().now(db) as queue:
        assert [e.id for e in queue.found(Sieve())] == waiting(db)
        assert queue.counts().waiting == len(waiting(db))


def test_the_queue_follows_decisions_undoings_and_the_twentieth_decision(path: Path) -> None:
    db, known = open_reader(path), desk.Waiting()
    with known.now(db) as queue:
        ids = [e.id for e in queue.found(Sieve())]
    for number, id in enumerate(ids[:22]):
        decide(path, id, "spam", by="ann")
        with known.now(db) as queue:
            assert [e.id for e in queue.found(Sieve())] == waiting(db), number
    undo(path, by="ann")
    with known.now(db) as queue:
        assert [e.id for e in queue.found(Sieve())] == waiting(db)
        fresh = desk.Waiting()
    with known.now(db) as queue, fresh.now(db) as other:
        assert queue.counts().sources == other.counts().sources
        assert +queue.counts().reasons == +other.counts().reasons
        assert [e.id for e in queue.found(Sieve(), "newest")] == [e.id for e in other.found(Sieve(), "newest")]


def test_pages_follow_one_another_without_a_gap_or_a_double() -> None:
    queue = Queue()
    queue.put(entry(id, place=id % 7) for id in range(100))
    for order in ("score", "newest"):
        seen: list[int] = []
        found = queue.found(Sieve(), order)  # type: ignore[arg-type]
        rest = found
        while rest:
            seen += [e.id for e in rest[:9]]
            rest = after(found, order, cursor(rest[:9][-1], order))  # type: ignore[arg-type]
        assert seen == [e.id for e in found]
        assert len(set(seen)) == 100


def test_a_page_goes_on_where_it_was_when_comments_before_it_were_decided() -> None:
    queue = Queue()
    queue.put(entry(id, place=100 - id) for id in range(20))
    place = cursor(queue.found(Sieve())[9], "score")
    queue.drop(range(5, 10))
    assert after(queue.found(Sieve()), "score", place)[0].id == 10


@pytest.mark.parametrize("place", ["", "~", "x~1", "1~x", "nan~1", "1~99999999999999999999", "~~~", "\0~1"])
def test_a_place_that_makes_no_sense_is_no_error(place: str) -> None:
    queue = Queue()
    queue.put([entry(1)])
    for order in ("score", "newest"):
        after(queue.found(Sieve()), order, place)  # type: ignore[arg-type]


def test_filters_hold_together() -> None:
    queue = Queue()
    queue.put(
        [
            entry(1, source="a", signals=("link",), folded="cheap tyres"),
            entry(2, source="a", signals=("link", "shouting"), folded="cheap boats"),
            entry(3, source="b", signals=("link",), folded="cheap tyres", language="de"),
        ]
    )
    ids = lambda **given: [e.id for e in queue.found(Sieve(**given))]  # noqa: E731
    assert ids(source="a") == [1, 2]
    assert ids(source="a", reason="shouting") == [2]
    assert ids(words=("cheap", "tyres")) == [1, 3]
    assert ids(language="de", words=("cheap",)) == [3]
    assert ids(among=frozenset({2, 9})) == [2]
    assert ids(since="2026-01-03") == [2, 3]


# ---- groups


def test_a_group_is_what_shares_a_place_or_keys_with_its_first_and_no_more() -> None:
    queue = Queue()
    shop, other = frozenset({"shop.example"}), frozenset({"other.example"})
    queue.put(
        [
            entry(1, 9, places=shop, keys=(1, 2, 3)),
            entry(2, 8, places=shop | other),
            entry(3, 7, places=other),
            entry(4, 6, keys=(1, 2)),
            entry(5, 5),
        ]
    )
    texts = lambda ids: dict.fromkeys(ids, "")  # noqa: E731
    first = queue.group(1, texts)
    assert first
    assert first.comments == (1, 2, 4)
    assert first.places == ("shop.example",)
    assert first.alike == 1
    assert [g.comments for g in queue.groups(texts)] == [(1, 2, 4), (3, 2)]
    queue.drop([2])
    assert [g.comments for g in queue.groups(texts, roughly=True)] == [(1, 4)]
    assert queue.group(99, texts) is None


def test_texts_with_one_key_in_common_are_compared() -> None:
    queue = Queue()
    queue.put([entry(1, keys=(1, 2)), entry(2, keys=(1, 3)), entry(3, keys=(1, 4))])
    same = "Buy our very cheap armour plates today, gentlemen, no questions asked"
    texts = {1: same, 2: same + "!!", 3: "The frigate left its slip three months early, says the yard on Monday"}
    found = queue.group(1, lambda ids: {id: texts[id] for id in ids})
    assert found
    assert found.comments == (1, 2)


# ---- one comment


def test_a_card_has_everything_that_is_known_around_a_comment(path: Path) -> None:
    db = open_reader(path)
    for id in waiting(db):
        card = desk.card(db, id)
        assert card
        assert card["verdict"] == db.execute("SELECT verdict_id FROM standing WHERE comment_id = ?", [id]).fetchone()[0]
        assert card["reasons"] == sorted(card["reasons"], key=lambda r: -r["weight"])
    assert desk.card(db, 10**9) is None


def test_a_card_tells_of_decisions_on_the_same_domain(path: Path) -> None:
    db = open_reader(path)
    sql = "SELECT domain, min(comment_id), max(comment_id) FROM links GROUP BY 1 HAVING count(DISTINCT comment_id) > 1"
    domain, first, other = db.execute(sql).fetchone()
    decide(path, first, "spam", by="ann", note="again")
    card = desk.card(db, other)
    assert card
    assert first in [r["id"] for r in card["alike"]]
    assert next(r for r in card["domains"] if r["domain"] == domain)["spam"] == 1


# ---- taking back, and the log


def test_the_last_decision_is_ones_own_and_a_group_is_one(path: Path) -> None:
    db = open_reader(path)
    ids = waiting(db)
    decide(path, ids[0], "spam", by="ann")
    decide_group(path, ids[1:4], "ok", by="ann", note=f"decided with #{ids[1]}")
    decide(path, ids[5], "spam", by="bob")
    last = desk.last_decision(db, "ann")
    assert [row["comment_id"] for row in last] == ids[1:4]
    with Ledger(path) as ledger:
        undone = ledger.take_back([row["verdict"] for row in last], by="ann", now="2026-11-22T12:00:00Z")
        assert [u.now for u in undone] == ["flagged"] * 3
        assert ledger.take_back([row["verdict"] for row in last], by="ann", now="2026-11-22T12:00:01Z") == []
    assert [row["comment_id"] for row in desk.last_decision(db, "ann")] == [ids[0]]


def test_two_decisions_in_one_second_are_two(path: Path) -> None:
    db = open_reader(path)
    one, two, *_ = waiting(db)
    decide(path, one, "spam", by="ann")
    decide(path, two, "spam", by="ann")
    assert [row["comment_id"] for row in desk.last_decision(db, "ann")] == [two]


def test_the_log_has_every_word_and_can_be_sieved(path: Path) -> None:
    db = open_reader(path)
    one, two, *_ = waiting(db)
    decide(path, one, "spam", by="ann", note="shop")
    decide(path, two, "ok", by="bob")
    undo(path, two, by="ann")
    ruling.rule(path, "shop.example", "deny", by="bob", note="why not")
    rows = desk.audit(db, limit=10)
    assert [(r["said"], r["judge"]) for r in rows] == [("deny", "bob"), ("undo", "ann"), ("ok", "bob"), ("spam", "ann")]
    assert rows[1]["undid"] == "ok"
    assert rows[2]["undone"]
    assert rows[3]["before"] == "flagged"
    assert [r["said"] for r in desk.audit(db, limit=10, person="ann")] == ["undo", "spam"]
    assert [r["said"] for r in desk.audit(db, limit=10, comment=two)] == ["undo", "ok"]
    assert [r["said"] for r in desk.audit(db, limit=10, domain="shop.example")] == ["deny"]
    assert [r["said"] for r in desk.audit(db, limit=10, said="spam")] == ["spam"]


@pytest.mark.parametrize("table", ["verdicts", "domain_rules"])
def test_nothing_rewrites_the_log(path: Path, table: str) -> None:
    decide(path, waiting(open_reader(path))[0], "spam", by="ann")
    ruling.rule(path, "shop.example", "deny", by="bob")
    connection = sqlite3.connect(path)
    for sql in (f"UPDATE {table} SET judge = 'eve'", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(sql)


# ---- a word on a domain


def test_what_if_says_what_the_word_then_does_and_nothing_else_changes(path: Path) -> None:
    db = open_reader(path)
    list(changes(db, default_policy(), {}))
    domain = db.execute("SELECT domain FROM links GROUP BY 1 ORDER BY count(DISTINCT comment_id) DESC, 1").fetchone()[0]
    told = ruling.what_if(db, default_policy(), {}, domain, "allow")
    assert told.carrying > 1
    before = dict(db.execute("SELECT comment_id, state FROM standing"))
    ruling.rule(path, domain, "allow", by="ann")
    done = ruling.apply(path, default_policy(), {}, domain)
    assert (done.changed, done.freed, done.held) == (told.changed, told.freed, told.held)
    turned = {id for id, state in db.execute("SELECT comment_id, state FROM standing") if before[id] != state}
    assert len(turned) == told.freed + told.held
    assert turned <= set(desk.carrying(db, domain))
    ruling.rule(path, domain, "none", by="ann")
    ruling.apply(path, default_policy(), {}, domain)
    assert dict(db.execute("SELECT comment_id, state FROM standing")) == before


def test_a_suffix_for_all_cannot_be_allowed() -> None:
    with pytest.raises(ruling.NotADomain):
        ruling.checked("co.uk", "allow")
    assert ruling.checked("co.uk", "deny") == "co.uk"
    with pytest.raises(ruling.NotADomain):
        ruling.checked("no domain at all", "deny")
