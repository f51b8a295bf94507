"""The reading room in Chromium: reading, searching, both themes, a phone, and what strangers wrote."""

from __future__ import annotations

import itertools
from typing import Any

from app.web.guard import STRICT
from browser import Room, Visitor, violations
from collected import edit, publish, say, tell_again

PAGES = (
    "/",
    "/search?q=navigation",
    "/search?q=casino&in=comments",
    "/search?q=nothingatall",
    "/articles/1",
    "/articles/1/history",
    "/articles/1/history?version=1",
    "/stories",
    "/stories/1",
    "/sources",
    "/sources/demo",
    "/runs",
    "/runs/1",
    "/status",
    "/feeds",
    "/articles/999999",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=http://evil.example/x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}{% include 'base.html' %}",
    "<a href=javascript:alert(1)>click</a> &lt;b&gt; &amp;amp;",
    "<style>*{display:none}</style><base href=http://evil.example/><meta http-equiv=refresh content='0;url=//e.test'>",
    "</title></textarea></script><iframe src=//evil.example>",
    "' onmouseover='alert(1)",
    "]]><!--",
)
SPOOFED = "invoice\u202egpj.exe \u200bzero\u2066\u2069 \x1b[31m \ufeff"
ZALGO = "Z" + "\u0301\u0316\u0489" * 300 + "algo"


def wide(page: Any) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


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
    page = visitor.opens("", phone=True)
    tell_again(visitor.room)
    for path in PAGES[:-1]:
        page.goto(visitor.room.url + path)
        assert not wide(page), path


def test_axe_finds_nothing_wrong_on_any_page_in_either_theme(visitor: Visitor, room: Room) -> None:
    visitor.expected = ("Failed to load resource: the server responded with a status of 404",)
    tell_again(room)
    edit(room, 1, "Old words stood here.")
    say(room, 1, "Said", key="id:x")
    say(room, 1, "Answer", key="id:y", parent="id:x", by_staff=1, gone_at="2026-01-01T00:00:00Z")
    page = visitor.opens("")
    found = {}
    for path in PAGES:
        page.goto(room.url + path)
        if wrong := violations(page):
            found[path] = wrong
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert levels.count(1) == 1 and all(b <= a + 1 for a, b in itertools.pairwise(levels)), path
    assert not found, "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)


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


def hostile(room: Room) -> int:
    """An article, comments, a source and a run of somebody with bad intentions; the article's number."""
    names = [row[1] for row in room.rows("PRAGMA table_info(sources)")]
    row = dict(zip(names, room.rows("SELECT * FROM sources")[0], strict=True))
    row |= {"id": "evil", "name": HOSTILE[1], "home": "javascript:alert(1)", "note": HOSTILE[2], "country": HOSTILE[8]}
    room.write(f"INSERT INTO sources ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())
    fields = {"headline": HOSTILE[0], "summary": HOSTILE[5], "body": "\n\n".join(HOSTILE), "section": HOSTILE[6]}
    fields |= {
        "blocks": '["paragraph","item","quote","row","caption","code","h2","paragraph","h2"]',
        "authors": '["<b>"]',
    }
    fields |= {
        "language": 'en" onload="alert(1)',
        "tags": '["</dl>"]',
        "kind": HOSTILE[7],
        "image_url": "//evil.example",
    }
    fields |= {"links": '[{"url": "javascript:alert(1)", "text": ""}, {"url": "http://[::1", "text": ""}]'}
    article = publish(room, "javascript:alert(1)//<img src=x onerror=alert(2)>", source="evil", **fields)
    for number, text in enumerate(HOSTILE):
        say(room, article, text, author=HOSTILE[-number], author_url="javascript:alert(1)", position=number)
    room.write("INSERT INTO cuts VALUES (?, ?, 1, 2, ?)", article, HOSTILE[1], HOSTILE[2])
    room.write("INSERT INTO field_evidence VALUES (?, ?, ?, ?, 1)", article, HOSTILE[1], HOSTILE[2], HOSTILE[3])
    problems = '[{"name": "blocked", "source": "evil", "detail": "<img src=http://evil.example/x onerror=alert(1)>"}]'
    room.write("UPDATE runs SET problems = ?, status = 'trouble', version = ?", problems, HOSTILE[0])
    edit(room, article, HOSTILE[2])
    for subject in ("articles", "comments"):
        room.write(f"INSERT INTO {subject}_fts ({subject}_fts) VALUES ('rebuild')")
        room.write(f"DELETE FROM {subject}_to_index")
    return article


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


def test_a_feed_address_is_made_and_revoked_on_its_page(page: Any, room: Room) -> None:
    page.goto(f"{room.url}/feeds")
    page.fill("main input[name=name]", "my phone")
    page.click("text=Make an address")
    page.wait_for_selector("h2:has-text('my phone')")
    address = page.locator("code").first.inner_text()
    assert page.request.get(address).ok
    page.click("main button:has-text('Revoke')")
    page.wait_for_selector("text=No address yet")
