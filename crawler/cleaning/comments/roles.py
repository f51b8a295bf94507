"""What an element is to a comment, told by its tag, class, id and microdata: its text, its author, its time, a button.

One vocabulary serves all engines, because themes mix their words freely. Words are compared in one spelling: small
letters, `_` and repeated `-` as one `-`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

WRAPPER, PLAINLY, SURELY, EXACTLY = 1, 2, 3, 4
"""How far an element's name says that it holds the text; 0 is the comment itself."""

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
"""Elements that stand on lines of their own."""
SILENT = frozenset(
    [
        "script",
        "style",
        "template",
        "textarea",
        "select",
        "option",
        "button",
        "input",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "canvas",
        "label",
        "noframes",
        "map",
        "head",
        "title",
        "dialog",
    ]
)
"""Elements whose content is no visible text of a comment."""

SUBJECT = (
    r"comments?|commenti?|cmt|commentaires?|comentarios?|kommentare?|reply|replies|post|message|msg|forum"
    r"|opinion|review"
    r"|reaction|reactie|answer|comm|ugc|feedback"
)
TEXT_WORD = (
    r"content|contents|text|texte|texto|body|copy|message|msg|story|txt|inhalt|contenu|description|entry|block-text"
)
SUBJECT_AT_START = re.compile(rf"(?:^|-)(?:{SUBJECT})")
TEXT_AT_END = re.compile(rf"(?:{TEXT_WORD})$")
WRAPPERS = frozenset(
    [
        "comment-body",
        "comment-content-wrap",
        "comment-box",
        "comments-body",
        "post-content",
        "postbody",
        "comment-text-wrap",
    ]
)
"""May hold the whole comment, author line and all: believed where nothing more exact is inside."""
PLAIN = frozenset(
    ["content", "text", "message", "description", "body", "post-entry", "entry-content", "usertext", "copy"]
)
"""Say `text` without saying whose."""
EXACT = frozenset(
    [
        "bbwrapper",
        "postcontent",
        "messagetext",
        "wc-comment-text",
        "wpd-comment-text",
        "wp-block-comment-content",
        "md",
        "cpost-contentwrap",
        "field-name-comment-body",
        "commtext",
        "isso-text",
        "comment-copy",
        "dsq-comment-message",
        "raw-comment-content",
    ]
)
"""Names that one engine gives to the text alone."""

NAME = re.compile(
    r"fn|user-?name|nick(?:-?name)?|(?:.*-)?(?:author|user|commenter|poster|display)-?name|(?:.*-)?author-?link|url"
    r"|bigusername|hnuser|isso-author|comment-author-text|name"
)
AUTHOR = re.compile(
    r"(?:.*-)?(?:author|commenter|poster|creator|reviewer|auteur|autor|byline|postauthor|comment-?user|writer|user)"
    r"|comment-by|comment-?header-?author|(?:.*-)?author-user|c-author"
)
TIME = re.compile(
    r"(?:.*-)?(?:date|time|timestamp|datetime|posted-on|postdate|permalink-date|published|age|when|posted|created|ago)"
)
META = re.compile(
    r"(?:.*-)?(?:meta|metadata|commentmetadata|header|head|info|infos|footer|byline|submitted|chapo|details"
    r"|comhead|attribution|top|bottom|toolbar|credit)|commentheader|commentfooter"
)
OWN_META = re.compile(
    rf"(?:{SUBJECT})(?:-[a-z]{{1,12}})?-?(?:meta|metadata|header|head|info|infos|footer|byline|date|time|top|bottom)"
)
"""Says whose line it is, and so is believed inside the text too."""
OWN_AUTHOR = re.compile(rf"(?:{SUBJECT})-?(?:author|user|by|poster|writer)(?:-?name)?")
"""Says whose author it names, likewise."""
_DROPPED = (
    "reply reply-?link replies-?link replybox respond reply-?to edit-?link actions? buttons? btn share sharing"
    " likes? votes? voting"
    " rating ratings karma flag report report-link signature sig avatar.* gravatar badge toggle readmore controls tools"
    " userinfo postprofile profile user-?details reactionsbar number counter permalink quote-?link popupmenu"
    " menu lastedit"
    " awaiting-moderation comment-form editor tooltip postfoot thumbs? score divider separator links"
    " message-user messageuserinfo item-control vote-result moderation subscribe post-author says sr-only"
    " u-sronly label"
    " screen-reader-text visually-?hidden assistive-text no-?print like-feedback liked share-?buttons? social"
    " title subject"
)
DROP = re.compile(rf"(?:.*-)?(?:{'|'.join(_DROPPED.split())})")
ATTRIBUTION = re.compile(
    r"attribution|quoteexpand|bbcodeblock-(?:title|expandlink)|bbcode-postedby|quote-(?:title|author|header)"
)
"""A quote's own head and handle: not what the reader wrote."""
QUOTE = re.compile(r"(?:.*-)?(?:quote|quotes|quotebox|bbcodequote|bbcodeblock|quotecontainer|quote-container|quoted)")
STAFF = re.compile(
    r"(?:.*-)?(?:staff|bypostauthor|moderator|admin|mod|by-node-author|blog-author|username--staff|op|editor)"
)
DELETED = re.compile(r"(?:.*-)?(?:deleted|removed|trashed|comment-deleted)")
EDITED = re.compile(
    r"(?:.*-)?(?:edited|lastedit|last-edited|edit-note|comment-edited|wpd-comment-last-edited|notice-edited)"
)

