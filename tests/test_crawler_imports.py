"""Exports of comments: what each program writes, whole and damaged."""

from __future__ import annotations

import contextlib
import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import limits
from crawler.imports.detect import read_export
from crawler.imports.export import BrokenExport, Entry, Export, in_threads
from crawler.imports.markup import plain
from crawler.items import Comment, Href
from strategies import ODD, shreds

WXR = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Site</title>
<item><title>Fleet &amp; crew</title><link>https://example.com/2024/fleet/</link>
<wp:post_date_gmt>2024-03-01 08:00:00</wp:post_date_gmt><wp:comment_status>open</wp:comment_status>
%s</item>
<item><title>Silent</title><link>https://example.com/2024/silent/</link></item></channel></rss>"""


def wxr_comment(id: int, text: str, *, parent: int = 0, approved: str = "1", type: str = "") -> str:
    return f"""<wp:comment><wp:comment_id>{id}</wp:comment_id><wp:comment_author><![CDATA[Ann]]></wp:comment_author>
<wp:comment_author_url>http://ann.example/</wp:comment_author_url><wp:comment_date>2024-03-02 12:00:00</wp:comment_date>
<wp:comment_date_gmt>2024-03-02 10:00:00</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{text}]]></wp:comment_content>
<wp:comment_approved>{approved}</wp:comment_approved><wp:comment_type>{type}</wp:comment_type>
<wp:comment_parent>{parent}</wp:comment_parent></wp:comment>"""


def read(text: str | bytes) -> Export:
    return read_export(io.BytesIO(text.encode() if isinstance(text, str) else text))


def only(text: str | bytes) -> Entry:
    (thread,) = read(text).threads
    (entry,) = thread.entries
    return entry


def test_wordpress_gives_articles_threads_and_times_in_utc() -> None:
    body = wxr_comment(7, "Second\nline.\n\nNew <a href='/x'>paragraph</a>.") + wxr_comment(9, "Yes.", parent=7)
    export = read(WXR % body)
    (thread,) = export.threads
    first, reply = (entry.comment for entry in thread.entries)
    assert (export.kind, thread.url, thread.title) == ("WordPress", "https://example.com/2024/fleet/", "Fleet & crew")
    assert (thread.state, thread.published and thread.published.iso) == ("open", "2024-03-01T08:00:00Z")
    assert first.text == "Second\nline.\n\nNew paragraph."
    assert first.links == (Href(url="https://example.com/x", text="paragraph"),)
    assert (first.author, first.author_url, first.site_id) == ("Ann", "http://ann.example/", "7")
    assert (first.posted and first.posted.iso) == "2024-03-02T10:00:00Z"
    assert (reply.parent, reply.parent_site_id, reply.depth) == (0, "7", 1)


def test_wordpress_marks_and_kinds_are_kept() -> None:
    body = (
        wxr_comment(1, "a", approved="spam")
        + wxr_comment(2, "b", approved="0")
        + wxr_comment(3, "c", approved="trash")
        + wxr_comment(4, "d", type="pingback")
        + wxr_comment(5, "e", type="order_note")
    )
    entries = read(WXR % body).threads[0].entries
    assert [entry.mark for entry in entries] == ["spam", "held", "", ""]
    assert [entry.comment.deleted for entry in entries] == [False, False, True, False]
    assert entries[3].comment.kind == "pingback"


def test_control_characters_that_wordpress_lets_into_its_exports_are_read_past_and_said() -> None:
    export = read(WXR % wxr_comment(1, "be\x08fore"))
    assert export.threads[0].entries[0].comment.text == "before"
    assert export.mended == ("line 8: a character that XML does not allow was left out",)


DISQUS = """<?xml version="1.0"?><disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<thread dsq:id="1"><link>https://example.com/a</link><title>A</title><isClosed>true</isClosed></thread>
<post dsq:id="11"><message><![CDATA[<p>One</p><p>Two<br>three</p>]]></message>
<createdAt>2014-11-01T15:06:24Z</createdAt>
<isDeleted>true</isDeleted><isSpam>true</isSpam><author><name>Bo</name></author><thread dsq:id="1"/></post>
<post dsq:id="12"><message>Lost</message><thread dsq:id="99"/></post></disqus>"""


