"""Each named engine's markup, as small pages: who wrote what, when, in reply to whom."""
# ruff: noqa: E501 - markup stands on the lines it has

from __future__ import annotations

import pytest

from crawler.cleaning.comments.find import FoundComments, find_comments
from crawler.cleaning.page import Parsed, parse
from crawler.source import Rules

URL = "https://news.example/2024/05/drones"


def found(body: str, url: str = URL, rules: Rules | None = None) -> FoundComments:
    page = (
        f"<html><head><title>t</title></head><body><article><h1>Drones</h1><p>Body.</p></article>{body}</body></html>"
    )
    parsed = parse(page.encode(), url, rules or Rules())
    assert isinstance(parsed, Parsed)
    return find_comments(parsed)


def outline(found: FoundComments) -> list[tuple[str, str, str, int | None]]:
    return [(c.author, c.text, c.posted.iso if c.posted else "", c.parent) for c in found.comments]


TWO = [("Ann", "First.\n\nMore.", "2024-05-03T10:00:00Z", None), ("Bob", "Reply.", "2024-05-03T11:30:00Z", 0)]

WORDPRESS_HTML5 = """
<div id="comments" class="comments-area"><ol class="comment-list">
<li id="comment-11" class="comment even thread-even depth-1 parent"><article id="div-comment-11" class="comment-body">
<footer class="comment-meta"><div class="comment-author vcard"><img class="avatar" alt=""><b class="fn"><a href="https://ann.example" class="url" rel="ugc external nofollow">Ann</a></b>
<span class="says">says:</span></div><div class="comment-metadata"><a href="#comment-11"><time datetime="2024-05-03T12:00:00+02:00">May 3, 2024 at 12:00 pm</time></a>
<span class="edit-link"><a href="/edit">Edit</a></span></div></footer><div class="comment-content"><p>First.</p><p>More.</p></div>
<div class="reply"><a class="comment-reply-link" href="?replytocom=11#respond">Reply</a></div></article>
<ol class="children"><li id="comment-12" class="comment bypostauthor odd alt depth-2"><article id="div-comment-12" class="comment-body">
<footer class="comment-meta"><div class="comment-author vcard"><b class="fn">Bob</b></div><div class="comment-metadata"><time datetime="2024-05-03T13:30:00+02:00">x</time></div></footer>
<div class="comment-content"><p>Reply.</p></div></article></li></ol></li></ol></div>"""

WORDPRESS_BLOCKS = """
<div class="wp-block-comments"><h2 class="wp-block-comments-title">2 responses</h2><ol class="wp-block-comment-template">
<li id="comment-11" class="comment even thread-even depth-1"><div class="wp-block-columns"><div class="wp-block-column"><div class="wp-block-avatar"><img alt="" class="avatar wp-block-avatar__image"></div></div>
<div class="wp-block-column"><div class="wp-block-comment-author-name has-small-font-size"><a rel="external nofollow ugc" href="https://ann.example">Ann</a></div>
<div class="wp-block-group"><div class="wp-block-comment-date"><time datetime="2024-05-03T10:00:00+00:00"><a href="#comment-11">May 3, 2024</a></time></div><div class="wp-block-comment-edit-link"><a href="/e">Edit</a></div></div>
<div class="wp-block-comment-content"><p>First.</p><p>More.</p></div><div class="wp-block-comment-reply-link"><a href="#">Reply</a></div></div></div>
<ol><li id="comment-12" class="comment odd alt depth-2"><div class="wp-block-comment-author-name">Bob</div><div class="wp-block-comment-date"><time datetime="2024-05-03T11:30:00+00:00">x</time></div>
<div class="wp-block-comment-content"><p>Reply.</p></div></li></ol></li></ol></div>"""

