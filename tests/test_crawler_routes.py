"""Comments that stand elsewhere than on the article's first page."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import limits
from crawler.items import Article, Comment, Cut, Page
from crawler.merging import Answer, merged
from crawler.routes import API_ROWS, answer, further
from crawler.source import Source, SourceError, parse_source
from strategies import shreds

URL = "https://example.com/2024/fleet/"
SOURCE = Source(id="x", name="X", home="https://example.com/", comment_routes=("feed", "api"))
PAGES = Source(id="x", name="X", home="https://example.com/")


def page(*ids: str, kind: str = "article", cuts: tuple[Cut, ...] = ()) -> Page:
    comments = tuple(Comment(text=f"Text {i}", site_id=i, position=n) for n, i in enumerate(ids))
    return Page(article=Article(url=URL, headline="Fleet", sections=(), kind=kind), comments=comments, cuts=cuts)


def found(html: str, url: str = URL, source: Source = PAGES, of: Page | None = None) -> list[str]:
    return [route.url for route in further(f"<html>{html}".encode(), url, of or page("5"), source)]


def test_numbered_comment_pages_of_this_article_are_followed_and_no_other_article_s() -> None:
    html = """<a href="/2024/fleet/comment-page-1/#comments">Older</a>
      <a href="/2024/fleet/comment-page-3/#comments">x</a>
      <a href="/2023/other/comment-page-2/#comment-9">Recent comment</a>"""
    assert found(html) == [f"{URL}comment-page-1/", f"{URL}comment-page-3/"]


def test_the_page_that_its_own_comments_name_is_not_fetched_again() -> None:
    html = """<a href="/2024/fleet/comment-page-2/#comment-5">today</a>
      <a href="/2024/fleet/comment-page-2/?replytocom=5#respond">Reply</a>
      <a href="/2024/fleet/comment-page-1/#comments">Older</a>"""
    assert found(html) == [f"{URL}comment-page-1/"]
    assert found(html.replace("page-1", "page-2")) == []


def test_the_page_before_the_next_one_is_this_one() -> None:
    far = f"{URL}comment-page-2/"
    step = '<div class="nav-{}"><a href="/2024/fleet/comment-page-{}/#comments">x</a></div>'.format
    assert found(step("next", 2) + step("x", 1)) == [far]
    assert found(step("previous", 2) + step("x", 3)) == [far]


def test_pages_in_the_query_are_followed() -> None:
    plain = "https://example.com/?p=12"
    assert found('<a href="?p=12&cpage=2#comments">Newer</a><a href="?p=13&cpage=2">x</a>', plain) == [
        f"{plain}&cpage=2"
    ]
    assert found('<a href="?commentPage=2">Newer</a>') == [f"{URL}?commentPage=2"]


def test_a_next_link_counts_among_comments_and_in_forum_threads_alone() -> None:
    link = '<a rel="next" href="?page=1">Next</a>'
    assert found(f"<nav>{link}</nav>") == []
    assert found(f'<section id="comments"><ul class="pager">{link}</ul></section>') == [f"{URL}?page=1"]
    assert found(f"<nav>{link}</nav>", of=page("1", kind="forum thread")) == [f"{URL}?page=1"]
    assert found('<div id="comments"><a rel="next" href="/2024/another/?page=1">Next</a></div>') == []


def test_a_source_may_forbid_all_of_it() -> None:
    never = Source(id="x", name="X", home="https://example.com/", comment_pages=False)
    assert found('<a href="/2024/fleet/comment-page-1/">Older</a>', source=never) == []


def test_feed_and_interface_are_found_where_the_source_allows_them() -> None:
    html = """<link rel="alternate" type="application/rss+xml" href="https://example.com/feed/">
      <link rel="alternate" type="application/rss+xml" href="/2024/fleet/feed/">
      <link rel="alternate" type="application/json" href="https://example.com/wp-json/wp/v2/posts/77">"""
    api = f"https://example.com/wp-json/wp/v2/comments?post=77&per_page={API_ROWS}&order=asc&page=1"
    assert found(html) == []
    assert found(html, source=SOURCE) == [f"{URL}feed/", api]
    classes = '<link rel="https://api.w.org/" href="/wp-json/"><body class="single postid-77">'
    assert api in found(classes, source=SOURCE)


def test_blogger_s_comment_feed_is_found() -> None:
    html = '<link rel="alternate" type="application/atom+xml" href="https://example.com/feeds/9/comments/default">'
    assert found(html, source=SOURCE) == ["https://example.com/feeds/9/comments/default?max-results=500"]


def test_an_unknown_route_in_a_source_file_is_refused_with_the_nearest_one() -> None:
    text = 'name = "X"\nhome = "https://example.com/"\ncomment_routes = ["feeds"]\n'
    with pytest.raises(SourceError, match="did you mean feed"):
        parse_source(text, id="x")


def test_routes_never_lead_to_another_host() -> None:
    html = """<link rel="alternate" href="https://evil.example/wp-json/wp/v2/posts/1">
      <a href="//evil.example/comment-page-2/">x</a>"""
    assert found(html, source=SOURCE) == []


FEED = """<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<item><title>By: Ann</title><link>https://example.com/2024/fleet/#comment-8</link><dc:creator>Ann</dc:creator>
<pubDate>Fri, 01 Mar 2024 08:00:00 +0000</pubDate><guid>https://example.com/2024/fleet/#comment-8</guid>
<content:encoded><![CDATA[<p>One <a href="/x">two</a></p>]]></content:encoded></item></channel></rss>"""


def test_a_comment_feed_gives_comments() -> None:
    (comment,) = answer("feed", FEED.encode(), f"{URL}feed/", PAGES).comments
    assert (comment.text, comment.author, comment.site_id) == ("One two", "Ann", "8")
    assert comment.links[0].url == "https://example.com/x"
    assert comment.posted and comment.posted.iso == "2024-03-01T08:00:00Z"


def row(id: int, parent: int = 0) -> dict[str, object]:
    return {
        "id": id,
        "parent": parent,
        "author_name": "A &amp; B",
        "author_url": "",
        "date_gmt": "2024-03-01T08:00:00",
        "content": {"rendered": f"<p>Text {id}</p>"},
        "type": "comment",
    }


def test_the_interface_gives_comments_and_its_next_page() -> None:
    url = f"https://example.com/wp-json/wp/v2/comments?post=7&per_page={API_ROWS}&order=asc&page=1"
    few = answer("api", json.dumps([row(1), row(2, 1)]).encode(), url, PAGES)
    many = answer("api", json.dumps([row(i) for i in range(API_ROWS)]).encode(), url, PAGES)
    assert [(c.text, c.author, c.parent_site_id) for c in few.comments] == [
        ("Text 1", "A & B", ""),
        ("Text 2", "A & B", "1"),
    ]
    assert (few.comments[0].posted and few.comments[0].posted.iso) == "2024-03-01T08:00:00Z"
    assert (few.more, [r.url for r in many.more]) == ((), [url.replace("&page=1", "&page=2")])
    assert answer("api", b'{"code":"rest_forbidden","message":"Sorry"}', url, PAGES).problem == "Sorry"


def listing(*comments: Comment) -> Answer:
    return Answer(comments=comments)


def test_a_comment_that_comes_by_many_routes_is_one_and_the_page_s_own_reading_stands() -> None:
    api = listing(
        Comment(text="As the interface has it", site_id="1"), Comment(text="Reply", site_id="9", parent_site_id="2")
    )
    far = listing(Comment(text="Second page", site_id="2"), Comment(text="Nameless"), Comment(text="Nameless"))
    whole = merged(page("1"), [("api", api), ("page", far), ("page", far)], 0)
    assert [c.text for c in whole.comments] == ["Text 1", "Second page", "Reply", "Nameless", "Nameless"]
    assert [(c.parent, c.depth, c.position) for c in whole.comments][2] == (1, 1, 2)
    assert (whole.cuts, whole.comments[3].site_id) == ((), "")


def test_a_comment_that_the_page_shows_without_a_number_is_known_again_in_the_feed_by_what_it_says() -> None:
    shown = (
        Comment(text="Plus one", author="Ann"),
        Comment(text="Plus one", author="Ann"),
        Comment(text="It\u2019s so.", author="Bob", site_id="bc_0_1B"),
    )
    feed = listing(
        Comment(text="A reply", author="Cid", site_id="14", parent_site_id="13"),
        Comment(text="It\u2019s  so.", author="Bob", site_id="13"),
        Comment(text="Plus one", author="Ann", site_id="12"),
        Comment(text="Plus one", author="Ann", site_id="11"),
        Comment(text="Plus one", author="Ann", site_id="10"),
    )
    whole = merged(Page(article=page().article, comments=shown), [("feed", feed)], 0)
    assert [(c.author, c.site_id) for c in whole.comments] == [
        ("Ann", ""),
        ("Ann", ""),
        ("Bob", "bc_0_1B"),
        ("Cid", "14"),
        ("Ann", "10"),
    ]
    assert whole.comments[3].parent == 2


def test_two_comments_with_numbers_of_their_own_are_two_whatever_they_say() -> None:
    api = listing(Comment(text="Text 1", site_id="2"))
    assert [c.site_id for c in merged(page("1"), [("api", api)], 0).comments] == ["1", "2"]


def test_replies_by_place_find_their_parents_again_after_merging() -> None:
    far = listing(Comment(text="A"), Comment(text="B", parent=0, depth=1), Comment(text="C", parent=1, depth=2))
    assert [c.parent for c in merged(page("1", "2"), [("page", far)], 0).comments] == [None, None, None, 2, 3]


def test_what_was_not_read_leaves_a_cut_and_so_does_a_feed() -> None:
    assert merged(page("1"), [("page", listing())], 2).cuts == (
        Cut(limit="COMMENT_PAGES", kept=1, left_out=2, unit="comment pages"),
    )
    assert merged(page("1"), [("feed", listing(Comment(text="x", site_id="3")))], 0).cuts[0].unit == "comment pages"


def test_no_more_comments_than_the_limit_are_kept_and_the_rest_is_counted() -> None:
    many = listing(*(Comment(text="x", site_id=f"n{i}") for i in range(limits.COMMENTS_A_PAGE + 5)))
    whole = merged(page("1"), [("page", many)], 0)
    assert len(whole.comments) == limits.COMMENTS_A_PAGE
    assert whole.cuts[0].left_out == 6


ids = st.sampled_from(["", "1", "2", "3"])
comments = st.lists(st.builds(Comment, text=st.sampled_from("abc"), site_id=ids, parent_site_id=ids), max_size=6).map(
    tuple
)


@given(comments, comments)
def test_merging_doubles_nothing_and_hangs_every_reply_below(
    first: tuple[Comment, ...], second: tuple[Comment, ...]
) -> None:
    whole = merged(Page(article=page().article, comments=first), [("page", Answer(comments=second))] * 2, 0)
    named = [c.site_id for c in whole.comments if c.site_id]
    assert len(named) == len(set(named))
    assert all(c.parent is None or c.parent < c.position for c in whole.comments)


def test_hostile_pages_take_no_longer_than_plain_ones() -> None:
    started = time.process_time()
    for hostile in (
        "<a href='?page=1'>" * 30_000,
        "<a " + "x='?page=1' " * 30_000 + ">",
        "<div><a href=?page=1>" * 20_000,
    ):
        found(f"<html><body>{hostile}")
    assert time.process_time() - started < 6


@given(shreds, st.sampled_from(["page", "feed", "atom", "api"]))
def test_any_bytes_give_an_answer(data: bytes, kind: str) -> None:
    answer(kind, data, URL, SOURCE)  # type: ignore[arg-type]
    further(b"<html>?page=1 " + data, URL, page("1"), SOURCE)
