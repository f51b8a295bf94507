"""The vocabulary: every value that passes through a door.

All values are frozen. Times are `Moment`s, text is `str` already cleared of NUL, lone surrogates and
control characters other than newline and tab. Nothing here decides anything or imports anything of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

CommentsState = Literal["open", "closed", "none", "script", "unknown"]
CommentKind = Literal["comment", "pingback", "trackback"]
BlockKind = Literal["paragraph", "item", "quote", "row", "caption", "code"]
ListingKind = Literal["feed", "sitemap", "section"]
FieldValue = str | int | None
RunKind = Literal["crawl", "import", "replay"]
Outcome = Literal["read", "stored", "unchanged", "rejected", "failed", "skipped", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time as a site gave it, and what it means."""

    iso: str
    """`2024-12-23T10:00:00Z` where the zone is known, `2024-12-23T10:00:00` where it is not, `2024-12-23` for a bare
    day; empty where the raw text could not be understood."""
    raw: str
    """The text it was read from, untouched."""

    @property
    def zoned(self) -> bool:
        """True when the instant is certain: the site gave a zone."""
        return self.iso.endswith("Z")


# ---- what a listing said -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A link that a listing offered as an article."""

    url: str
    listing: str
    """URL of the feed, sitemap or section page it was found on."""
    title: str = ""
    published: Moment | None = None
    lastmod: Moment | None = None
    """When the listing says the page last changed (sitemaps)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one feed, sitemap or section page amounted to."""

    kind: ListingKind
    links: tuple[Found, ...] = ()
    more: tuple[str, ...] = ()
    """Further listings it points to: child sitemaps, the next page of a section."""
    left_out: int = 0
    """Links beyond the cap, not taken up."""
    problem: str = ""
    """Why it is not the listing it should be; empty when all is well."""


# ---- what a page said ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One paragraph, list item, quote, table row, caption or code block, as plain text."""

    kind: BlockKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it, in reading order. The part before the first heading has none."""

    heading: str = ""
    level: int = 0
    """1 to 6 as in the page; 0 without a heading."""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Href:
    """A hyperlink as the page has it: absolute URL and the text it stands behind."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where the value of a field came from, one row for each place that had one."""

    field: str
    """`headline`, `authors`, `published`, …"""
    origin: str
    """`json-ld`, `microdata`, `meta og:title`, `h1`, `time`, `url`, `feed`, `sitemap`, …"""
    raw: str
    """The value as it stood there."""
    chosen: bool = False
    """True for the one that was believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Something that a limit left out. Never silent: each one is stored."""

    limit: str
    """The limit's name in `crawler.limits`."""
    kept: int
    left_out: int
    unit: str
    """`comments`, `characters`, `levels`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article, cleaned."""

    url: str
    """The address it is known by: its canonical URL when that is on the same host, else where it was found."""
    headline: str
    sections: tuple[Section, ...]
    canonical_url: str = ""
    """As the page states it, on whatever host: evidence, never a key."""
    summary: str = ""
    authors: tuple[str, ...] = ()
    published: Moment | None = None
    modified: Moment | None = None
    site_name: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    """BCP 47, lower case, `en` or `en-us`; empty when unknown."""
    image_url: str = ""
    image_caption: str = ""
    kind: str = "article"
    """`article`, `live blog`, `forum thread`."""
    paywalled: bool | None = None
    comments_state: CommentsState = "unknown"
    links: tuple[Href, ...] = ()
    """The links that the article itself makes."""
    evidence: tuple[Evidence, ...] = ()

    @property
    def body(self) -> str:
        """The text in reading order, headings included, blocks divided by an empty line."""
        return body_text(self.sections)

    @property
    def running_text(self) -> str:
        """The body without captions: what a reader reads from top to bottom."""
        running = (replace(s, blocks=tuple(b for b in s.blocks if b.kind != "caption")) for s in self.sections)
        return body_text(tuple(running))