WPDISCUZ = """
<div id="wpdcom"><div class="wpd-thread-list">
<div id="wpd-comm-11_0" class="comment even depth-1 wpd-comment wpd_comment_level-1"><div class="wpd-comment-wrap"><div id="comment-11" class="wpd-comment-right">
<div class="wpd-comment-header"><div class="wpd-user-info"><div class="wpd-comment-author">Ann</div><div class="wpd-comment-label"><span>Guest</span></div><div class="wpd-comment-date" title="May 3, 2024 10:00 am UTC">3 days ago</div></div></div>
<div class="wpd-comment-text"><p>First.</p><p>More.</p></div><div class="wpd-comment-footer"><div class="wpd-vote-result">3</div><div class="wpd-reply-button"><span>Reply</span></div></div></div></div>
<div id="wpd-comm-12_11" class="comment odd depth-2 wpd-comment wpd-reply wpd_comment_level-2"><div class="wpd-comment-wrap"><div id="comment-12" class="wpd-comment-right"><div class="wpd-comment-author">Bob</div>
<div class="wpd-comment-date" title="May 3, 2024 11:30 am UTC">3 days ago</div><div class="wpd-reply-to">Reply to <a href="#comment-11">Ann</a></div><div class="wpd-comment-text"><p>Reply.</p></div></div></div></div></div></div></div>"""

BLOGGER = """
<div class="comments" id="comments"><div id="comment-holder"><div class="comment-thread toplevel-thread"><ol id="top-ra">
<li class="comment" id="c77001"><div class="avatar-image-container"><img alt=""></div><div class="comment-block"><div class="comment-header"><cite class="user"><a href="https://www.blogger.com/profile/1">Ann</a></cite>
<span class="icon user"></span><span class="datetime secondary-text"><a href="/x#c77001">May 3, 2024 at 10:00 AM UTC</a></span></div><p class="comment-content">First.<br><br>More.</p>
<span class="comment-actions secondary-text"><a class="comment-reply">Reply</a><span class="item-control"><a>Delete</a></span></span></div>
<div class="comment-replies"><div class="comment-thread inline-thread"><span class="thread-toggle"><a>Replies</a></span><ol><div><li class="comment" id="c77002"><div class="comment-block"><div class="comment-header"><cite class="user blog-author">Bob</cite>
<span class="datetime"><a href="/x#c77002">May 3, 2024 at 11:30 AM UTC</a></span></div><p class="comment-content">Reply.</p></div></li></div></ol></div></div></li></ol></div></div></div>"""

BLOGGER_CLASSIC = """
<dl id="comments-block"><dt class="comment-author" id="c11"><a name="c11"></a><a href="https://ann.example" rel="nofollow">Ann</a> said...</dt><dd class="comment-body"><p>First.<br><br>More.</p></dd>
<dd class="comment-footer"><span class="comment-timestamp"><a href="#c11">May 3, 2024 at 10:00 AM UTC</a></span></dd></dl>"""

DRUPAL = """
<section id="comments"><a id="comment-11"></a><article class="comment js-comment by-anonymous"><footer class="comment__meta"><p class="comment__author"><span lang="" typeof="schema:Person" property="schema:name">Ann</span></p>
<p class="comment__time">Fri, 05/03/2024 - 10:00 UTC<span property="schema:dateCreated" content="2024-05-03T10:00:00+00:00" class="hidden"></span></p><p class="comment__permalink"><a href="/comment/11#comment-11">Permalink</a></p></footer>
<div class="comment__content"><h3><a href="/comment/11" class="permalink">Subject</a></h3><div class="field field--name-comment-body"><p>First.</p><p>More.</p></div><ul class="links inline"><li class="comment-reply"><a href="/r">Reply</a></li></ul></div></article>
<div class="indented"><a id="comment-12"></a><article class="comment js-comment"><footer class="comment__meta"><p class="comment__author">Bob</p><p class="comment__time"><span content="2024-05-03T11:30:00Z" property="schema:dateCreated"></span></p></footer>
<div class="comment__content"><div class="field--name-comment-body"><p>Reply.</p></div></div></article></div></section>"""