LONGEST = 60
"""Characters of a class that can name a role; longer ones are generated."""
DASHES = re.compile(r"--+")

TEXT_PROPS = frozenset(("text", "commenttext", "reviewbody", "articlebody", "description"))
AUTHOR_PROPS = {"name": 5, "author": 4, "creator": 4}
ENGINE_TEXT = {
    "hackernews": frozenset(("comment", "commtext")),
    "disqus": frozenset(("post-message",)),
    "smf": frozenset(("inner",)),
}
"""Words that mean the text within one engine only."""
TIME_PROPS = frozenset(("datecreated", "datepublished", "commenttime", "uploaddate"))


@dataclass(frozen=True, slots=True)
class Roles:
    """What one element is. Numbers are ranks, 0 for not at all."""

    zone: int = 0
    """How far it says that it holds the text: `WRAPPER` to `EXACTLY`."""
    author: int = 0
    nameless: bool = False
    """A `name` in microdata that does not say whose: an author's only inside the author."""
    time: int = 0
    meta: bool = False
    own_author: bool = False
    own_meta: bool = False
    attribution: bool = False
    drop: bool = False
    quote: bool = False
    block: bool = False
    staff: bool = False
    deleted: bool = False
    edited: bool = False


def spelled(name: str) -> str:
    """A class or id in the one spelling that the vocabulary is written in."""
    small = name.lower().replace("_", "-")
    return (DASHES.sub("-", small) if "--" in small else small).strip("-")


@lru_cache(maxsize=8192)
def roles(tag: str, names: str, prop: str, engine: str) -> Roles:
    """The roles of an element: its tag, its class with its id, its microdata property, and the engine it stands in."""
    if tag in SILENT:
        return Roles(drop=True)
    words = tuple(spelled(n) for n in names.split() if len(n) <= LONGEST)
    prop = prop.lower().rpartition(":")[2]
    zone = max((_zone(w, engine) for w in words), default=0)
    if prop in TEXT_PROPS:
        zone = EXACTLY
    drop = not zone and (any(DROP.fullmatch(w) for w in words) or any(ATTRIBUTION.fullmatch(w) for w in words))
    author = 0 if zone else max((_author(w, drop) for w in words), default=0)
    nameless = prop == "name" and not author
    if prop in AUTHOR_PROPS:
        author = AUTHOR_PROPS[prop]
    return Roles(
        zone=zone,
        author=author,
        nameless=nameless,
        time=_time(tag, words, prop) if not zone and author <= 3 else 0,
        meta=not zone and (tag in ("header", "footer", "cite", "small") or any(META.fullmatch(w) for w in words)),
        own_author=not zone and any(OWN_AUTHOR.fullmatch(w) for w in words),
        own_meta=not zone and any(OWN_META.fullmatch(w) for w in words),
        drop=drop,
        attribution=any(ATTRIBUTION.fullmatch(w) for w in words),
        quote=not zone and (tag == "blockquote" or any(QUOTE.fullmatch(w) for w in words)),
        block=tag in BLOCKS,
        staff=any(STAFF.fullmatch(w) for w in words),
        deleted=any(DELETED.fullmatch(w) for w in words),
        edited=any(EDITED.fullmatch(w) for w in words),
    )


def _zone(word: str, engine: str) -> int:
    if word in EXACT or word in ENGINE_TEXT.get(engine, ()):
        return EXACTLY
    if word in WRAPPERS:
        return WRAPPER
    if word in PLAIN:
        return PLAINLY
    subject, text = SUBJECT_AT_START.search(word), TEXT_AT_END.search(word)
    return SURELY if subject and text and subject.end() <= text.start() else 0


def _author(word: str, dropped: bool) -> int:
    if word == "reviewer":
        return 5
    if NAME.fullmatch(word):
        return 4
    return 3 if not dropped and AUTHOR.fullmatch(word) else 0


def _time(tag: str, words: tuple[str, ...], prop: str) -> int:
    if prop == "datemodified":
        return 0
    if tag == "time" or prop in TIME_PROPS:
        return 4
    return 3 if any(TIME.fullmatch(w) for w in words) else 0
