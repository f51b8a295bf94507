"""What `find_comments` promises of any page: states, limits, raw text, links, marks, threads; and never an exception."""
# ruff: noqa: E501 - markup stands on the lines it has

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from crawler import limits
from crawler.cleaning.comments.find import FoundComments, find_comments
from crawler.cleaning.comments.hoist import hoisted
from crawler.cleaning.index import index_of
from crawler.cleaning.page import Parsed, parse
from crawler.items import Comment, Href
from crawler.source import Rules

URL = "https://news.example/2024/05/drones"
ARTICLE = "<article><h1>Drones</h1><p>Body of the article.</p></article>"


def found(body: str, rules: Rules | None = None) -> FoundComments:
    parsed = parse(f"<html><body>{ARTICLE}{body}</body></html>".encode(), URL, rules or Rules())
    assert isinstance(parsed, Parsed)
    return find_comments(parsed)


def deep(body: str) -> FoundComments:
    """The same past the parser's own limit of depth."""
    root = etree.fromstring(f"<html><body>{body}</body></html>", etree.HTMLParser(huge_tree=True))
    return find_comments(Parsed(url=URL, base=URL, root=root, index=index_of(root), rules=Rules()))


def item(number: int, text: str, replies: str = "", names: str = "comment depth-1") -> str:
    return (
        f'<li id="comment-{number}" class="{names}"><cite class="fn">Ann</cite>'
        f'<time datetime="2024-05-03T10:00:00Z">x</time><div class="comment-content">{text}</div>{replies}</li>'
    )


def thread(*items: str) -> str:
    return f'<div id="comments"><ol class="comment-list">{"".join(items)}</ol></div>'


def only(body: str) -> Comment:
    [comment] = found(body).comments
    return comment