MOVABLE_TYPE = """
<div id="comments" class="comments"><div class="comments-content"><div class="comment" id="comment-11"><div class="inner"><div class="comment-header"><div class="asset-meta"><span class="byline"><span class="vcard author">
<a rel="nofollow" href="https://ann.example">Ann</a></span></span> | <a href="#comment-11"><abbr class="published" title="2024-05-03T10:00:00+00:00">May 3, 2024 10:00 AM</abbr></a> | <a title="Reply" href="javascript:void(0);">Reply</a></div></div>
<div class="comment-content"><p>First.</p><p>More.</p></div></div></div>
<div class="comment comment-reply" id="comment-12"><div class="inner"><div class="comment-header"><div class="asset-meta"><span class="byline"><span class="vcard author">Bob</span> replied to <a href="#comment-11">comment from Ann</a></span> |
<abbr class="published" title="2024-05-03T11:30:00+00:00">x</abbr></div></div><div class="comment-content"><p>Reply.</p></div></div></div></div></div>"""

ISSO = """
<section id="isso-thread"><h4>2 Comments</h4><div id="isso-root"><div class="isso-comment" id="isso-11"><div class="isso-avatar"></div><div class="isso-text-wrapper"><div role="heading" class="isso-comment-header"><span class="isso-author">Ann</span>
<span class="isso-spacer">•</span><a class="isso-permalink" href="#isso-11"><time title="2024-05-03" datetime="2024-05-03T10:00:00Z">a day ago</time></a></div><div class="isso-text"><p>First.</p><p>More.</p></div><div class="isso-comment-footer"><a class="isso-upvote">up</a><a class="isso-reply" href="#">Reply</a></div></div>
<div class="isso-follow-up"><div class="isso-comment" id="isso-12"><div class="isso-text-wrapper"><span class="isso-author">Bob</span><time datetime="2024-05-03T11:30:00Z">x</time><div class="isso-text"><p>Reply.</p></div></div></div></div></div></div></section>"""

REMARK42 = """
<div id="remark42"><div class="root__comments" role="list"><div class="root-thread thread thread_level_0"><article class="comment root-thread__comment" id="remark42__comment-aaaa-1"><div class="comment__info"><span class="comment__username">Ann</span>
<a href="#remark42__comment-aaaa-1" class="comment__time"><time datetime="2024-05-03T10:00:00Z">3 May 2024 at 10:00</time></a></div><div class="comment__body"><div class="comment__text raw-content"><p>First.</p><p>More.</p></div><div class="comment__actions"><button>Reply</button></div></div></article>
<div class="thread__replies thread thread_level_1"><article class="comment" id="remark42__comment-aaaa-2"><span class="comment__username">Bob</span><time datetime="2024-05-03T11:30:00Z">x</time><a class="comment__link-to-parent" href="#remark42__comment-aaaa-1">up</a>
<div class="comment__body"><div class="comment__text"><p>Reply.</p></div></div></article></div></div></div></div>"""

DISQUS = """
<div id="disqus_thread"><ul id="dsq-comments"><li class="comment even depth-1" id="dsq-comment-11"><div id="dsq-comment-header-11" class="dsq-comment-header"><cite id="dsq-cite-11"><a id="dsq-author-user-11" href="https://ann.example" rel="nofollow">Ann</a></cite></div>
<div id="dsq-comment-body-11" class="dsq-comment-body"><div id="dsq-comment-message-11" class="dsq-comment-message"><p>First.</p><p>More.</p></div><div class="dsq-comment-footer"><span class="dsq-date" title="2024-05-03T10:00:00Z">x</span></div></div>
<ul class="children"><li class="comment depth-2" id="dsq-comment-12"><cite id="dsq-cite-12"><span id="dsq-author-user-12">Bob</span></cite><span class="dsq-date" title="2024-05-03T11:30:00Z">x</span><div class="dsq-comment-message"><p>Reply.</p></div></li></ul></li></ul></div>"""

