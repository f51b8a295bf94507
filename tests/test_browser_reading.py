"""The reading room in Chromium: reading, searching, both themes, a phone, and what strangers wrote."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.web.guard import STRICT
from browser import PHONE, Room, Visitor, copied, served, violations, wide, wide_somewhere
from collected import HOSTILE, READING, SPOOFED, TABLES, ZALGO, edit, hostile, publish, say, tell_again


def test_the_first_visit_swaps_the_printed_address_for_a_cookie_and_shows_what_came(visitor: Visitor) -> None:
    page = visitor.opens("", enter=False)
    page.goto(visitor.room.start)
    assert page.url == f"{visitor.room.url}/" and "token" not in page.url
    assert page.inner_text("h1") == "Latest"
    page.locator("main h3 a").first.click()
    page.wait_for_url("**/articles/*")
    assert page.locator("article h1").inner_text() and page.locator(".prose p").count() > 2
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    visitor.expected = ("Failed to load resource: the server responded with a status of 401",)
    stranger = visitor.opens("/", enter=False)
    assert "opens with the address" in stranger.inner_text("body")


def test_search_from_any_page_finds_and_marks_articles_and_comments(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.fill("#q", "navigation")
    page.press("#q", "Enter")
    page.wait_for_url("**/search?q=navigation")
    assert page.locator("main mark").first.inner_text().lower() == "navigation"
    page.select_option("select[name=in]", "comments")
    page.fill("main input[name=q]", "casino")
    page.select_option("select[name=source]", "demo")
    page.click("main form button")
    page.wait_for_url("**/search?q=casino+source%3Ademo&in=comments")
    page.locator("main h2 a").first.click()
    page.wait_for_url("**/articles/*#comment-*")
    assert "casino" in page.locator(":target .said").inner_text().lower()


def test_a_diff_shows_words_that_went_and_came(page: Any, room: Room) -> None:
    room.write("UPDATE articles SET body = 'Ships sail at noon.', blocks = '[\"paragraph\"]' WHERE id = 1")
    edit(room, 1, "Ships sail at dawn.")
    page.goto(f"{room.url}/articles/1")
    page.click("text=2 versions >> nth=0")
    assert page.inner_text(".diff del") == "dawn" and page.inner_text(".diff ins") == "noon"
    page.click("text=as it stood >> nth=1")
    assert page.inner_text(".diff") == "Ships sail at dawn."


def test_dark_theme_and_phone_width_are_honoured(visitor: Visitor) -> None:
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = visitor.opens("/").evaluate(colour), visitor.opens("/", dark=True).evaluate(colour)
    assert light != dark
    page = visitor.opens("/", phone=True)
    rooms = page.locator(".bar nav a")
    assert rooms.count() == 7, "on a phone each room is one touch away"
    for number in range(7):
        box = rooms.nth(number).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] and box["height"] >= 36


def test_axe_finds_nothing_wrong_on_any_page_in_either_theme(visitor: Visitor, room: Room) -> None:
    visitor.expected = ("Failed to load resource: the server responded with a status of 404",)
    tell_again(room)
    edit(room, 1, "Old words stood here.")
    say(room, 1, "Said", key="id:x")
    say(room, 1, "Answer", key="id:y", parent="id:x", by_staff=1, gone_at="2026-01-01T00:00:00Z")
    page = visitor.opens("")
    alike = ("/?by=article", "/search?q=nothingatall")
    faultless(page, room, [*(path for path in READING if path not in alike), "/stories/1", "/articles/999999"])


def test_axe_finds_nothing_wrong_on_the_pages_of_the_database(visitor: Visitor, room: Room) -> None:
    visitor.expected = tuple(f"Failed to load resource: the server responded with a status of {n}" for n in (400, 404))
    page = visitor.opens("")
    faultless(page, room, TABLES)
    page.goto(f"{room.url}{TABLES[0]}/articles?_size=2")
    page.locator("th .dropdown-menu-icon").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.locator(".dropdown-menu").is_visible(), "the menu of a column opens by keys"
    assert page.evaluate("document.activeElement.closest('.dropdown-menu') !== null")
    page.keyboard.press("Escape")
    assert not page.locator(".dropdown-menu").is_visible()


def faultless(page: Any, room: Room, paths: Sequence[str]) -> None:
    """Nothing that axe-core knows is wrong, headings go down step by step, and no page is too wide for a phone."""
    found = []
    for path in paths:
        page.goto(room.url + path)
        assert not wide_somewhere(page), path
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert levels.count(1) == 1 and all(b <= a + 1 for a, b in itertools.pairwise(levels)), path
        found += [f"{path}: {line}" for line in violations(page)]
    assert not found, "\n".join(found)


def test_what_strangers_wrote_stays_text_on_every_page(visitor: Visitor, room: Room) -> None:
    article = hostile(room)
    page = visitor.opens("")
    own = (f"/articles/{article}", f"/articles/{article}/history", "/?source=evil", "/search?q=script", "/?by=article")
    for path in (
        *own,
        "/sources",
        "/sources/evil",
        "/runs",
        "/runs/1",
        "/status",
        "/feeds",
        "/search?q=e*&in=comments",
    ):
        page.goto(room.url + path)
        assert page.locator("main iframe, main script, main style, main img, main base, main meta").count() == 0
        assert all(link.startswith(("http", "/", "#")) for link in page.eval_on_selector_all("a", HREFS)), path
    page.goto(f"{room.url}/articles/{article}")
    told = page.eval_on_selector_all(".comment .said", "found => found.map(e => e.textContent)")
    assert told == list(HOSTILE)
    assert page.locator("h1").text_content() == HOSTILE[0]
    assert page.locator("h1").get_attribute("lang") is None
    page.goto(f"{room.url}/search?q=script&in=comments")
    assert "<script>alert(1)</script>" in page.inner_text("main ul")


HREFS = "links => links.map(link => link.getAttribute('href'))"


def test_hidden_and_turned_characters_are_spelled_out_and_huge_words_break_no_page(
    visitor: Visitor, room: Room
) -> None:
    huge = "W" * 1_000_000
    article = publish(room, "https://wide.example/1", headline="H" * 500, body=f"{huge}\n\n{ZALGO}", summary=SPOOFED)
    for number, text in enumerate((SPOOFED, ZALGO, "M" * 20_000)):
        say(room, article, text, author=ZALGO[:200], position=number)
    page = visitor.opens("", phone=True)
    for path in ("/", f"/articles/{article}", f"/articles/{article}/history", "/search?q=invoice&in=comments"):
        page.goto(room.url + path)
        assert not wide(page), path
    page.goto(f"{room.url}/articles/{article}")
    shown = page.locator(".comment .said").first.text_content()
    assert shown == "invoiceU+202Egpj.exe U+200BzeroU+2066U+2069 U+001B[31m U+FEFF"
    low = page.locator(".comment").nth(1).bounding_box()["height"]
    assert low < 400, "combining characters do not climb over what stands around"


def test_a_script_in_the_page_itself_is_stopped_by_the_policy(visitor: Visitor, room: Room) -> None:
    visitor.expected = ("Refused to execute", "Executing inline", "Refused to load", "Loading the", "Applying inline")
    visitor.allowed = ("http://evil.example/x",)
    page, failed = visitor.opens("/"), []
    page.on("requestfailed", lambda request: failed.append(request.failure))
    page.evaluate(
        """() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';
        document.body.append(s); const i = new Image(); i.src = 'http://evil.example/x'; document.body.append(i); }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None and failed == ["csp"]
    assert page.request.get(f"{room.url}/").headers["content-security-policy"] == STRICT