# ---- no comments, and why


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (
            '<div id="respond" class="comment-respond"><h3>Leave a Reply</h3><form id="commentform"><textarea></textarea></form></div>',
            "open",
        ),
        ('<div class="comments"><p>No comments available for this post.</p></div>', "none"),
        ('<section id="comments"><p>Be the first to comment</p></section>', "none"),
        ('<div id="comments"><p class="nocomments">Comments are closed.</p></div>', "closed"),
        ('<p class="comments-closed">Die Kommentarfunktion ist geschlossen.</p>', "closed"),
        ('<div id="disqus_thread"></div>', "script"),
        ('<div data-spotim-module="conversation" class="spot-im-frame"></div>', "script"),
        ('<script src="https://example.disqus.com/embed.js"></script>', "script"),
        ("<p>She had no comments available for this post.</p>", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_page_without_comments_says_why(body: str, state: str) -> None:
    page = found(body)
    assert page.comments == ()
    assert page.state == state


def test_comments_with_a_notice_of_closing_are_closed() -> None:
    assert (
        found(thread(item(1, "<p>Hi there.</p>")) + '<p class="no-comments">Comments are closed.</p>').state == "closed"
    )


def test_a_reader_who_writes_that_comments_are_closed_closes_nothing() -> None:
    assert found(thread(item(1, "<p>I thought comments are closed?</p>"))).state == "open"


def test_teasers_of_opinion_pieces_are_no_comments() -> None:
    teaser = '<li class="teaser comment"><a href="/opinion/{0}">Why drones matter, part {0}</a><span class="author">Ann</span><time datetime="2024-05-0{0}">x</time></li>'
    assert found("<ul>" + "".join(teaser.format(n) for n in (1, 2, 3)) + "</ul>").comments == ()


def test_recent_comments_in_a_sidebar_are_no_comments() -> None:
    assert (
        found(
            '<ul id="recentcomments"><li class="recentcomments"><span class="comment-author-link">Ann</span> on <a href="/x#comment-1">Drones</a></li></ul>'
        ).comments
        == ()
    )


# ---- the text


def test_raw_characters_stay_as_they_are() -> None:
    text = "s\u200bp\u0430m\u2024com \u202e x\u00a0y \u2060z"
    assert only(thread(item(1, f"<p>{text}</p>"))).text == text


def test_characters_that_no_store_can_hold_are_taken_out() -> None:
    assert only(thread(item(1, "<p>a&#x1;b</p>"))).text in ("ab", "a b")


def test_paragraphs_are_divided_by_an_empty_line_and_lines_by_a_break() -> None:
    assert only(thread(item(1, "<p>One<br>two.</p><p> Three\n four.</p><ul><li>five</li><li>six</li></ul>"))).text == (
        "One\ntwo.\n\nThree four.\n\nfive\n\nsix"
    )


def test_quotes_stay_and_buttons_and_signatures_go() -> None:
    text = '<blockquote>Old words.</blockquote><p>New words.</p><div class="comment-actions"><a>Like</a></div><div class="signature">Cheers</div>'
    assert only(thread(item(1, text))).text == "Old words.\n\nNew words."


def test_white_space_in_code_stays() -> None:
    assert only(thread(item(1, "<pre>if x:\n    y</pre>"))).text == "if x:\n    y"


def test_an_image_of_a_pictograph_is_its_character_and_other_images_are_nothing() -> None:
    assert only(thread(item(1, '<p>Nice <img alt="🙂"><img alt="A photograph of me"></p>'))).text == "Nice 🙂"


def test_text_between_removed_remarks_of_the_markup_is_kept() -> None:
    assert only(thread(item(1, "<p>One <!-- x --> two</p>"))).text.split() == ["One", "two"]


# ---- links


def test_every_link_is_kept_with_its_words_and_odd_schemes_as_they_stand() -> None:
    text = (
        '<p><a href="/a?b=1#c">one <b>link</b></a> <a href="hxxp://bad.example/x">two</a>'
        ' <a href="javascript:alert(1)">three</a> <a href="http://[::1">four</a></p>'
    )
    assert only(thread(item(1, text))).links == (
        Href(url="https://news.example/a?b=1#c", text="one link"),
        Href(url="hxxp://bad.example/x", text="two"),
        Href(url="javascript:alert(1)", text="three"),
        Href(url="http://[::1", text="four"),
    )


def test_the_authors_address_is_no_link_of_the_text() -> None:
    body = '<li id="comment-1" class="comment depth-1"><cite class="fn"><a class="url" rel="external" href="http://ann.example">Ann</a></cite><div class="comment-content"><p>Hi.</p></div></li>'
    comment = only(thread(body))
    assert (comment.author_url, comment.links) == ("http://ann.example", ())


# ---- marks


def test_pingbacks_and_trackbacks_are_told_apart() -> None:
    ping = '<li id="comment-{}" class="{} even thread-even depth-1"><p>{}: <a class="url" href="http://b.example">Blog</a> says things</p></li>'
    kinds = [
        c.kind
        for c in found(
            thread(
                ping.format(1, "pingback", "Pingback"), ping.format(2, "trackback", "Trackback"), item(3, "<p>x</p>")
            )
        ).comments
    ]
    assert kinds == ["pingback", "trackback", "comment"]


def test_staff_and_deleted_comments_are_marked() -> None:
    staff = item(1, "<p>By us.</p>", names="comment bypostauthor depth-1")
    deleted = item(2, "<p>This comment was removed.</p>", names="comment comment-deleted depth-1")
    first, second = found(thread(staff, deleted)).comments
    assert (first.by_staff, first.deleted, second.by_staff, second.deleted) == (True, False, False, True)


def test_notes_of_an_edit_and_of_a_deletion_are_marks() -> None:
    edited = item(1, '<p>New words.</p></div><div class="notice">Last edited by Ann on 4 May 2024</div><div>')
    assert only(thread(edited)).edited
    assert only(thread(item(2, "<p>[deleted]</p>"))).deleted
    assert not only(thread(item(3, "<p>They deleted the report.</p>"))).deleted


# ---- threads


def test_flat_lists_are_threaded_by_the_depth_they_state() -> None:
    names = "comment depth-{}"
    items = [item(n, f"<p>{n}</p>", names=names.format(d)) for n, d in ((1, 1), (2, 2), (3, 3), (4, 2), (5, 1))]
    assert [c.parent for c in found(thread(*items)).comments] == [None, 0, 1, 0, None]


def test_a_comment_knows_its_own_and_its_parents_id() -> None:
    reply = found(thread(item(71, "<p>a</p>", f"<ol>{item(72, '<p>b</p>')}</ol>"))).comments[1]
    assert (reply.site_id, reply.parent, reply.parent_site_id, reply.depth, reply.position) == ("72", 0, "71", 1, 1)


def test_a_comment_without_text_leaves_its_replies_to_its_parent() -> None:
    body = thread(item(1, "<p>a</p>", f"<ol>{item(2, '', '<ol>' + item(3, '<p>c</p>') + '</ol>')}</ol>"))
    assert [(c.site_id, c.parent) for c in found(body).comments] == [("1", None), ("3", 0)]


# ---- limits


def test_what_is_over_the_number_of_comments_is_counted() -> None:
    page = found(thread(*(item(n, f"<p>{n}</p>") for n in range(limits.COMMENTS_A_PAGE + 7))))
    assert len(page.comments) == limits.COMMENTS_A_PAGE
    [cut] = page.cuts
    assert (cut.limit, cut.kept, cut.left_out, cut.unit) == ("COMMENTS_A_PAGE", limits.COMMENTS_A_PAGE, 7, "comments")


def test_a_comment_over_the_limit_is_cut_and_marked() -> None:
    comment = only(thread(item(1, "<p>" + "x" * (limits.COMMENT_CHARACTERS + 5) + "</p>")))
    assert (len(comment.text), comment.cut) == (limits.COMMENT_CHARACTERS, 5)


def test_links_over_the_limit_are_counted() -> None:
    page = found(thread(item(1, '<a href="/x">x</a> ' * (limits.LINKS_A_COMMENT + 3))))
    assert len(page.comments[0].links) == limits.LINKS_A_COMMENT
    assert [(c.limit, c.left_out) for c in page.cuts] == [("LINKS_A_COMMENT", 3)]


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        (
            '<li id="comment-{0}" class="comment depth-{0}"><article><cite class="fn">Ann</cite><div class="comment-content">{0}</div></article><ol>',
            "</ol></li>",
        ),
        (
            '<div id="comment-{0}" class="comment depth-{0}"><div class="comment-content">{0}</div><div class="replies">',
            "</div></div>",
        ),
    ],
)
def test_markup_nested_ten_thousand_deep_loses_no_comment_within_the_limit(opens: str, closes: str) -> None:
    count = 6_000
    markup = "".join(opens.format(n) for n in range(count)) + closes * count
    page = deep(hoisted(f"<main>{markup}</main><p>After.</p>"))
    assert [c.text for c in page.comments] == [str(n) for n in range(limits.COMMENTS_A_PAGE)]
    assert max(c.depth for c in page.comments) == limits.REPLY_DEPTH + 1


