"""The reading room over HTTP: what its pages show, and what programs get of them."""

from __future__ import annotations

import httpx

from app.web.pages import address
from browser import Room
from collected import edit, publish, say, tell_again


def test_the_form_of_the_search_writes_its_filters_into_the_words(reader: httpx.Client) -> None:
    told = reader.get(
        "/search", params={"q": "radio", "source": "demo", "since": "2026", "by": "ada ward", "in": "comments"}
    )
    assert told.status_code == 303
    assert told.headers["location"] == address(
        "/search", q='radio source:demo since:2026 by:"ada ward"', **{"in": "comments"}
    )


def test_hits_are_marked_for_people_and_starred_for_programs(reader: httpx.Client) -> None:
    assert "<mark>" in reader.get("/search?q=navigation").text
    found = reader.get("/search.json?q=navigation").json()["rows"]
    assert "**navigation**" in found[0]["snippet"].lower() and "\x02" not in found[0]["snippet"]


def test_filters_of_the_latest_leave_only_what_they_name(reader: httpx.Client) -> None:
    german = reader.get("/index.json", params={"language": "de"}).json()["articles"]
    assert german and {row["language"] for row in german} == {"de"}
    assert reader.get("/index.json", params={"country": "XX"}).json()["articles"] == []
    assert reader.get("/index.json", params={"source": "demo", "kind": "news"}).json()["articles"]


def test_a_story_is_shown_once_with_its_outlets_or_each_article_when_asked(client: httpx.Client, room: Room) -> None:
    tell_again(room)
    once, every = (client.get("/index.json", params={"by": by}).json() for by in ("", "article"))
    ids = [row["id"] for row in every["articles"]]
    assert sorted(set(ids) - {row["id"] for row in once["articles"]}) == [1]
    assert [other["id"] for other in once["others"][str(max(ids))]] == [1]
    (story,) = client.get("/stories.json").json()["stories"]
    assert story["publishers"] == 2 and story["sources"] == ["World Defense (demo)", "Second Wire"]
    assert "What it changed of the first one" in client.get(f"/stories/{story['story_id']}").text
    assert "The same story elsewhere" in client.get("/articles/1").text


def test_pages_of_the_latest_follow_on_each_other_without_gap_or_repetition(client: httpx.Client, room: Room) -> None:
    for number in range(120):
        publish(room, f"https://many.example/{number}", at=f"2025-01-0{number % 9 + 1}T10:00:00Z")
    seen, before = [], ""
    while True:
        found = client.get("/index.json", params={"before": before}).json()
        seen += [row["id"] for row in found["articles"]]
        if not (before := found["next"]):
            break
    assert sorted(seen) == [id for (id,) in room.rows("SELECT id FROM articles ORDER BY id")]


def test_each_day_of_the_latest_stands_once(client: httpx.Client, room: Room) -> None:
    for number, at in enumerate(
        ("2026-07-16T23:20:00Z", "2026-07-16", "2026-07-15T23:00:00Z", "2026-07-16T01:00:00+05:00")
    ):
        publish(room, f"https://days.example/{number}", at=at)
    days = [line for line in client.get("/").text.splitlines() if 'class="day"' in line]
    assert len(days) == len(set(days))


def test_a_long_thread_is_paged_and_a_comment_is_found_on_its_page(client: httpx.Client, room: Room) -> None:
    ids = [say(room, 1, f"number {number}", position=1000 + number) for number in range(250)]
    first = client.get("/articles/1.json").json()["thread"]
    assert first["pages"] == 3 and len(first["comments"]) == 100
    there = client.get("/articles/1.json", params={"comment": ids[-1]}).json()["thread"]
    assert there["page"] == 3 and ids[-1] in [comment["id"] for comment in there["comments"]]


def test_answers_stand_below_what_they_answer_wherever_they_stood_on_the_page(client: httpx.Client, room: Room) -> None:
    article = publish(room, "https://talk.example/1")
    first = say(room, article, "first", key="id:1", position=1)
    second = say(room, article, "second", key="id:2", position=2)
    answer = say(room, article, "to the first", key="id:3", parent="id:1", position=9)
    further = say(room, article, "to the answer", key="id:4", parent="id:3", position=10)
    lost = say(room, article, "to nobody", key="id:5", parent="id:404", position=3)
    say(room, article, "round", key="id:6", parent="id:7", position=4)
    say(room, article, "and round", key="id:7", parent="id:6", position=5)
    told = client.get(f"/articles/{article}.json").json()["thread"]["comments"]
    assert [(c["id"], c["level"]) for c in told[:5]] == [(first, 0), (answer, 1), (further, 2), (second, 0), (lost, 0)]
    assert len(told) == 7


def test_what_is_too_long_to_be_compared_is_shown_as_it_stood(client: httpx.Client, room: Room) -> None:
    edit(room, 1, "long words " * 50_000)
    assert "Too long to be compared here" in client.get("/articles/1/history").text
    assert "long words long words" in client.get("/articles/1/history?version=1").text


def test_history_tells_each_version_and_one_as_it_stood(client: httpx.Client, room: Room) -> None:
    edit(room, 1, "Old words stood here.")
    page = client.get("/articles/1/history").text
    assert "2 versions" in page and "<del>" in page and "<ins>" in page
    assert "Old words stood here." in client.get("/articles/1/history?version=1").text


def test_what_is_not_there_is_told_in_the_form_that_was_asked_for(reader: httpx.Client) -> None:
    page, program = reader.get("/articles/999999"), reader.get("/articles/999999.json")
    assert (page.status_code, program.status_code) == (404, 404)
    assert "There is no article of this number here." in page.text and "To the latest articles" in page.text
    assert program.json() == {"error": "There is no article of this number here."}


def test_status_is_for_monitors_too(reader: httpx.Client) -> None:
    told = reader.get("/status.json").json()
    assert told["ok"] is True and told["problems"] == [] and told["sources"][0]["source_id"] == "demo"
    assert told["hours"] >= 0 and told["last_run"].endswith("Z")


def test_the_pictures_in_the_documents_are_those_that_the_tool_takes() -> None:
    from tools.screenshots import LARGEST, PICTURES, SHOWN

    taken = {f"{name}{'-dark' * dark}{'-phone' * phone}.png" for name, dark, phone in SHOWN}
    found = {file.name: file.stat().st_size for file in PICTURES.iterdir()}
    assert found.keys() == taken and max(found.values()) <= LARGEST
