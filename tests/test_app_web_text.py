"""Small formats of the web pages: times, languages, addresses, hits, pictures beside figures. Whatever stands there."""

from __future__ import annotations

import time

import pytest

from app.web.pages import ago, day, marked, moment, outside
from app.web.sparks import columns, line
from app.web.text import language


@pytest.mark.parametrize(
    ("stated", "known"),
    [("en", ' lang="en"'), ("de-AT", ' lang="de-AT"'), ("xx", ""), ("", ""), ('en" onload="x', ""), ("english", "")],
)
def test_only_a_language_becomes_one(stated: str, known: str) -> None:
    assert language(stated) == known


def test_times_are_those_of_the_machine_with_the_original_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert moment("2026-07-16T02:20:00Z") == (
            '<time datetime="2026-07-16T02:20:00Z" title="2026-07-16T02:20:00Z">15 Jul 2026, 22:20</time>'
        )
        assert day("2026-07-16T02:20:00Z") == "Wednesday, 15 July 2026" and "16 Jul 2026<" in moment("2026-07-16")
        assert "08:20, zone unknown" in moment("2026-07-16T08:20:00")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_host_in_other_letters_is_spelled_as_machines_do() -> None:
    assert "xn--80ak6aa92e.com" in outside("http://аррӏе.com/")
    assert "tag" not in outside("http://apple.com/") and "<a" not in outside("javascript:alert(1)")
    assert "no host of this name" in outside(f"http://{'ж' * 300}.com/") and outside("http://[::1")


def test_small_formats_take_whatever_stands_there() -> None:
    for text in (
        "",
        None,
        "yesterday",
        "2026-13-45",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "2026-01-01",
    ):
        assert "<" in moment(text) and ago(text) and day(text)
    assert "2026-01-01T10:00:00Z" in moment("2026-01-01T10:00:00Z")
    assert "&lt;x&gt;" in moment("<x>")
    assert marked("a \x02<b>\x03 c \x02d") == "a <mark>&lt;b&gt;</mark> c <mark>d</mark>"
    assert "<rect" in columns([0, None, 3], 'told "so"') and "<circle" in line([0.5], "told")
    assert columns([], "nothing").startswith("<svg") and line([], "nothing").startswith("<svg")
