"""The review desk as people work at it, in Chromium: by keys, by mouse, two at once, without scripts, on a phone."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from playwright.sync_api import expect

from browser import Room, Visitor, violations, wide, wide_somewhere
from collected import HOSTILE, REVIEW, SPOOFED, ZALGO
from collected import say as post
from moderation.review import decide

FAILED = "Failed to load resource: the server responded with a status of "


def queue(room: Room) -> list[int]:
    return [id for (id,) in room.rows("SELECT id FROM review_queue")]


def words(room: Room) -> list[tuple[Any, ...]]:
    return room.rows("SELECT comment_id, said FROM verdicts WHERE person ORDER BY id")


def flag(room: Room, text: str, **given: Any) -> int:
    """A comment that waits before all others; its number."""
    post(room, 1, text, key=f"id:{hash(text)}", **given)
    ((id,),) = room.rows("SELECT max(id) FROM comments")
    room.write(
        "INSERT INTO verdicts (comment_id, revision, said, score, reasons, judge, person, note, at)"
        ' VALUES (?, 1, \'flagged\', 99, \'[{"name": "<b>link", "weight": 2, "start": 0, "end": 0,'
        " \"note\": \"<img src=//evil.example>\"}]', 'rules@1', 0, '', '2026-11-22T10:00:00Z')",
        id,
    )
    return int(id)


def shows(page: Any, id: int) -> None:
    page.wait_for_selector(f'#card[data-id="{id}"]')


def written(room: Room, count: int) -> list[tuple[Any, ...]]:
    """The words of people, once there are so many."""
    for _ in range(500):
        if len(found := words(room)) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{len(words(room))} of {count} words were written")


def test_review_by_keys_alone(visitor: Visitor, room: Room) -> None:
    ids, page = queue(room), visitor.opens("/review")
    shows(page, ids[0])
    for key, at in (("s", 1), ("a", 2), ("j", 3), ("k", 2), ("Control+s", 2), ("Alt+a", 2), ("s", 3)):
        page.keyboard.press(key)
        shows(page, ids[at])
    assert written(room, 3) == [(ids[0], "spam"), (ids[1], "ok"), (ids[2], "spam")]
    expect(page.locator("#undoes")).to_contain_text("spam on")
    for back in (ids[2], ids[1], ids[0]):
        page.keyboard.press("z")
        shows(page, back)
    assert [said for _, said in written(room, 6)] == ["spam", "ok", "spam", "undo", "undo", "undo"]
    expect(page.locator("#total")).to_have_text(str(len(ids)))
    page.keyboard.press("/")
    page.keyboard.type("s casino")
    assert page.input_value("#words") == "s casino", "keys in fields are letters"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    assert len(words(room)) == 6, "behind a dialog nothing is decided"


def test_what_happened_and_what_comes_next_is_said_aloud(visitor: Visitor, room: Room) -> None:
    ids, page = queue(room), visitor.opens("/review")
    page.keyboard.press("s")
    expect(page.locator("#told")).to_contain_text(f"Spam: #{ids[0]}. Next: #{ids[1]}")
    assert page.evaluate("document.activeElement.id") == "card"
    page.get_by_role("button", name="OK").click()
    shows(page, ids[2])
    assert page.evaluate("document.activeElement.value") == "ok", "the focus stays where the mouse put it"


def test_undo_works_after_a_reload(visitor: Visitor, room: Room) -> None:
    ids, page = queue(room), visitor.opens("/review")
    page.keyboard.press("s")
    written(room, 1)
    page.reload()
    shows(page, ids[1])
    page.keyboard.press("z")
    shows(page, ids[0])
    assert [said for _, said in written(room, 2)] == ["spam", "undo"]


def test_many_are_shown_before_they_are_decided_and_taken_back_as_one(visitor: Visitor, room: Room) -> None:
    ids, page = queue(room), visitor.opens("/review")
    shows(page, ids[0])
    for _ in range(3):
        page.keyboard.press("x")
        page.keyboard.press("j")
    assert page.inner_text("#count") == "3 selected:"
    page.keyboard.press("Shift+S")
    page.wait_for_selector("#bulk[open]")
    assert page.locator("#bulk .touched li").count() == 3
    assert not words(room)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+S")
    page.wait_for_selector("#bulk[open]")
    page.keyboard.press("Shift+S")
    assert written(room, 3) == [(id, "spam") for id in ids[:3]]
    expect(page.locator("#undoes")).to_have_text("spam on 3 comments")
    page.keyboard.press("z")
    assert [said for _, said in written(room, 6)] == ["spam"] * 3 + ["undo"] * 3


def test_a_campaign_is_decided_by_mouse(visitor: Visitor, room: Room) -> None:
    text = "Buy our very cheap armour plates today, gentlemen, no questions asked"
    ids = [flag(room, f"{text}, number {n}", position=50 + n) for n in range(3)]
    for id in ids:
        link = (id, 1, 0, 0, 3, "Buy", "http://plates.example/x", "plates.example", "plates.example", "href", "")
        room.write(f"INSERT INTO links VALUES ({', '.join('?' * len(link))})", *link)
    page = visitor.opens("/review?order=domains")
    row = page.locator("li", has_text="plates.example")
    row.get_by_text("All spam…").click()
    assert page.locator(".touched li").count() == 3
    page.get_by_role("button", name="3 spam").click()
    page.wait_for_url("**/review?order=domains**")
    assert page.inner_text(".notice") == "3 comments: spam."
    assert sorted(id for id, _ in written(room, 3)) == sorted(ids)


def test_two_reviewers_meet_and_the_second_keeps_her_place(visitor: Visitor, room: Room) -> None:
    visitor.expected = (f"{FAILED}409",)
    ids = queue(room)
    ann, other = visitor.opens("/review"), visitor.opens("/review")
    decide(room.db, ids[0], "ok", by="bob <b>")
    ann.keyboard.press("s")
    shows(ann, ids[1])
    ann.wait_for_selector("#notes .notice")
    assert "bob <b> said ok" in ann.inner_text("#notes")
    shows(ann, ids[1])
    ann.keyboard.press("s")
    written(room, 2)
    for _ in range(2):
        other.keyboard.press("a")
    expect(other.locator("#notes .notice")).to_have_count(2)
    assert words(room) == [(ids[0], "ok"), (ids[1], "spam")]


def test_a_comment_that_was_decided_is_opened_and_decided_anew(visitor: Visitor, room: Room) -> None:
    ids = queue(room)
    decide(room.db, ids[3], "ok", by="bob")
    page = visitor.opens(f"/review?at={ids[3]}")
    shows(page, ids[3])
    assert "bob" in page.inner_text("#card")
    page.keyboard.press("s")
    shows(page, ids[0])
    assert written(room, 2) == [(ids[3], "ok"), (ids[3], "spam")]


def test_a_double_click_is_one_decision_and_one_undo(visitor: Visitor, room: Room) -> None:
    ids, page = queue(room), visitor.opens("/review")
    shows(page, ids[0])
    page.dblclick("#decide button[value=spam]")
    shows(page, ids[1])
    page.click("#decide button[value=ok]")
    assert written(room, 2) == [(ids[0], "spam"), (ids[1], "ok")]
    page.dblclick("#undo button")
    shows(page, ids[1])
    assert written(room, 3) == [(ids[0], "spam"), (ids[1], "ok"), (ids[1], "undo")]


def test_decisions_wait_for_a_busy_database_and_none_is_lost(visitor: Visitor, room: Room) -> None:
    visitor.expected = (f"{FAILED}503",)
    ids, page = queue(room), visitor.opens("/review")
    shows(page, ids[0])
    holding = sqlite3.connect(room.db, isolation_level=None, check_same_thread=False)
    holding.execute("BEGIN IMMEDIATE")
    for at in (1, 2, 3):
        page.keyboard.press("s")
        shows(page, ids[at])
    expect(page.locator("#pending")).to_have_text("3 waiting to be written")
    assert not words(room)
    holding.execute("ROLLBACK")
    assert written(room, 3) == [(id, "spam") for id in ids[:3]]
    expect(page.locator("#pending")).to_have_text("")


def test_without_scripts_forms_do_the_same(chromium: Any, room: Room) -> None:
    context = chromium.new_context(java_script_enabled=False)
    name, _, value = room.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
    page, ids = context.new_page(), queue(room)
    page.goto(f"{room.url}/review")
    page.dblclick("#decide button[value=spam]")
    page.wait_for_selector(f'#card[data-id="{ids[1]}"]')
    page.go_back()
    assert page.get_attribute("#card", "data-id") == str(ids[1]), "going back shows what waits now"
    assert words(room) == [(ids[0], "spam")]
    page.click("#decide button[value=ok]")
    page.click("#undo button")
    assert page.get_attribute("#card", "data-id") == str(ids[1])
    page.click(f"#rows li[data-id='{ids[4]}'] a")
    assert page.get_attribute("#card", "data-id") == str(ids[4])
    page.check(f"input[value='{ids[2]}']")
    page.check(f"input[value='{ids[3]}']")
    page.click(".bulk button[value=spam]")
    page.click("button:has-text('2 spam')")
    assert words(room) == [(ids[0], "spam"), (ids[1], "ok"), (ids[1], "undo"), (ids[2], "spam"), (ids[3], "spam")]
    context.close()


def test_a_domain_is_denied_after_it_was_told_what_that_changes(visitor: Visitor, room: Room) -> None:
    page = visitor.opens("/review")
    page.get_by_text("Always allow…").first.click()
    page.wait_for_selector(".whatif strong, .whatif p:has-text('Nothing that is stored')")
    assert not room.rows("SELECT * FROM domain_rules")
    page.fill("input[name=note]", "reports")
    page.click(".whatif button.first")
    page.wait_for_selector(".notice")
    ((said, note),) = room.rows("SELECT said, note FROM domain_rules")
    assert (said, note) == ("allow", "reports")
    page.goto(f"{room.url}/audit")
    assert "always allow" in page.inner_text("table")


def test_filters_and_the_log_are_used_by_mouse(visitor: Visitor, room: Room) -> None:
    page = visitor.opens("/review")
    page.fill("#words", "casino")
    page.click(".filters button")
    rows = page.locator("#rows li")
    assert 0 < rows.count() < len(queue(room))
    assert "casino" in page.locator("#card .said").inner_text().lower()
    page.keyboard.press("s")
    written(room, 1)
    page.goto(f"{room.url}/audit")
    assert page.locator("table tbody tr").count() == 1


def test_axe_finds_nothing_wrong_and_no_page_is_too_wide(visitor: Visitor, room: Room) -> None:
    ids = queue(room)
    decide(room.db, ids[-1], "spam", by="ann", note="shop")
    domain = room.rows("SELECT domain FROM links WHERE domain <> '' LIMIT 1")[0][0]
    paths = (
        *(path for path in REVIEW if path != "/review?order=newest"),  # made as the first
        f"/review/group?pick={ids[0]}&said=ok",
        f"/review/domain?name={domain}&said=deny",
        f"/review?at={ids[-1]}",
        "/review?words=nothingatall",
    )
    page, found = visitor.opens(""), {}
    for path in paths:
        page.goto(room.url + path)
        expect(page.locator("#counting")).to_have_count(0)
        assert not wide_somewhere(page), path
        found[path] = violations(page)
    found["phone"] = violations(visitor.opens("/review", phone=True))
    for keys, dialog in (("Shift+S", "bulk"), ("?", "keys")):
        page.goto(f"{room.url}/review")
        page.keyboard.press(keys)
        page.wait_for_selector(f"#{dialog}[open]")
        found[dialog] = violations(page)
    assert not any(found.values()), "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)


def test_what_strangers_wrote_stays_text_and_what_hides_is_shown(visitor: Visitor, room: Room) -> None:
    texts = (*HOSTILE, SPOOFED, ZALGO, "M" * 20_000)
    ids = [flag(room, text, author=HOSTILE[n % 9], position=100 + n) for n, text in enumerate(texts)]
    evil = "javascript:alert(1)//<img src=x>"
    for id in ids:
        link = (id, 1, 0, 0, 4, "<b>x", evil, "<i>", "<u>.example", "text", "<s>dot")
        room.write(f"INSERT INTO links VALUES ({', '.join('?' * len(link))})", *link)
    page = visitor.opens(f"/review?at={ids[0]}", phone=True)
    for id, text in zip(ids, texts, strict=True):
        shows(page, id)
        assert page.locator("main iframe, main script, main style, main img, main base, main meta").count() == 0
        assert page.locator("#card b, #card i, #card s, #card u").count() == 0
        said = "".join(page.locator("#card .said").all_text_contents())
        assert said == (SHOWN if text == SPOOFED else text)
        assert all(link.startswith(("/", "?")) for link in page.eval_on_selector_all("main a", HREFS))
        assert not wide(page)
        page.keyboard.press("j")
    decide(room.db, ids[0], "spam", by=HOSTILE[0], note=HOSTILE[1])
    for path in (
        *REVIEW,
        f"/review?at={ids[0]}",
        f"/review?at={ids[-1]}",
        f"/review/group?pick={ids[1]}&pick={ids[2]}",
        "/review?words=<script>",
    ):
        page.goto(room.url + path)
        assert page.locator("main iframe, main script, main style, main img").count() == 0
        assert not wide(page), path


SHOWN = "invoiceU+202Egpj.exe U+200BzeroU+2066U+2069 U+001B[31m U+FEFF"
HREFS = "links => links.map(link => link.getAttribute('href'))"


def test_a_form_on_another_port_changes_nothing(visitor: Visitor, room: Room) -> None:
    visitor.expected = ("Failed to load resource", "Refused to", "Access to")
    ids, page = queue(room), visitor.opens("/review")
    token = page.get_attribute("#desk", "data-token")
    seen = room.rows("SELECT verdict_id FROM standing WHERE comment_id = ?", ids[0])[0][0]
    other = "http://127.0.0.1:9"
    visitor.allowed = (other,)
    evil = visitor.opens("")
    fields = {"token": token, "comment": ids[0], "seen": seen, "said": "spam"}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    form = f'<form method="post" action="{room.url}/review/decide">{inputs}</form>'
    evil.context.route(f"{other}/evil", lambda route: route.fulfill(body=form, content_type="text/html"))
    evil.goto(f"{other}/evil")
    evil.evaluate("document.forms[0].submit()")
    evil.wait_for_url(f"{room.url}/review/decide")
    assert not words(room)


def test_dark_theme_is_honoured(visitor: Visitor) -> None:
    colour = "getComputedStyle(document.querySelector('.card .said')).backgroundColor"
    assert visitor.opens("/review").evaluate(colour) != visitor.opens("/review", dark=True).evaluate(colour)