DISQUS_LIST = """
<div id="posts"><ul id="post-list" class="post-list"><li class="post" id="post-11"><div class="post-content"><div class="avatar hovercard"><a class="user"><img alt="Avatar"></a></div><div class="post-body"><header class="comment__header"><span class="post-byline"><span class="author publisher-anchor-color"><a href="https://disqus.com/by/ann/">Ann</a></span></span>
<span class="post-meta"><a class="time-ago" title="Friday, May 3, 2024 10:00 AM UTC" href="#c">3 days ago</a></span></header><div class="post-body-inner"><div class="post-message-container"><div class="publisher-anchor-color"><div class="post-message"><div><p>First.</p><p>More.</p></div></div></div></div></div>
<footer class="comment__footer"><menu><li class="voting">3</li><li class="reply"><a><span class="text">Reply</span></a></li></menu></footer></div></div>
<ul class="children"><li class="post" id="post-12"><div class="post-content"><span class="post-byline"><span class="author"><a>Bob</a></span> <a class="parent-link" href="#c">Ann</a></span><a class="time-ago" title="Friday, May 3, 2024 11:30 AM UTC">x</a><div class="post-message"><p>Reply.</p></div></div></li></ul></li></ul></div>"""

HACKER_NEWS = """
<table class="comment-tree"><tr class="athing comtr" id="11"><td><table><tr><td class="ind" indent="0"><img src="s.gif" height="1" width="0"></td><td class="votelinks"><a id="up_11" href="vote?id=11"></a></td><td class="default"><div><span class="comhead">
<a href="user?id=ann" class="hnuser">Ann</a> <span class="age" title="2024-05-03T10:00:00Z 1714730400"><a href="item?id=11">1 day ago</a></span> <span class="navs"> | <a href="#12">next</a> <a class="togg">[–]</a></span></span></div><br><div class="comment"><div class="commtext c00">First.<p>More.</p></div><div class="reply"><p><font size="1"><u><a href="reply?id=11">reply</a></u></font></p></div></div></td></tr></table></td></tr>
<tr class="athing comtr" id="12"><td><table><tr><td class="ind" indent="1"><img src="s.gif" height="1" width="40"></td><td class="default"><span class="comhead"><a href="user?id=bob" class="hnuser">Bob</a> <span class="age" title="2024-05-03T11:30:00Z"><a href="item?id=12">1 day ago</a></span></span><div class="comment"><div class="commtext c00">Reply.</div></div></td></tr></table></td></tr></table>"""

MICRODATA = """
<section><div itemprop="comment" itemscope itemtype="https://schema.org/Comment"><span itemprop="author" itemscope itemtype="https://schema.org/Person"><span itemprop="name">Ann</span></span><meta itemprop="dateCreated" content="2024-05-03T10:00:00Z">
<div itemprop="text"><p>First.</p><p>More.</p></div><a href="/reply">Reply</a><div itemprop="comment" itemscope itemtype="https://schema.org/Comment"><span itemprop="author">Bob</span><time itemprop="dateCreated" datetime="2024-05-03T11:30:00Z">x</time><p itemprop="text">Reply.</p></div></div></section>"""

JSON_LD = """<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":"Drones","comment":[{"@type":"Comment","text":"First.\\n\\nMore.","author":{"@type":"Person","name":"Ann"},
"dateCreated":"2024-05-03T10:00:00Z","comment":[{"@type":"Comment","text":"Reply.","author":{"name":"Bob"},"dateCreated":"2024-05-03T11:30:00Z"}]}]}</script>"""

STACK_EXCHANGE = """
<ul class="comments-list"><li id="comment-11" class="comment js-comment"><div class="comment-score"><span>3</span></div><div class="comment-text"><div class="comment-body"><span class="comment-copy">First. <a href="http://x.example">More</a>.</span> – <a href="/users/1/ann" class="comment-user">Ann</a>
<span class="comment-date"><a class="comment-link" href="#comment11_1"><span title="2024-05-03 10:00:00Z, License: CC BY-SA 4.0" class="relativetime-clean">May 3 at 10:00</span></a></span></div></div></li></ul>"""

