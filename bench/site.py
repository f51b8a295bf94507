"""A news site of any number of articles, made of saved pages of real sites.

Each article has an address, a title and a canonical link of its own, and no link to the site but ours. Where an article
is not the first that is made of its page, the words of its sentences change places, so that no two have one text;
mark-up, scripts and length stay those of the real page. Beside them: a front page, sections, a feed, sitemaps with
`lastmod`, a news sitemap, robots.txt. All of it is made when it is asked for: 20,000 articles take no more memory than
the saved pages.
"""

from __future__ import annotations

import gzip
import html
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SETS = ("aeb", "pages/defense_articles", "pages/comments_wordpress")
"""Folders of the evaluation data whose pages are all articles, the last with readers' comments."""
MEAN_BYTES = 170_000
"""Wanted of an article's page: about what news pages have."""
SECTIONS = ("land", "air", "naval", "cyber", "industry")
A_SECTION = 25
"""Articles on one page of a section."""
A_SITEMAP = 1_000
NEWEST = 50
"""Articles in the feed and on the front page."""
APART_SECONDS = 600
"""Between two articles, the newest of which is there when the site is."""
PAGE, XML, TEXT = "text/html", "application/xml", "text/plain"

TITLE = re.compile(rb"<title\b[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
HEAD = re.compile(rb"<head\b[^>]*>", re.IGNORECASE)
OTHERS = re.compile(
    rb"<base\b[^>]*>|<link\b[^>]*rel=[\"']?(?:canonical|amphtml|alternate|shortlink|next|prev)\b[^>]*>"
    rb"|<meta\b[^>]*(?:property|name)=[\"']?(?:og:url|og:title|twitter:title|twitter:url)\b[^>]*>",
    re.IGNORECASE,
)
"""What says where the page stood, and under which title."""
INNER = re.compile(rb"(<a\b[^>]*?\bhref\s*=\s*[\"'])(?!https?:|//|#|mailto:|javascript:|data:|tel:)/?", re.IGNORECASE)
"""A link to the page's own site."""
RUNNING = re.compile(
    rb"<(script|style|noscript|template|textarea)\b.*?</\1|<!--.*?-->|>(?P<text>[^<>]{60,})(?=<)",
    re.IGNORECASE | re.DOTALL,
)
"""Text between two tags that is long enough for a sentence; what no reader sees is taken out of the way first."""
WORD = re.compile(rb"(?<![\w&;#/@.\x80-\xff-])[a-z]{4,}(?![\w;/@\x80-\xff-])")
"""Not of an entity or an address."""
STEP = 7
"""Places by which words move from one article of a page to the next: with one, most would keep their neighbours."""

HEADLINE = (
    b'<title>%s</title><link rel="canonical" href="%s"><meta property="og:type" content="article">'
    b'<meta property="og:title" content="%s">'
)
LISTING = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title></head>
<body><nav>$nav</nav><ul>
$items
</ul>$more</body></html>
""")
ITEM = Template('<li><h2><a class="story" href="$path">$title</a></h2><time datetime="$time">$time</time></li>')
SITEMAPS = Template("""<?xml version="1.0" encoding="UTF-8"?>
<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
$items
</sitemapindex>
""")
SITEMAP = Template("""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
$items
</urlset>
""")
NEWS = Template(
    "<news:news><news:publication><news:name>Bench</news:name><news:language>en</news:language></news:publication>"
    "<news:publication_date>$time</news:publication_date><news:title>$title</news:title></news:news>"
)
FEED = Template("""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Bench</title><link>$base/</link><description>Saved pages</description>
$items
</channel></rss>
""")
FEED_ITEM = Template(
    '<item><title>$title</title><link>$url</link><guid isPermaLink="true">$url</guid><pubDate>$date</pubDate></item>'
)
ROBOTS = Template("User-agent: *\nAllow: /\nSitemap: $base/sitemap.xml\n")
SOURCE = Template("""# The source that watches the site of the benchmarks.
name = "Bench"
home = "$base/"
note = "Written for one run."
sitemaps = ["$base/sitemap.xml"]
delay = 0
max_pages = $pages
max_links = $pages
max_listings = $listings
""")


class Answer(NamedTuple):
    """What stands under a path."""

    kind: str
    """Of the content, with a charset where the bytes are surely UTF-8."""
    body: bytes
    article: int = -1
    """Its number; -1 for everything that is no article."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved page, cut where its articles differ."""

    kind: str
    title: bytes
    """As the page has it, escaped."""
    before: bytes
    """All before the title."""
    between: tuple[bytes, ...]
    """All after it, without the words: one more than there are words."""
    words: tuple[bytes, ...]

    def page(self, head: bytes, turn: int) -> bytes:
        """The page with that head for its title, its words moved so many times."""
        at = STEP * turn % len(self.words) if self.words else 0
        whole = [b""] * (2 * len(self.words) + 1)
        whole[::2], whole[1::2] = self.between, self.words[at:] + self.words[:at]
        return self.before + head + b"".join(whole)


def cut(data: bytes) -> Saved:
    """A saved page, without what says where it stood."""
    data = INNER.sub(rb"\1http://elsewhere.invalid/", OTHERS.sub(b"", data))
    named, head = TITLE.search(data), HEAD.search(data)
    start, end = named.span() if named else (head.end(),) * 2 if head else (0, 0)
    title = re.sub(rb"\s+", b" ", named[1]).strip() if named else b"Untitled"
    texts = [text.span("text") for text in RUNNING.finditer(data, end) if text["text"]]
    places = [word.span() for span in texts for word in WORD.finditer(data, *span)]
    edges = [end, *(at for span in places for at in span), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    return Saved(_kind(data), title[:300], data[:start], tuple(pieces[::2]), tuple(pieces[1::2]))


def _kind(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        return PAGE
    return f"{PAGE}; charset=utf-8"


class Site:
    """So many articles, each in its place. `now` is when the newest was changed, in seconds."""

    def __init__(self, saved: Sequence[Saved], articles: int, now: float, *, lastmod: bool = True) -> None:
        self.saved, self.articles, self.now, self.lastmod = saved, articles, int(now), lastmod
        self._numbers = {self.path(number): number for number in range(articles)}

    def path(self, number: int) -> str:
        """Where an article stands."""
        return f"/news/{time.strftime('%Y/%m/%d', time.gmtime(self.changed(number)))}/defence-story-{number:06d}.html"

    def changed(self, number: int) -> int:
        """When it was last changed, in seconds."""
        return self.now - number * APART_SECONDS

    def title(self, number: int) -> str:
        """As a listing gives it: plain text."""
        said = self.saved[number % len(self.saved)].title.decode("utf-8", "replace")
        return f"Story {number:06d} {html.unescape(said)}"

    def answer(self, path: str, base: str) -> Answer | None:
        """What stands there, for those who know the site as `base`; None where nothing does."""
        number = self._numbers.get(path)
        if number is not None:
            return self._article(number, base)
        return self._listings(base).get(path)

    def mean_bytes(self) -> float:
        """Of an article's page."""
        sizes = [len(self._article(number, "").body) for number in range(min(self.articles, len(self.saved)))]
        rounds, rest = divmod(self.articles, len(self.saved))
        return (rounds * sum(sizes) + sum(sizes[:rest])) / self.articles

    def source(self, base: str) -> str:
        """The TOML text of a source that watches it, with room for all of its articles."""
        return SOURCE.substitute(base=base, pages=self.articles, listings=self.articles // A_SITEMAP + 5)

    def _article(self, number: int, base: str) -> Answer:
        turn, which = divmod(number, len(self.saved))
        saved = self.saved[which]
        title = b"Story %06d " % number + saved.title
        head = HEADLINE % (title, (base + self.path(number)).encode(), title.replace(b'"', b"'"))
        return Answer(saved.kind, saved.page(head, turn), number)

    @cache  # noqa: B019 - a site lives as long as its server
    def _listings(self, base: str) -> dict[str, Answer]:
        """Everything but articles, by path."""
        return {path: Answer(kind, text.encode()) for path, kind, text in self._documents(base)}

    def _documents(self, base: str) -> Iterator[tuple[str, str, str]]:
        page = f"{PAGE}; charset=utf-8"
        every = range(self.articles)
        yield "/robots.txt", TEXT, ROBOTS.substitute(base=base)
        yield "/feed.xml", XML, FEED.substitute(base=base, items=self._lines(every[:NEWEST], base, FEED_ITEM))
        nav = "".join(f'<a class="section" href="/section/{name}/1.html">{name}</a> ' for name in SECTIONS)
        yield "/", page, LISTING.substitute(title="Bench", nav=nav, items=self._lines(every[:NEWEST], base), more="")
        for first, name in enumerate(SECTIONS):
            parts = _parts(every[first :: len(SECTIONS)], A_SECTION)
            for at, part in enumerate(parts, 1):
                more = f'<a class="next" rel="next" href="/section/{name}/{at + 1}.html">next</a>'
                more = more if at < len(parts) else ""
                text = LISTING.substitute(title=f"{name} {at}", nav=nav, items=self._lines(part, base), more=more)
                yield f"/section/{name}/{at}.html", page, text
        yield from self._sitemaps(base, every)

    def _sitemaps(self, base: str, every: Sequence[int]) -> Iterator[tuple[str, str, str]]:
        maps = {f"/sitemap-{at}.xml": part for at, part in enumerate(_parts(every, A_SITEMAP), 1)}
        for path, part in maps.items():
            yield path, XML, SITEMAP.substitute(items="\n".join(self._url(number, base) for number in part))
        newest = "\n".join(self._url(number, base, news=True) for number in every[:A_SITEMAP])
        yield "/sitemap-news.xml", XML, SITEMAP.substitute(items=newest)
        told = ((path, self._lastmod(part[0])) for path, part in maps.items())
        items = "\n".join(f"<sitemap><loc>{base}{path}</loc>{lastmod}</sitemap>" for path, lastmod in told)
        yield "/sitemap.xml", XML, SITEMAPS.substitute(items=items)

    def _url(self, number: int, base: str, *, news: bool = False) -> str:
        said = NEWS.substitute(time=_iso(self.changed(number)), title=html.escape(self.title(number))) if news else ""
        return f"<url><loc>{base}{self.path(number)}</loc>{self._lastmod(number)}{said}</url>"

    def _lastmod(self, number: int) -> str:
        return f"<lastmod>{_iso(self.changed(number))}</lastmod>" if self.lastmod else ""

    def _lines(self, numbers: Iterable[int], base: str, line: Template = ITEM) -> str:
        return "\n".join(
            line.substitute(
                path=self.path(number),
                url=base + self.path(number),
                title=html.escape(self.title(number)),
                time=_iso(self.changed(number)),
                date=formatdate(self.changed(number)),
            )
            for number in numbers
        )


def usual_folders() -> list[Path]:
    """Of the evaluation data, in `WATCHFLOOR_EVAL` or beside the project."""
    data = Path(os.environ.get("WATCHFLOOR_EVAL") or ROOT / "../shared/eval").resolve() / "data"
    return [data / name for name in SETS]


def saved_pages(folders: Iterable[Path], mean: int = MEAN_BYTES) -> list[Saved]:
    """The pages below these folders (`*.html`, `*.html.gz`), but the largest or the smallest, so that they have about
    that mean size. Raises `ValueError` where there are none."""
    files = [file for folder in folders for file in sorted(folder.rglob("*.htm*")) if file.is_file()]
    pages = [gzip.decompress(data) if file.name.endswith(".gz") else data for file, data in _read(files)]
    if not pages:
        raise ValueError(f"no saved pages in {', '.join(map(str, folders)) or 'no folder'}: name a folder of them")
    return [cut(pages[at]) for at in _of_mean([len(page) for page in pages], mean)]


def _read(files: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    return ((file, file.read_bytes()) for file in files)


def _of_mean(sizes: Sequence[int], mean: int) -> list[int]:
    """Which to take, in their order: without the largest while they are larger, without the smallest while smaller."""
    left = sorted(range(len(sizes)), key=sizes.__getitem__)
    total = sum(sizes)
    large = total > mean * len(left)
    while len(left) > 1 and (total > mean * len(left)) == large:
        total -= sizes[left.pop(-1 if large else 0)]
    return sorted(left)


def _parts(numbers: Sequence[int], size: int) -> list[Sequence[int]]:
    return [numbers[at : at + size] for at in range(0, len(numbers), size)] or [numbers]


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
