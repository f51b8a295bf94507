"""A template that changes every article of a source at once is told apart from edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crawler.items import Delta, Known, Moment, Page
from crawler.redesign import Redesign
from pipelines.compare import article_fields, compare
from test_db_store import page

SHIPS = "frigate corvette tanker cutter tender minesweeper submarine barge destroyer cruiser tug ferry"
TOPICS = "weather mines repairs drones budgets sonar crews paint fuel rust radar bread"
BODIES = [
    f"The {ship} left port {number} on Monday with {number + 40} sailors.\n\nIts captain spoke of {topic}."
    for number, (ship, topic) in enumerate(zip(SHIPS.split(" "), TOPICS.split(" "), strict=True))
]


DATED = Moment(iso="2026-11-20T08:00:00Z", raw="20 November 2026 08:00")


def changed(was: str, now: str | None = None, **fields: Any) -> Delta:
    """A known article with this body; `now` and `fields` are what it has by now."""
    before = replace(page(body=was).article, published=DATED)
    after = replace(page(body=was if now is None else now).article, **{"published": DATED, **fields})
    known = Known(article_id=1, revision=1, fields=article_fields(before))
    return compare(Page(article=after, comments=()), known)


def told(deltas: list[Delta]) -> str:
    redesign = Redesign()
    for delta in deltas:
        redesign.add(delta)
    return redesign.told()


@pytest.mark.parametrize(
    ("names", "make"),
    [
        ("Subscribe to our", lambda b, n: changed(b, f"{b}\n\nSubscribe to our newsletter, read by {n * 100}.")),
        ("body lost", lambda b, n: changed(f"Filed in News\n\n{b}", b)),
        ("headline gained", lambda b, n: changed(b, headline="A story | The Naval Post")),
        ("authors", lambda b, n: changed(b, authors=("Staff Writer",))),
        ("published at lost", lambda b, n: changed(b, published=None)),
    ],
)
def test_a_part_that_comes_or_goes_on_all_pages_is_the_templates(names: str, make: Callable[[str, int], Delta]) -> None:
    deltas = [make(body, n) for n, body in enumerate(BODIES[:6])]
    assert all(delta.revised for delta in deltas)
    assert names in told(deltas)
    assert told(deltas).startswith("6 of 6 known articles changed in one way")


def test_a_part_of_its_own_at_the_end_of_every_page_is_the_templates_too() -> None:
    deltas = [changed(b, f"{b}\n\n{b.split()[1]} writer covers {b.split()[-1]}") for b in BODIES]
    assert "body changed only at its end" in told(deltas)


def test_edits_in_their_own_words_are_edits_however_many() -> None:
    deltas = [changed(b, b.replace("Monday", f"day {b.split()[1]}").replace("port", b[-9:])) for b in BODIES]
    assert all(delta.revised for delta in deltas)
    assert not told(deltas)


def test_the_same_correction_in_three_articles_is_an_edit() -> None:
    corrected = [changed(b, f"Correction: the ministry is Dutch.\n\n{b}") for b in BODIES[:3]]
    assert not told(corrected + [changed(b) for b in BODIES[3:]])
    assert not told(corrected)


def test_new_articles_say_nothing() -> None:
    assert not told([compare(page(body=body), Known()) for body in BODIES])


def test_hostile_fields_do_not_stop_it() -> None:
    told([changed("a\n\n" * 400, "\n\n" * 400), changed("", "b" * 100_000), changed("\x7f" * 50, "", authors=("",))])