NAMELESS_ROW = """
<div id="comments"><h3>Comments</h3><div class="list"><div class="x1 odd"><b>Ann</b>, 3 May 2024 10:00<p>First words.</p></div><div class="x1 even"><b>Bob</b>, 4 May 2024 10:00<p>Second words.</p></div></div></div>"""

UNKNOWN = """
<div class="reader-talk"><div class="talk-comment-card"><div class="row"><strong class="talk-user">Ann</strong> <span class="talk-date">2024-05-03 10:00 UTC</span></div><div class="talk-words"><p>First.</p><p>More.</p></div><a class="btn-reply">Reply</a>
<div class="talk-replies"><div class="talk-comment-card"><div class="row"><strong class="talk-user">Bob</strong> <span class="talk-date">2024-05-03 11:30 UTC</span></div><div class="talk-words"><p>Reply.</p></div></div></div></div></div>"""


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(WORDPRESS_HTML5, id="wordpress html5"),
        pytest.param(WORDPRESS_BLOCKS, id="wordpress blocks"),
        pytest.param(WPDISCUZ, id="wpdiscuz"),
        pytest.param(BLOGGER, id="blogger"),
        pytest.param(DRUPAL, id="drupal"),
        pytest.param(MOVABLE_TYPE, id="movable type"),
        pytest.param(ISSO, id="isso"),
        pytest.param(REMARK42, id="remark42"),
        pytest.param(DISQUS, id="disqus"),
        pytest.param(DISQUS_LIST, id="disqus list"),
        pytest.param(HACKER_NEWS, id="hacker news"),
        pytest.param(MICRODATA, id="microdata"),
        pytest.param(JSON_LD, id="json-ld"),
        pytest.param(UNKNOWN, id="unknown"),
    ],
)
def test_a_comment_and_its_reply_are_read_whole(page: str) -> None:
    assert outline(found(page)) == TWO


def test_a_classic_blogger_list_of_terms_is_read() -> None:
    assert outline(found(BLOGGER_CLASSIC)) == TWO[:1]


KUBRICK = """
<ol class="commentlist"><li class="alt" id="comment-12"><cite><a href="http://ann.example" rel="external nofollow">Ann</a></cite> Says:<br><small class="commentmetadata"><a href="#comment-12" title="">March 5th, 2007 at 10:00 am</a></small><p>Words.</p></li></ol>"""

AUTHOR_BELOW = """<ol id="commentlist"><li id="comment-12"><p>Words.</p><p class="comment-author">Posted by Ann on March 5, 2007 at 10:00 am</p></li></ol>"""

DRUPAL_6 = """
<div id="comments"><a id="comment-5"></a><div class="comment odd"><h3><a href="#comment-5" class="active">A subject</a></h3><div class="submitted">Submitted by Ann on Mon, 2007-03-05 10:00.</div><div class="content"><p>Words.</p></div><div class="links"><ul><li>reply</li></ul></div></div></div>"""

FORM_OF_TEXT = """
<div class="thing comment"><p class="tagline"><a href="/user/ann" class="author">Ann</a> <time datetime="2007-03-05T10:00:00">x</time></p><form class="usertext"><div class="usertext-body"><div class="md"><p>Words.</p></div></div></form></div>"""


@pytest.mark.parametrize("page", [KUBRICK, AUTHOR_BELOW, DRUPAL_6, FORM_OF_TEXT])
def test_the_author_line_is_found_where_a_theme_puts_it(page: str) -> None:
    assert outline(found(page)) == [("Ann", "Words.", "2007-03-05T10:00:00", None)]


GENESIS = """
<ol class="comment-list"><li class="comment even depth-1" id="comment-1"><article itemprop="comment" itemscope itemtype="https://schema.org/UserComments"><p class="comment-author" itemprop="author"><span itemprop="name">Ann</span> says</p>
<div class="comment-content" itemprop="commentText"><p>One.</p></div></article><ul class="children"><li class="comment odd depth-2" id="comment-2"><article itemprop="comment" itemtype="https://schema.org/UserComments"><p class="comment-author">Bob</p><div class="comment-content"><p>Two.</p></div></article></li></ul></li></ol>"""