def body_text(sections: tuple[Section, ...]) -> str:
    """Sections as one text, headings included, blocks divided by an empty line."""
    parts = (part for s in sections for part in (s.heading, *(b.text for b in s.blocks)))
    return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One reader comment, as the page has it."""

    text: str
    """Visible text, paragraphs divided by an empty line, characters untouched."""
    author: str = ""
    author_url: str = ""
    posted: Moment | None = None
    links: tuple[Href, ...] = ()
    site_id: str = ""
    """The id that the site gave it; empty without one."""
    parent: int | None = None
    """Index of the comment it replies to among the comments of the same page; always a smaller one."""
    parent_site_id: str = ""
    """The site's id of the comment it replies to, also when that one is not on this page."""
    depth: int = 0
    """0 for a top-level comment."""
    position: int = 0
    """Place on the page, from 0, in reading order."""
    kind: CommentKind = "comment"
    edited: bool = False
    deleted: bool = False
    by_staff: bool = False
    cut: int = 0
    """Characters beyond the limit that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page amounted to: one article and its comments."""

    article: Article
    comments: tuple[Comment, ...] = ()
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A page that is no article, and why. An expected outcome, not an error."""

    reason: str
    """A short name: `no text`, `index page`, `bot wall`, `error page`, `redirect stub`, `not html`, `too deep`, …"""
    detail: str = ""


# ---- moderation ----------------------------------------------------------------------------------


class Link(NamedTuple):
    """A link in a comment, however disguised. A tuple, because comments are searched by the hundred thousand."""

    start: int
    """Span in the comment's stored text. For a link that is not in the text (an href, the author's URL) both are 0
    or the span of the words it hides behind."""
    end: int
    text: str
    """What the comment says: `text[start:end]`, or the raw address for one that is not in the text."""
    url: str
    """The address meant, with a scheme."""
    host: str
    """Lower case, IDN as punycode; empty for `mailto:` and channel handles."""
    domain: str
    """Registrable domain, private suffixes on (`blogspot.com` is a suffix); the address itself for an IP."""
    place: Literal["text", "href", "author"] = "text"
    disguise: str = ""
    """How it was disguised: `dot word`, `zero width`, `homoglyph`, …; empty for a plain one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A signal that fired, and where."""

    name: str
    weight: float
    start: int = 0
    end: int = 0
    """Span in the comment's stored text; 0, 0 when it speaks of the whole comment."""
    note: str = ""
    """What a reviewer should know: the domain, the rule, the earlier decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known around a comment when it is judged."""

    own_hosts: frozenset[str] = frozenset()
    """The hosts of the source it hangs under."""
    article_url: str = ""
    article_hosts: frozenset[str] = frozenset()
    """Hosts that the article itself links to."""
    decided_before: str = ""
    """`spam` or `ok` when a person decided on an earlier version of this comment."""
    domain_spam: frozenset[str] = frozenset()
    """Registrable domains of its links for which people found another comment spam."""
    domain_ok: frozenset[str] = frozenset()
    """Registrable domains of its links with which people found another comment ok."""
    author_spam: int = 0
    """Other comments under the same name that people found spam."""
    same_text: int = 0
    """Comments under other articles with the same text, small changes aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules think of a comment."""

    decision: Literal["flagged", "clean"]
    score: float
    """Higher is worse; orders the queue."""
    reasons: tuple[Reason, ...]
    links: tuple[Link, ...]
    by: str
    """`rules@VERSION` or `model@VERSION`."""