def test_another_sites_page_gets_no_frame_no_picture_and_changes_nothing(visitor: Visitor, room: Room) -> None:
    other = room.url.replace("127.0.0.1", "localhost")  # another origin, and a same-site one for cookies
    visitor.expected = ("Refused to", "Framing", "Access to", "Failed to load resource", "Cross-Origin")
    visitor.allowed = (other,)
    page = visitor.opens("")
    page.context.route(f"{other}/evil", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    page.goto(f"{other}/evil")
    read = page.evaluate(
        "url => fetch(url, {mode: 'no-cors', credentials: 'include'}).then(() => 1, () => 0)", room.url
    )
    assert read == 0
    page.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }", room.url
    )
    page.wait_for_timeout(200)
    assert all("Latest" not in frame.content() for frame in page.frames)
    page.evaluate(
        """url => { const f = document.createElement('form'); f.method = 'post'; f.action = url + '/feeds';
        document.body.append(f); f.submit(); }""",
        room.url,
    )
    page.wait_for_load_state()
    assert not (room.home / "feeds.json").exists()


def test_the_login_page_tells_a_wrong_password_and_lets_in_with_the_right_one(
    chromium: Any, demo_db: Path, tmp_path: Path
) -> None:
    with served(copied(demo_db, tmp_path / "watchfloor.db"), tmp_path, "correct horse") as room:
        visitor = Visitor(
            chromium, room, expected=("Failed to load resource: the server responded with a status of 4",)
        )
        for phone in (True, False):
            page = visitor.opens("/review", enter=False, phone=phone)
            assert page.url == f"{room.url}/login" and not wide(page)
            page.keyboard.type("ann")
            page.fill("input[name=password]", "wrong horse")
            page.keyboard.press("Enter")
            page.wait_for_selector("[role=alert]")
            assert page.evaluate("document.activeElement.name") == "password"
            page.keyboard.type("correct horse")
            page.keyboard.press("Enter")
            page.wait_for_url("**/review")
            assert "Deciding as ann" in page.inner_text("footer")
            page.click("text=Log out")
            page.wait_for_url("**/login")
            assert not violations(page)
        visitor.leave()


def test_who_is_not_let_in_sees_a_page_too(visitor: Visitor) -> None:
    visitor.expected = ("Failed to load resource: the server responded with a status of 4",)
    page = visitor.opens("", enter=False, phone=True)
    for path, told in (("/", "opens with the address"), ("/start?token=x", "used already")):
        page.goto(visitor.room.url + path)
        assert told in page.inner_text("main") and page.inner_text("h1") == "Closed" and not wide(page)
        assert not violations(page)


def test_a_feed_address_is_made_and_revoked_on_its_page(page: Any, room: Room) -> None:
    page.goto(f"{room.url}/feeds")
    page.fill("main input[name=name]", "my phone")
    page.click("text=Make an address")
    page.wait_for_selector("h2:has-text('my phone')")
    address = page.locator("code").first.inner_text()
    assert page.request.get(address).ok
    page.click("main button:has-text('Revoke')")
    page.wait_for_selector("text=No address yet")