def test_microdata_inside_a_wordpress_comment_makes_no_second_comment() -> None:
    assert outline(found(GENESIS)) == [("Ann", "One.", "", None), ("Bob", "Two.", "", 0)]


def test_a_comment_on_a_question_is_read() -> None:
    assert outline(found(STACK_EXCHANGE)) == [("Ann", "First. More.", "2024-05-03T10:00:00Z", None)]


def test_a_list_whose_parts_bear_no_names_is_read_by_its_shape() -> None:
    assert outline(found(NAMELESS_ROW)) == [
        ("Ann", "First words.", "2024-05-03T10:00:00", None),
        ("Bob", "Second words.", "2024-05-04T10:00:00", None),
    ]


def test_a_box_of_the_sites_latest_comments_is_left_alone() -> None:
    assert found(f'<aside class="recent-comments">{UNKNOWN}</aside>').comments == ()


# ---- forums: the first post is the article

XENFORO = """
<div class="p-body"><article class="message message--post js-post" id="js-post-1" data-author="Ann"><span class="u-anchorTarget" id="post-1"></span><div class="message-cell message-cell--user"><section class="message-user"><h4 class="message-name"><a href="/members/ann.1/" class="username">Ann</a></h4><h5 class="userTitle">Member</h5>
<div class="message-userExtras"><dl><dt>Joined</dt><dd>May 1, 2010</dd></dl></div></section></div><div class="message-cell message-cell--main"><header class="message-attribution"><time class="u-dt" datetime="2024-05-03T10:00:00+0000">May 3</time><a href="#post-1">#1</a></header>
<div class="message-content"><article class="message-body js-selectToQuote"><div class="bbWrapper">The thread's start.</div></article></div><aside class="message-signature"><div class="bbWrapper">My signature</div></aside></div></article>
<article class="message message--post js-post" id="js-post-2"><section class="message-user"><a class="username" href="/members/bob.2/">Bob</a></section><header class="message-attribution"><time datetime="2024-05-03T11:30:00+0000">x</time><a href="#post-2">#2</a></header>
<div class="message-content"><article class="message-body"><div class="bbWrapper"><blockquote class="bbCodeBlock bbCodeBlock--quote"><div class="bbCodeBlock-title"><a href="/goto/post?id=1" class="bbCodeBlock-sourceJump">Ann said:</a></div><div class="bbCodeBlock-content"><div class="bbCodeBlock-expandContent">The thread's start.</div><div class="bbCodeBlock-expandLink"><a>Click to expand...</a></div></div></blockquote>I agree.</div></article></div>
<footer class="message-footer"><div class="message-actionBar actionBar"><a class="actionBar-action">Like</a></div></footer></article></div>"""

VBULLETIN_3 = """
<div id="posts"><div id="edit1"><table class="tborder" id="post1"><tr><td class="thead"><a name="post1"></a> 05-23-2024, 10:00 AM <a href="#post1" id="postcount1">#<strong>1</strong></a></td></tr><tr><td class="alt2"><div id="postmenu_1"><a class="bigusername" href="member.php?u=1">Ann</a></div><div class="smallfont">Member</div></td></tr>
<tr><td class="alt1" id="td_post_1"><div id="post_message_1">The thread's start.</div></td></tr></table></div><div id="edit2"><table class="tborder" id="post2"><tr><td class="thead"><a name="post2"></a> 05-23-2024, 11:30 AM <a href="#post2">#<strong>2</strong></a></td></tr><tr><td class="alt2"><a class="bigusername" href="member.php?u=2">Bob</a></td></tr>
<tr><td class="alt1" id="td_post_2"><div id="post_message_2"><div><div class="smallfont">Quote:</div><table><tr><td class="alt2"><div style="font-style:italic">The thread's start.</div></td></tr></table></div>I agree.</div></td></tr></table></div></div>"""

