"""Thread + Known → Delta: what an export adds to what is stored. Pure.

An export and a page are two witnesses of the same comments, and an import must spoil nothing that a crawl knows:

* An article that is not stored becomes a stub: its title, no text, kind `imported`. A crawl that later fetches the page
  finds that every field differs and fills them in; `article_revisions` keeps the stub. The comments meet by their keys:
  the number that the site gave a comment is the same on its page and in its export.
* Of an article that is stored no field changes. The export has no word of its text, so that it cannot contradict it.
* Nothing is marked gone: an export of last year, or of one author's posts, proves nothing about the rest. Nothing is
  marked returned either: that a comment stands in the export does not put it back on its page. A crawl that reads the
  whole page still marks what is not on it, so that comments the site never showed (`spam`, `held`) are marked gone
  then; they stay stored, judged and in the queue.
* A comment that is stored is edited by an import only under a stub, where all that is known came from exports.
  Elsewhere the page's reading stays: the two spell one text differently (typographic quotes, links made of bare
  addresses), and taking turns would make an edit of it each time. Importing the same file again is therefore empty.
* A crawl reads the page as any other. Where its spelling of an imported comment differs, that is an edit, once: the
  imported version is kept, and a person's decision stays with it.

What the site itself holds for spam or has not approved is told to the reviewer as a reason, and is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from crawler.imports.export import Thread
from crawler.items import Article, Delta, Known, Page, Reason, Verdict
from crawler.source import Source
from crawler.urls import normal
from pipelines.compare import compare
from pipelines.normalise import normalise

STUB = "imported"
"""The kind of an article that no crawl has read."""
MARKS = {"spam": "the site holds it for spam", "held": "the site has not approved it"}
MARK = "marked_by_site"


def addresses(url: str) -> tuple[str, ...]:
    """The spellings under which an article may be stored: sites move to https, and add or drop `www.`, and their
    exports keep the old addresses. The export's own comes first."""
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("www.")
    spelled = (
        urlunsplit(parts._replace(scheme=scheme, netloc=netloc))
        for scheme in dict.fromkeys((parts.scheme, "https", "http"))
        for netloc in dict.fromkeys((parts.netloc, host, f"www.{host}"))
    )
    return tuple(dict.fromkeys(known_by for address in spelled if (known_by := normal(address))))


def imported(thread: Thread, known: Known, url: str, source: Source) -> Delta:
    """What this thread adds, not judged yet. `url` is the address that the article is, or will be, known by."""
    page = normalise(_page(thread, url), asked=url, source=source)
    delta = compare(page, known)
    if known.article_id is None:
        return delta
    stub = known.fields.get("kind") == STUB
    return replace(
        delta,
        known=replace(known, gone=False),
        fields=known.fields,
        changed=(),
        revised=(),
        edited=delta.edited if stub else (),
        returned=(),
        gone=(),
    )


def with_marks(delta: Delta, thread: Thread, verdicts: Mapping[str, Verdict], threshold: float) -> Delta:
    """The delta with its verdicts, each held with a reason of its own where the site has already doubted the comment;
    that reason alone reaches the threshold."""
    keyed = (*delta.new, *delta.edited, *delta.unjudged)
    marks = {k.key: thread.entries[k.comment.position].mark for k in keyed}
    return replace(delta, verdicts={key: _marked(verdict, marks[key], threshold) for key, verdict in verdicts.items()})


def _page(thread: Thread, url: str) -> Page:
    article = Article(
        url=url,
        headline=thread.title,
        sections=(),
        published=thread.published,
        kind=STUB,
        comments_state=thread.state,
    )
    return Page(article=article, comments=tuple(entry.comment for entry in thread.entries))


def _marked(verdict: Verdict, mark: str, threshold: float) -> Verdict:
    if not mark:
        return verdict
    reason = Reason(name=MARK, weight=threshold, note=MARKS[mark])
    score = round(verdict.score + reason.weight, 3)
    return replace(verdict, decision="flagged", score=score, reasons=(*verdict.reasons, reason))
