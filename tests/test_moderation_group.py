"""The queue as groups: what is shown as one is what one decision reaches, and what one undoing takes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Comment
from db.connect import open_reader
from db.decisions import NotThere
from db.store import Store
from moderation.group import Group, decide_group, group_of, groups, undo_group
from test_db_store import page, visit

SALE = "the very best helmets and plates for everybody who needs them at once, shipped today: {}"
TALK = (
    "buy at http://shop-a.com/x now",
    "again: shop-a dot com",
    SALE.format("http://one.example"),
    SALE.format("http://two.example"),
    "see http://paper.com/story and http://shop-a.com",
    "paper dot com",
    "a fair point",
    "lonely http://nobody.example/a",
)


def filled(path: Path, texts: tuple[str, ...] = TALK) -> Path:
    with Store(path) as store:
        talk = (Comment(text=text, author=f"a{i}", site_id=str(i), position=i) for i, text in enumerate(texts))
        visit(store, page(*talk))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return filled(tmp_path / "w.db")


def found(path: Path, **how: str) -> list[Group]:
    db = open_reader(path)
    try:
        return list(groups(db, **how))
    finally:
        db.close()


def reached(path: Path, comment: int) -> list[int]:
    db = open_reader(path)
    try:
        return [row["id"] for row in group_of(db, comment)]
    finally:
        db.close()


def test_a_group_says_what_it_advertises_and_how_many_are_alike(path: Path) -> None:
    by_first = {group.comments[0]: group for group in found(path)}
    shop = next(group for group in by_first.values() if "shop-a.com" in group.places)
    assert set(shop.comments) >= {1, 2, 5}
    sale = next(group for group in by_first.values() if not group.places)
    assert set(sale.comments) == {3, 4} and sale.alike == 1


def test_what_is_like_nothing_is_in_no_group(path: Path) -> None:
    assert not {7, 8} & {id for group in found(path) for id in group.comments}


def test_a_comment_does_not_draw_another_in_by_way_of_a_third(path: Path) -> None:
    assert not any({1, 6} <= set(group.comments) for group in found(path))


def test_what_is_shown_as_a_group_is_what_a_decision_reaches(path: Path) -> None:
    for group in found(path):
        assert reached(path, group.comments[0]) == list(group.comments)


def test_a_source_shows_the_groups_around_its_comments(path: Path) -> None:
    assert found(path, source="s") == found(path)
    assert found(path, source="other") == []


def test_a_group_is_taken_back_as_one_and_nothing_else(path: Path) -> None:
    with Store(path) as store:
        store.decide(3, "spam", by="ann", now="2026-11-22T12:00:00Z")
    decided = decide_group(path, [1, 2, 5], "spam", by="ann")
    undone = undo_group(path, 2, by="bob")
    assert [u.comment_id for u in undone] == decided == [1, 2, 5]
    assert {u.now for u in undone} == {"flagged"}
    with pytest.raises(NotThere, match="no decision on comment 2"):
        undo_group(path, 2, by="bob")
    assert [u.comment_id for u in undo_group(path, 3)] == [3]


def test_what_was_decided_anew_since_is_not_taken_back_with_its_group(path: Path) -> None:
    decide_group(path, [1, 2], "spam", by="ann")
    with Store(path) as store:
        store.undo(1, by="ann", now="2026-11-22T12:00:00Z")
        store.decide(1, "ok", by="ann", now="2026-11-22T12:00:00Z")
    assert [u.comment_id for u in undo_group(path, 2)] == [2]


pieces = st.sampled_from(["http://a.com ", "http://b.com ", "http://c.com ", SALE, "well said ", "t.me/x "])


@settings(max_examples=15)
@given(st.lists(st.lists(pieces, min_size=1, max_size=2).map("".join), max_size=9))
def test_every_group_is_what_its_command_reaches_and_has_two_or_more(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    path = filled(tmp_path_factory.mktemp("groups") / "w.db", tuple(texts))
    for group in found(path):
        assert len(group.comments) > 1
        assert reached(path, group.comments[0]) == list(group.comments)