PHPBB_3 = """
<div id="page-body"><div id="p1" class="post has-profile bg2"><div class="inner"><dl class="postprofile" id="profile1"><dt><a href="./u1" class="username">Ann</a></dt><dd class="profile-posts"><strong>Posts:</strong> 12</dd><dd><strong>Joined:</strong> Sun Jan 5, 2014 10:00 am</dd></dl><div class="postbody"><div id="post_content1"><h3 class="first"><a href="#p1">Drones</a></h3>
<ul class="post-buttons"><li><a class="button">Quote</a></li></ul><p class="author"><a class="unread" href="#p1"><span class="sr-only">Post</span></a><span class="responsive-hide">by <strong><a href="./u1" class="username">Ann</a></strong> » </span><time datetime="2024-05-03T10:00:00+00:00">Fri May 03, 2024 10:00 am</time></p><div class="content">The thread's start.</div><div id="sig1" class="signature">My signature</div></div></div></div></div>
<div id="p2" class="post bg1"><dl class="postprofile"><dt><a class="username" href="./u2">Bob</a></dt></dl><div class="postbody"><p class="author">by <strong><a class="username" href="./u2">Bob</a></strong> » <time datetime="2024-05-03T11:30:00+00:00">x</time></p><div class="content"><blockquote><div><cite>Ann wrote:</cite>The thread's start.</div></blockquote>I agree.</div></div></div></div>"""

DISCOURSE = """
<div id="main-outlet" class="wrap"><div itemscope itemtype="http://schema.org/DiscussionForumPosting"><div id="post_1" itemprop="mainEntity" class="topic-body crawler-post"><div class="crawler-post-meta"><span class="creator" itemprop="author" itemscope itemtype="http://schema.org/Person"><a itemprop="url" href="https://f.example/u/ann"><span itemprop="name">Ann</span></a></span>
<link itemprop="mainEntityOfPage" href="/t/1"><span class="crawler-post-infos"><time itemprop="datePublished" datetime="2024-05-03T10:00:00Z" class="post-time">May 3</time><meta itemprop="dateModified" content="2024-06-01T10:00:00Z"><span itemprop="position">1</span></span></div><div class="post" itemprop="text"><p>The thread's start.</p></div></div>
<div id="post_2" itemprop="comment" itemscope itemtype="http://schema.org/Comment" class="topic-body crawler-post"><div class="crawler-post-meta"><span class="creator" itemprop="author"><a href="https://f.example/u/bob"><span itemprop="name">Bob</span></a></span><time itemprop="datePublished" datetime="2024-05-03T11:30:00Z">x</time></div><div class="post" itemprop="text"><aside class="quote" data-post="1"><div class="title">Ann:</div><blockquote><p>The thread's start.</p></blockquote></aside><p>I agree.</p></div></div></div></div>"""


@pytest.mark.parametrize(
    ("page", "posted"),
    [
        pytest.param(XENFORO, "2024-05-03T11:30:00Z", id="xenforo"),
        pytest.param(VBULLETIN_3, "2024-05-23T11:30:00", id="vbulletin"),
        pytest.param(PHPBB_3, "2024-05-03T11:30:00Z", id="phpbb"),
        pytest.param(DISCOURSE, "2024-05-03T11:30:00Z", id="discourse"),
    ],
)
def test_a_threads_first_post_is_the_article_and_the_rest_are_comments(page: str, posted: str) -> None:
    thread = found(page)
    assert thread.first_author == "Ann"
    assert "".join(thread.first_post.itertext()).strip() == "The thread's start."
    [answer] = thread.comments
    assert (answer.author, answer.posted.iso if answer.posted else "", answer.parent) == ("Bob", posted, None)
    assert "The thread's start." in answer.text, "quotes stay"
    assert answer.text.endswith("I agree.")
    assert "said:" not in answer.text
    assert "expand" not in answer.text


def test_a_later_page_of_a_thread_has_only_comments() -> None:
    thread = found(XENFORO.replace("#1<", "#21<").replace("#2<", "#22<"))
    assert thread.first_post is None
    assert [c.author for c in thread.comments] == ["Ann", "Bob"]
