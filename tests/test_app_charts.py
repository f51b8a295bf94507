"""Pictures of numbers, and the text of strangers, as they are put into pages."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.charts import picture
from app.web.text import is_address, link, shown
from db.queries import Chart

EVIL = '<script>alert(1)</script>"&\u202e'


def test_a_picture_has_a_title_a_summary_and_every_text_escaped() -> None:
    svg = picture(Chart(kind="bars", x="x", y="y"), EVIL, ("x", "y"), [(EVIL, 3), ("b", None), ("c", "text")])
    assert svg.startswith('<svg class="chart" role="img"') and "<script" not in svg and "style=" not in svg
    assert "<title>&lt;script&gt;" in svg and "<desc>y by x: 3 bars, the longest 3 for" in svg


def test_a_week_without_anything_is_a_place_on_the_axis() -> None:
    chart = Chart(kind="series", x="week", y="n", by="who")
    svg = picture(chart, "t", ("week", "who", "n"), [("2026-10", "a", 1), ("2026-14", "a", 2), ("2026-14", "b", 1)])
    assert len(re.findall(r"[\d.]+,[\d.]+", re.findall('points="([^"]*)"', svg)[0])) == 5
    assert "n from 2026-10 to 2026-14, at most 2; most: a, b." in svg


cells = (
    st.none() | st.text(max_size=8) | st.floats() | st.integers() | st.sampled_from(["2026-00", "2026-53", "1000-01"])
)


@given(st.sampled_from(["bars", "series"]), st.booleans(), st.lists(st.tuples(cells, cells, cells), max_size=12))
def test_any_rows_can_be_drawn(kind: Any, by: bool, rows: list[tuple[Any, ...]]) -> None:
    svg = picture(Chart(kind=kind, x="x", y="y", by="z" if by else ""), "t", ("x", "y", "z"), rows)
    assert bool(svg) == bool(rows) and svg.count("<svg") == svg.count("</svg>") == (1 if rows else 0)


@given(st.text())
def test_text_of_strangers_stays_text(text: str) -> None:
    page = shown(text)
    assert not re.search(r"<(?!/?span)", page) and not re.search("[\u200b-\u200f\u202a-\u202e]", page)
    assert "<a " not in page and is_address(text) <= text.startswith("http")


def test_links_take_nothing_along_and_lead_nowhere_odd() -> None:
    assert link('https://a.example/"><b>') == (
        '<a href="https://a.example/&#34;&gt;&lt;b&gt;" rel="noopener noreferrer nofollow" target="_blank">'
        "https://a.example/&#34;&gt;&lt;b&gt;</a>"
    )
    for address in ("javascript:alert(1)", "http://a b", "https://a\u202eb", "data:text/html,x", "HTTP://x", "//x"):
        assert not is_address(address), address