def test_markup_of_usual_depth_is_left_as_it_is() -> None:
    markup = thread(*(item(n, "<p>x<br>y</p>") for n in range(50)))
    assert hoisted(markup) == markup


@given(st.text(alphabet="<>/ladivo =\"'19", max_size=300))
def test_hoisting_any_text_gives_no_exception(text: str) -> None:
    hoisted(text)


def test_replies_deeper_than_the_limit_hang_under_their_ancestor_there() -> None:
    count = 120
    body = "".join(
        f'<li id="comment-{n}" class="comment depth-{n + 1}"><div class="comment-content">{n}</div><ol>'
        for n in range(count)
    )
    page = deep(f"<ol>{body}{'</ol></li>' * count}</ol>")
    assert len(page.comments) == count
    over = [c for c in page.comments if c.depth > limits.REPLY_DEPTH]
    assert len(over) == count - limits.REPLY_DEPTH - 1
    assert {c.parent for c in over} == {limits.REPLY_DEPTH}
    assert [c.limit for c in page.cuts] == ["REPLY_DEPTH"]


def _nested(count: int) -> str:
    opened = "".join(
        f'<li id="comment-{n}" class="comment depth-2"><div class="comment-content">{n}</div><ol>' for n in range(count)
    )
    return f"<ol>{opened}{'</ol></li>' * count}</ol>"