# ---- what we knew, and what we will write --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownComment:
    """A stored comment, as far as comparing needs it."""

    id: int
    revision: int
    fingerprint: str
    """Of what a reader sees: author, text, links."""
    gone: bool
    judged_by: str
    """Who gave the verdict that the rules last gave on this revision; empty for none."""
    decided: str
    """`spam` or `ok` where a person's decision stands on any revision of it; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database knew of an article before this visit."""

    article_id: int | None = None
    revision: int = 0
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """The stored article as `pipelines.compare.article_fields` gives it; empty without one."""
    gone: bool = False
    comments: Mapping[str, KnownComment] = field(default_factory=dict)
    """By the comment's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A comment with what it is known by."""

    key: str
    parent_key: str | None
    fingerprint: str
    comment: Comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What one visit changes. Compared per record: an unchanged article can carry a new comment."""

    page: Page
    known: Known
    fields: Mapping[str, FieldValue]
    """The article as the database will have it."""
    changed: tuple[str, ...] = ()
    """Names of the fields that differ; all of them for a new article, none for an unchanged one."""
    revised: tuple[str, ...] = ()
    """Those of them whose change makes a stored article another version; none for a new one."""
    new: tuple[Keyed, ...] = ()
    """Comments never seen before, in reading order: a parent before its replies."""
    edited: tuple[Keyed, ...] = ()
    returned: tuple[Keyed, ...] = ()
    """Comments that had been marked gone and are there again, unchanged."""
    unjudged: tuple[Keyed, ...] = ()
    """Stored comments that no rule has judged in their present version."""
    gone: tuple[str, ...] = ()
    """Keys of stored comments that are no longer on the page."""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """By the comment's key, for the new, the edited and the unjudged."""

    @property
    def empty(self) -> bool:
        """True when the visit found nothing that the database does not already say."""
        return not (self.changed or self._comments or self.known.gone)

    @property
    def news(self) -> bool:
        """True when a reader would see a difference: not for a picture's address or a tag that flips."""
        return bool(self.known.article_id is None or self.revised or self._comments or self.known.gone)

    @property
    def _comments(self) -> bool:
        return bool(self.new or self.edited or self.returned or self.unjudged or self.gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a site gave with a page, to ask next time whether it changed."""

    etag: str
    last_modified: str
    bytes: int = 0
    """Size of the page when it last came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a run, by name."""

    name: str
    """One of `crawler.health.PROBLEMS`."""
    source: str
    """Id of the source; empty when it concerns the whole run."""
    detail: str
    since: int = 0
    """Number of the run since which it holds; 0 where that was not told."""
    field: str = ""
    """For a field that drifts: which one."""
    good_url: str = ""
    """For a field that drifts: the last page that had it."""
    bad_url: str = ""
    """For a field that drifts: the first page that did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTally:
    """What one run did at one source, in numbers. The names are the columns of `run_sources`."""

    listings: int = 0
    listings_failed: int = 0
    links: int = 0
    fetched: int = 0
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    rejected: int = 0
    failed: int = 0
    blocked: int = 0
    skipped: int = 0
    not_due: int = 0
    gone: int = 0
    comments_new: int = 0
    comments_flagged: int = 0
    requests: int = 0
    not_modified: int = 0
    bytes: int = 0
    bytes_saved: int = 0
    delay_asked: float = 0.0
    delay_kept: float | None = None
    seconds: float = 0.0
    resting: int = 0
    redesigned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldCount:
    """How many articles of one run at one source had a field. Each article speaks once for each field, and again when
    what it has changes: one page that is read twenty times is still one page."""

    run_id: int = 0
    at: str = ""
    """UTC: when the run began."""
    read: int = 0
    filled: int = 0
    filled_url: str = ""
    """The last that had it."""
    missing_url: str = ""
    """The first that did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What one run met at one source, as far as its numbers do not say it."""

    listings_html: int = 0
    """Of the failed listings: an HTML page stands where a feed or sitemap should be."""
    listings_blocked: int = 0
    """Of the failed listings: we were kept from them."""
    walls: int = 0
    """Of the blocked pages: a wall against crawlers that answered as if all were well."""
    because: Mapping[str, str] = field(default_factory=dict)
    """What failures of a sort had in common, in words for the operator, by sort: `listing`, `html`, `blocked`,
    `page`, `rejected`."""
    fields: Mapping[str, FieldCount] = field(default_factory=dict)
    """By name of the field."""
    redesign: str = ""
    """What nearly all known articles that were read again share in how they changed, in words; empty for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """What one finished run did at one source."""

    run_id: int
    at: str
    """UTC: when it ended."""
    tally: SourceTally
    others_gave: bool = True
    """True when another source gave something in it: then the network was there."""
    problems: tuple[Problem, ...] = ()
    """What it named of this source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a source did before this run. Only crawls that came to their end count; those in which it rested do not."""

    visits: int = 0
    """Finished runs over it, of the last few hundred."""
    most: int = 0
    """The most articles it gave in one of them, new or not."""
    runs: tuple[PastRun, ...] = ()
    """The last of them, the latest at the end."""
    arrivals: tuple[str, ...] = ()
    """UTC: when runs found something new, at most one an hour, the latest at the end; only for a source that was silent
    for days before this run."""
    fields: Mapping[str, tuple[FieldCount, ...]] = field(default_factory=dict)
    """By name of the field, for those that are in doubt: runs that read something, the latest at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run amounted to."""

    status: Literal["ok", "trouble", "failed", "interrupted"]
    exit_code: int
    tallies: Mapping[str, SourceTally]
    """By source."""
    problems: tuple[Problem, ...]
    fields: Mapping[str, Mapping[str, FieldCount]] = field(default_factory=dict)
    """By source and name of the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One row of the ledger: what became of a URL that discovery took up."""

    url: str
    source_id: str
    outcome: Outcome
    """`read` for a listing, `stored` or `unchanged` for an article; the others say why there is none."""
    kind: Literal["page", "listing"] = "page"
    reason: str = ""
    """A short name for every outcome that is not a success."""
    detail: str = ""
    status: int | None = None
    """HTTP status, where there was one."""
    final_url: str = ""
    """Where redirects ended, when elsewhere."""
    found_on: str = ""
    bytes: int = 0
    etag: str = ""
    last_modified: str = ""
    cleaned_by: str = ""
    """The version of the cleaning that `etag` and `last_modified` belong to."""
    lastmod: str = ""
    """When the listing said that the page had changed last; empty where it did not say."""
    links_found: int = 0
    """For a listing: links it offered."""
    links_left_out: int = 0
    """For a listing: links beyond the cap."""
