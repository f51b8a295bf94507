"""A day's news as a page: HTML that asks nobody for anything, or Markdown. Pure; no headline can become markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from db.digest import Change, Digest, Item, Story
from db.feeds import web_address
from pipelines.differences import Piece, pieces

SUMMARY = 360
"""Characters of a summary: three lines of the page, at a word's end; the link leads to the rest."""
ACTS_ON_SCREEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that turn or hide the text round them."""
IN_MARKDOWN = re.compile(r"[\\`*_\[\]<>&#|~$!^{}]")
"""What makes markup within a line of CommonMark and of GitHub's dialect, wherever it stands."""
AT_LINE_START = re.compile(r"\A(?:\d{1,9}(?=[.)])|(?=[-+=]))")
"""What makes a list, a rule or a heading where a line begins with it; the backslash comes behind."""
BECOMES_LINK = re.compile(r"(?i:\bwww(?=\.)|:(?=/)|(?<=\bmailto)(?=:)|(?<=\bxmpp)(?=:)|(?<=@)(?=\w))")
"""Places at which GitHub's dialect would make a link of an address in the text, or of a name."""
NO_LINK = "\u2060"
"""Word joiner: shows nothing and parts an address, so that none is seen in it."""
KINDS = {"copy": "the same text", "edited": "edited", "excerpt": "an excerpt"}
"""How an outlet tells what another had first."""


def page(digest: Digest) -> str:
    """The day as one HTML file without script, picture or anything from elsewhere."""
    style = Markup((files("app") / "digest.css").read_text("utf-8"))  # noqa: S704 - our own file
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(day=digest, title=title(digest), counts=counts(digest), style=style, allowed=allowed)


def markdown(digest: Digest) -> str:
    """The day as Markdown."""
    return re.sub("\n{3,}", "\n\n", "\n".join(_lines(digest))) + "\n"


def title(digest: Digest) -> str:
    """What day it is."""
    day = digest.day.day
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


def counts(digest: Digest) -> tuple[str, ...]:
    """The day in figures, each with its word; what there was none of is left out."""
    figures = (
        (digest.articles, "article", "articles"),
        (digest.outlets, "source", "sources"),
        (len(digest.stories), "story told by several", "stories told by several"),
        (len(digest.changes), "headline changed", "headlines changed"),
        (len(digest.troubles), "problem", "problems"),
    )
    return tuple(f"{number:,} {one if number == 1 else many}" for number, one, many in figures if number)


def shortened(text: str) -> str:
    """A summary on one line, cut at a word where it is long."""
    line = " ".join(text.split())
    if len(line) <= SUMMARY:
        return line
    return f"{line[:SUMMARY].rsplit(' ', 1)[0].rstrip(' ,;:')}…"


def clock(item: Item | Change) -> str:
    """The time of day; empty where the site named only the day."""
    return f"{item.time:%H:%M}" if item.time else ""


def talk(item: Item) -> str:
    """How many comments there are, and how many of them are held."""
    if not item.comments and not item.held:
        return ""
    held = f", {item.held} held" if item.held else ""
    return f"{item.comments} comment{'' if item.comments == 1 else 's'}{held}"


def coverage(story: Story) -> str:
    """Who has told a story, in a line."""
    told = f"{story.publishers} outlets" if story.publishers > 1 else "one outlet, several times"
    return f"Told by {told}" + (f", first by {story.before} on an earlier day" if story.before else "")


def differences(change: Change) -> tuple[Piece, ...]:
    """Both headlines in one."""
    return pieces(change.was, change.became)


@cache
def _template() -> Template:
    room = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    room.globals.update(clock=clock, coverage=coverage, differences=differences, kinds=KINDS, talk=talk)
    room.filters.update(shortened=shortened, address=web_address)
    return room.from_string((files("app") / "digest.html").read_text("utf-8"))


# ---- Markdown


def _lines(digest: Digest) -> Iterator[str]:
    yield f"# {title(digest)}"
    yield ""
    yield " · ".join(counts(digest)) or "Nothing was published on this day."
    if digest.stories:
        yield from _head("Told by several")
        for story in digest.stories:
            yield from _story(story)
    for source, items in digest.sources:
        yield from _head(_plain(source))
        for item in items:
            yield from _item(item)
    if digest.changes:
        yield from _head("Headlines changed")
        for change in digest.changes:
            where = f"{_plain(change.source)} {clock(change)}".rstrip()
            yield f"- {where}: ~~{_plain(change.was)}~~ → {_link(change.became, change.url)}"
    if digest.troubles:
        yield from _head("What went wrong")
        for trouble in digest.troubles:
            where = f"{_plain(trouble.source)}: " if trouble.source else ""
            times = f"{trouble.runs} of {digest.runs} run{'' if digest.runs == 1 else 's'}"
            yield f"- {where}**{_plain(trouble.name)}** ({times}): {_plain(trouble.detail)}"
    yield ""
    yield f"Made by watchfloor at {digest.made_at}; times are {_plain(digest.day.zone_name)}."


def _head(text: str) -> Iterator[str]:
    yield ""
    yield f"## {text}"
    yield ""


def _story(story: Story) -> Iterator[str]:
    first, *others = story.items
    yield from _item(first, _plain(first.source), coverage=_plain(coverage(story)))
    for item in others:
        kind = KINDS.get(item.told, "")
        yield f"  - {_about(item, _plain(item.source), kind)}: {_link(item.headline, item.url)}"


def _item(item: Item, source: str = "", coverage: str = "") -> Iterator[str]:
    yield f"- **{_link(item.headline, item.url)}**  "
    about = _about(item, source, _plain(", ".join(item.authors)), coverage)
    yield f"  {about}" if about else "  (no time given)"
    if item.summary:
        yield ""
        yield f"  {_plain(shortened(item.summary))}"
        yield ""


def _about(item: Item, *parts: str) -> str:
    seen = f"seen {clock(item)}" if item.seen else clock(item)
    return " · ".join(part for part in (seen, *parts, talk(item), "gone" if item.gone else "") if part)


def _link(text: str, url: str) -> str:
    address, shown = web_address(url), _plain(text) or "untitled"
    return f"[{shown}](<{_in_brackets(address)}>)" if address else shown


def _in_brackets(address: str) -> str:
    return address.replace("\\", "%5C").replace("<", "%3C").replace(">", "%3E")


def _plain(text: str) -> str:
    """Text on one line that no Markdown reads as anything else."""
    line = " ".join(ACTS_ON_SCREEN.sub("", text).split())
    parted = BECOMES_LINK.sub(lambda found: found[0] + NO_LINK, line)
    escaped = IN_MARKDOWN.sub(lambda found: f"\\{found[0]}", parted)
    return AT_LINE_START.sub(lambda found: f"{found[0]}\\", escaped)