@pytest.mark.parametrize(
    "page",
    [
        lambda n: thread(*(item(i, f"<p>{i}</p>") for i in range(n))),
        _nested,
        lambda n: '<div class="comments">' * n,
        lambda n: thread(item(1, "<blockquote>x" * n)),
        lambda n: thread(item(1, '<a href="http://x">y</a>' * n)),
        lambda n: '<div class="comment-box"><b>B</b><i class="date">2024-01-02</i><p>hi</p></div>' * n,
        lambda n: "<dl>" + '<dt id="c1">Ann</dt><dd><p>x</p></dd>' * n + "</dl>",
    ],
)
def test_time_grows_with_the_page_and_not_with_its_square(page: Callable[[int], str]) -> None:
    def seconds(count: int) -> float:
        body = page(count)
        start = time.process_time()
        deep(body)
        return time.process_time() - start

    seconds(50)
    small = seconds(400)
    assert seconds(3200) < 40 * small + 0.3, (
        "eight times the page may take some twelve times the time, never sixty-four"
    )


# ---- the source's own rule


def test_a_sources_rule_says_where_comments_are() -> None:
    body = thread(item(1, "<p>elsewhere</p>")) + '<div class="talk">' + thread(item(2, "<p>here</p>")) + "</div>"
    assert [c.text for c in found(body, Rules(comments=".talk")).comments] == ["here"]


def test_in_the_element_a_rule_names_comments_need_no_names_of_their_own() -> None:
    row = "".join(f'<div class="z"><b>{name}</b> 3 May 2024<p>Words of {name}.</p></div>' for name in ("Ann", "Bob"))
    assert found(f'<div class="q7">{row}</div>').comments == ()
    assert [c.author for c in found(f'<div class="q7">{row}</div>', Rules(comments=".q7")).comments] == ["Ann", "Bob"]


# ---- regions


def test_regions_hold_comments_forms_and_notices_and_not_the_article() -> None:
    body = (
        thread(item(1, "<p>Words of a reader.</p>")) + '<div id="respond"><form><label>Your name</label></form></div>'
    )
    words = " ".join("".join(region.itertext()) for region in found(body).regions)
    assert "Words of a reader." in words
    assert "Your name" in words
    assert "Body of the article." not in words


# ---- anything may come

NAMES = st.sampled_from(
    [
        "comment",
        "comments",
        "comment-content",
        "fn",
        "author",
        "date",
        "reply",
        "message",
        "bbWrapper",
        "quote",
        "hidden",
        "pingback",
        "depth-2",
        "indented",
        "avatar",
        "post",
        "default",
    ]
)
IDS = st.sampled_from(["comment-1", "comment-2", "c1", "post-1", "respond", "disqus_thread", "wc-comm-1_2", ""])
WORDS = st.sampled_from(
    ["hello", "May 3, 2024 at 10:00", "99/99/9999", "\u200b", "by ", "#1", "\u0661", "____________", "1" * 80]
)
TAGS = st.sampled_from(
    [
        "div",
        "li",
        "ol",
        "p",
        "a",
        "span",
        "time",
        "dt",
        "dd",
        "table",
        "tr",
        "td",
        "b",
        "cite",
        "blockquote",
        "pre",
        "br",
        "img",
        "form",
        "section",
        "noscript",
    ]
)


@st.composite
def markup(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 25))):
        tag = draw(TAGS)
        parts.append(
            f'<{tag} class="{draw(NAMES)} {draw(NAMES)}" id="{draw(IDS)}" href="{draw(WORDS)}" datetime="{draw(WORDS)}">{draw(WORDS)}'
        )
        if draw(st.booleans()):
            parts.append(f"</{tag}>{draw(WORDS)}")
    return "".join(parts)


@settings(max_examples=150, deadline=None)
@given(markup())
def test_any_markup_gives_an_ordered_thread_and_no_exception(body: str) -> None:
    page = found(body)
    for index, comment in enumerate(page.comments):
        assert comment.position == index
        assert comment.text.strip()
        assert comment.parent is None or comment.parent < index
        assert comment.depth == (0 if comment.parent is None else page.comments[comment.parent].depth + 1)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_in_a_comment_gives_no_exception(text: str) -> None:
    found(thread(item(1, text.replace("\0", ""))))
