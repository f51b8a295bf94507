"""The comment engines: by which elements each one's comments begin. A table; a new engine is a new line.

Names are spelled as `roles.spelled` writes them. The first group of an id's pattern is the site's id of the comment,
a group named `parent` the id of the comment it replies to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Engine:
    """How one kind of comment begins."""

    name: str
    words: frozenset[str] = frozenset()
    """All of these class words are on the element."""
    none_of: frozenset[str] = frozenset()
    """None of these is."""
    any_word: re.Pattern[str] | None = None
    """One class word has this shape."""
    id: re.Pattern[str] | None = None
    """The element's id (or an anchor's name) has this shape."""
    type: re.Pattern[str] | None = None
    """The element's `itemtype` has this in it."""
    tags: frozenset[str] = field(default_factory=frozenset)
    """The tags it may be; any when empty."""
    climb: str = ""
    """The comment is the nearest ancestor of this tag, not the element that tells it."""
    run: bool = False
    """The comment goes on through the following siblings, up to the next beginning."""
    forum: bool = False
    """The first one on the page is the article."""
    spacer: bool = False
    """The width of its first image says how deep a reply is."""
    weak: bool = False
    """Known by its shape alone: see `shape`."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ITEMS = _words("li div article section dd tr td table")
NUMBER = r"(\d{1,20})"

ENGINES = (
    Engine("wpdiscuz", id=re.compile(r"(?:wc|wpd)-comm-(\d{1,20})_(?P<parent>\d{1,20})")),
    Engine("wordpress", id=re.compile(rf"(?:li-|div-)?comment-{NUMBER}"), tags=_words("dt"), run=True),
    Engine("wordpress", id=re.compile(rf"(?:li-|div-)?comment-{NUMBER}"), tags=ITEMS),
    Engine(
        "wordpress",
        words=_words("comment"),
        any_word=re.compile(r"depth-\d+|thread-(?:even|odd)"),
        tags=_words("li div article"),
    ),
    Engine("wordpress", any_word=re.compile(r"pingback|trackback"), words=_words("comment"), tags=ITEMS),
    Engine(
        "wordpress", any_word=re.compile(r"pingback|trackback"), id=re.compile(rf"(?:[a-z]+-)*{NUMBER}"), tags=ITEMS
    ),
    Engine("blogger", id=re.compile(rf"c{NUMBER}"), words=_words("comment"), tags=_words("li div")),
    Engine("blogger", id=re.compile(r"(bc_\d{1,9}_\d{1,9}B)"), words=_words("comment"), tags=_words("li div")),
    Engine("blogger", id=re.compile(rf"c{NUMBER}"), tags=_words("dt"), run=True),
    Engine(
        "drupal",
        words=_words("comment"),
        any_word=re.compile(r"comment-(?:published|by-.*)|js-comment"),
        tags=_words("div article"),
    ),
    Engine("xenforo", words=_words("message"), id=re.compile(rf"(?:js-)?post-{NUMBER}"), forum=True),
    Engine(
        "vbulletin",
        any_word=re.compile(r"postbit(?:-?legacy|-?im)*|postcontainer"),
        id=re.compile(rf"post_?{NUMBER}"),
        forum=True,
    ),
    Engine("vbulletin", id=re.compile(rf"post_?{NUMBER}"), tags=_words("table section"), forum=True),
    Engine("phpbb", words=_words("post"), id=re.compile(rf"p{NUMBER}"), forum=True),
    Engine("mybb", words=_words("post"), id=re.compile(rf"post_{NUMBER}"), tags=_words("div table"), forum=True),
    Engine("smf", words=_words("post-wrapper"), tags=_words("div"), forum=True),
    Engine("invision", any_word=re.compile(r"ipscomment|cpost"), id=re.compile(rf"elComment_{NUMBER}"), forum=True),
    Engine("invision", any_word=re.compile(r"post-block"), id=re.compile(rf"post_id_{NUMBER}"), forum=True),
    Engine("phpbb", words=_words("postauthor"), climb="tr", run=True, forum=True),
    Engine("discourse", words=_words("crawler-post"), forum=True),
    Engine("discourse", words=_words("topic-post"), forum=True),
    Engine("disqus", id=re.compile(r"dsq-comment-(\d{1,20})"), tags=ITEMS),
    Engine(
        "disqus",
        words=_words("post"),
        none_of=_words("hentry type-post"),
        id=re.compile(r"post-(\d{1,20})"),
        tags=_words("li"),
    ),
    Engine("hackernews", words=_words("default"), tags=_words("td"), climb="tr", spacer=True),
    Engine("schema.org", type=re.compile(r"schema\.org/(?:User)?Comments?\b"), tags=ITEMS),
    Engine("isso", words=_words("isso-comment"), id=re.compile(r"isso-(\d{1,20})")),
    Engine("remark42", id=re.compile(r"remark42__comment-([\w-]{1,60})")),
)

SUBJECT = (
    r"comment|cmt|kommentar|leserkommentar|lesermeinung|commentaire|commento|comentario|commentaar|reactie"
    r"|komentarz|komentar"
    r"|kommentti|yorum|posting|guestbook|gaestebuch|forum-?(?:post|message|fil|entry)|discussion-?(?:post|item"
    r"|entry|message)"
    r"|(?:reader|user|visitor)-?(?:comment|post|opinion|reply|response)"
)
PART = (
    r"item|card|box|entry|wrap|wrapper|container|new|block|row|li|single|inner|node|unit|thread|element|outer"
    r"|holder|main|root"
    r"|level|detail"
)
WORD = re.compile(rf"(?:[a-z0-9]+-){{0,3}}(?:{SUBJECT})(?:-?(?:{PART})){{0,3}}(?:-?\d+)?")
"""`comment`, `c-comment-card`, `commentnew`, `user-comment-item`."""
NO_COMMENT = frozenset(
    ["comments", "comment-form", "comment-respond", "no-comment", "no-comments", "comment-count", "comment-list"]
)
SHAPES = (
    Engine(
        "shape", id=re.compile(rf"(?:[a-z]+[-_])*?(?:{SUBJECT})[-_]?(\d{{1,20}})", re.IGNORECASE), tags=ITEMS, weak=True
    ),
    Engine("shape", any_word=WORD, none_of=NO_COMMENT, tags=ITEMS, weak=True),
)
"""Elements that call themselves a comment: what `shape` makes of them decides."""