def test_disqus_posts_find_their_threads_and_the_homeless_are_counted() -> None:
    export = read(DISQUS)
    (thread,) = export.threads
    comment = thread.entries[0].comment
    assert (export.kind, export.unplaced, thread.state) == ("Disqus", 1, "closed")
    assert (comment.text, comment.author, comment.deleted, comment.site_id) == ("One\n\nTwo\nthree", "Bo", True, "11")
    assert thread.entries[0].mark == "spam"


BLOGGER = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">
<entry><id>tag:blogger.com,1999:blog-5.post-71</id><title>Radar</title>
<category scheme="http://schemas.google.com/g/2005#kind" term="http://schemas.google.com/blogger/2008/kind#post"/>
<link rel="alternate" href="http://radar.example/2020/01/radar.html"/></entry>
<entry><id>tag:blogger.com,1999:blog-5.post-73</id><published>2020-01-02T03:04:05.000+02:00</published>
<category scheme="http://schemas.google.com/g/2005#kind" term="http://schemas.google.com/blogger/2008/kind#comment"/>
<content type="html">Fine &lt;b&gt;work&lt;/b&gt;</content><author><name>Cy</name><uri>http://cy.example</uri></author>
<link rel="related" href="http://www.blogger.com/feeds/5/71/comments/default/72"/>
<thr:in-reply-to href="http://radar.example/2020/01/radar.html" ref="tag:blogger.com,1999:blog-5.post-71"/></entry>
</feed>"""


def test_blogger_comments_hang_under_their_posts() -> None:
    (thread,) = read(BLOGGER).threads
    comment = thread.entries[0].comment
    assert (thread.url, thread.title) == ("http://radar.example/2020/01/radar.html", "Radar")
    assert (comment.text, comment.author, comment.author_url) == ("Fine work", "Cy", "http://cy.example")
    assert (comment.site_id, comment.parent_site_id) == ("73", "72")
    assert (comment.posted and comment.posted.iso) == "2020-01-02T01:04:05Z"


def test_remark42_backups_and_trees_read_alike() -> None:
    row = {
        "id": "a1",
        "pid": "",
        "text": "<p>Hi</p>",
        "user": {"name": "Di", "admin": True},
        "locator": {"site": "s", "url": "https://example.com/p"},
        "time": "2019-01-01T00:00:00Z",
        "edit": {"summary": ""},
        "title": "P",
    }
    backup = "\n".join(json.dumps(line) for line in ({"version": 1, "users": [], "posts": []}, row))
    tree = json.dumps({"comments": [{"comment": row, "replies": []}]}, indent=1)
    assert read(backup).threads == read(tree).threads
    comment = only(backup).comment
    assert (comment.text, comment.author, comment.by_staff, comment.site_id) == ("Hi", "Di", True, "a1")


def test_commento_names_who_wrote() -> None:
    person = {"commenterHex": "p", "name": "Ed", "link": "https://ed.example", "isModerator": False}
    comment = {
        "commentHex": "c",
        "domain": "example.com",
        "url": "/post",
        "commenterHex": "p",
        "html": "<p>So</p>",
        "parentHex": "root",
        "state": "unapproved",
        "creationDate": "2021-05-05T05:05:05.123Z",
        "deleted": False,
    }
    export = read(json.dumps({"version": 1, "comments": [comment], "commenters": [person]}))
    entry = export.threads[0].entries[0]
    assert (export.kind, export.threads[0].url, entry.mark) == ("Commento", "https://example.com/post", "held")
    assert (entry.comment.author, entry.comment.author_url, entry.comment.parent_site_id) == (
        "Ed",
        "https://ed.example",
        "",
    )


ROW = {"article_url": "https://example.com/p", "author": "Fay", "text": "Plain, text", "date": "2020-02-02", "id": 5}


@pytest.mark.parametrize(
    "file",
    [
        json.dumps(ROW),
        json.dumps([ROW], indent=2),
        json.dumps({"comments": [ROW]}),
        'article_url;author;text;date;id\nhttps://example.com/p;Fay;"Plain, text";2020-02-02;5\n',
        '\ufeffid,date,text,author,article_url\r\n5,2020-02-02,"Plain, text",Fay,https://example.com/p\r\n',
    ],
)
def test_plain_rows_read_alike_in_every_form(file: str) -> None:
    comment = only(file).comment
    assert (comment.text, comment.author, comment.site_id) == ("Plain, text", "Fay", "5")
    assert (comment.posted and comment.posted.iso) == "2020-02-02"


def test_epoch_seconds_and_milliseconds_are_utc() -> None:
    for stamp in (1577836800, 1577836800000):
        posted = only(json.dumps({**ROW, "date": stamp})).comment.posted
        assert posted and posted.iso == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (WXR[:300], 5),
        (WXR % "<wp:comment></item>", 5),
        (WXR % "&nbsp;", 5),
        ('{"text": "a"}\n{"text": \n', 2),
        ('{"text": "a"}\n\n{"title": "no comment"}\n', 3),
        ('[{"text": "a"},\n{]', 2),
        ("text,url\na,b\nc,d,e\n", 3),
        ("%PDF-1.4", 1),
        ("<html><body>no export</body></html>", 1),
        ("", 1),
    ],
)
def test_a_broken_file_names_the_line(file: str, line: int) -> None:
    with pytest.raises(BrokenExport) as raised:
        read(file)
    assert raised.value.line == line


BOMB = '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("before", ["", "<!-- - -- >-->", "<!DOCTYPE rss SYSTEM 'file:///etc/passwd' ["])
def test_entities_of_its_own_are_refused(before: str, encoding: str) -> None:
    file = WXR.replace('<?xml version="1.0" encoding="UTF-8"?>', before + BOMB).replace("%s", wxr_comment(1, "x"))
    with pytest.raises(BrokenExport):
        read(file.encode(encoding))


def test_nesting_without_end_is_refused() -> None:
    for file in (WXR % ("<a>" * 100_000), "[" * 100_000, '{"comments":' * 100_000, '{"text":' + "[" * 100_000 + "\n{}"):
        with pytest.raises(BrokenExport):
            read(file)


def test_replies_stand_behind_their_parents_whatever_the_order_of_the_file() -> None:
    rows = [{**ROW, "id": i, "parent": i + 1, "text": str(i)} for i in range(1, 200)]
    comments = [e.comment for e in read("\n".join(map(json.dumps, rows))).threads[0].entries]
    assert [c.site_id for c in comments] == [str(i) for i in range(199, 0, -1)]
    assert max(c.depth for c in comments) <= limits.REPLY_DEPTH + 1
    assert comments[0].parent_site_id == "200" and comments[0].parent is None


ids = st.sampled_from(["", "1", "2", "3", "4"])
entries = st.lists(
    st.builds(Entry, comment=st.builds(Comment, text=st.text(), site_id=ids, parent_site_id=ids)), max_size=9
)


@given(entries)
def test_every_comment_stands_once_and_its_parent_before_it(given: list[Entry]) -> None:
    kept = in_threads(given)
    assert sorted(e.comment.text for e in kept) == sorted(e.comment.text for e in given)
    for place, entry in enumerate(kept):
        assert entry.comment.position == place
        assert entry.comment.parent is None or entry.comment.parent < place
    assert in_threads(kept) == kept


@given(shreds, st.sampled_from(["", WXR[:150], "{", "[", "text,url\n"]))
def test_any_bytes_are_an_export_or_broken(data: bytes, before: str) -> None:
    with contextlib.suppress(BrokenExport):
        assert read(before.encode() + data).count >= 0


@given(st.lists(st.sampled_from([*ODD, "<p>", "</p>", "<br>", "<a href='x'>", "</a>", "<pre>", "<script>", "&lt;"])))
def test_any_markup_gives_text_that_can_be_stored(parts: list[str]) -> None:
    text, _, _ = plain("".join(parts), "https://example.com/")
    assert text == text.strip(" \n\t")
    assert "\n\n\n" not in text or "<pre>" in parts
    text.encode()


def test_time_grows_with_the_size_of_the_file() -> None:
    started = time.process_time()
    export = read(WXR % "".join(wxr_comment(i, "Some words. " * 20) for i in range(1, 10_001)))
    assert export.count == 10_000
    assert time.process_time() - started < 8


def test_a_comment_of_attributes_alone_is_read_as_quickly_as_any_other() -> None:
    started = time.process_time()
    text, _, _ = plain(f"<p {' '.join(f'a{n}' for n in range(30_000))}>Aye.")
    assert text == "Aye."
    assert time.process_time() - started < 1
