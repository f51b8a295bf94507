"""Commands that are filters for other systems: one JSON object a line in, one a line out, in order, flushed."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.options import existing_file, reading
from app.cli.reading import dump
from crawler.items import Comment, Context, Href, Moment, Page, Rejected, Verdict
from crawler.markup import within_limits
from crawler.text import tidy
from crawler.urls import host_of, normal
from db import read
from db.connect import Database

if TYPE_CHECKING:
    from moderation.policy import Policy
    from moderation.rejudge import Under

Row = dict[str, Any]


def clean_lines() -> None:
    """Cleans pages: each line {id, url, html_b64} gives {id, title, body, authors, published, comments}.

    A page that is no article gives {id, rejected}; a line that cannot be read gives {error}.
    """
    _filter(_cleaned)


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help="Read {id, text, …} lines from standard input.")
@click.option("--db", type=existing_file, help="With the domain rules, the model and the history of this database.")
@click.option("--rules", type=existing_file, help="By this rules file, instead of the shipped rules.")
def judge(jsonl: bool, db: Path | None, rules: Path | None) -> None:
    """Judge comments: each line {id, text, html?, author?, author_url?, article_url?} gives
    {id, urls, flagged, score, reasons}; a line that cannot be read gives {error}.

    With --db a comment is judged as a new one would be in a crawl: by what people said of domains, under the source
    that its article_url belongs to, by what was learnt from their decisions, and by what they decided on its links and
    its author. What they say meanwhile counts from the next line on. Nothing is stored.

    \b
    Examples: watchfloor judge --jsonl < comments.jsonl > verdicts.jsonl
              watchfloor judge --jsonl --db news.db < comments.jsonl
    """
    from moderation.policy import default_policy, load_policy

    policy = load_policy(rules) if rules else default_policy()
    if db is None:
        return _filter(lambda row: _judged(row, policy))
    with reading(db) as database:
        _filter(_Informed(database, policy).judged)


def _filter(answer: Callable[[Row], Row]) -> None:
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.write(_answered(line, answer) + "\n")
            sys.stdout.flush()


def _answered(line: bytes, answer: Callable[[Row], Row]) -> str:
    """The line that answers this one. What came as `id` goes back as it was, so that it must be JSON both ways."""
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            return dump({"error": "not a JSON object"})
        id = row.get("id")
        json.dumps([[[id]]], allow_nan=False)  # deeper than it will stand in the answer
    except (ValueError, RecursionError) as e:
        return dump({"error": f"not JSON: {e}"})
    try:
        return dump({"id": id, **answer(row)})
    except KeyError as e:
        return dump({"id": id, "error": f"{e.args[0]} is missing"})
    except (TypeError, ValueError, RecursionError) as e:
        return dump({"id": id, "error": str(e)})


def _cleaned(row: Row) -> Row:
    from crawler.cleaning import clean as clean_page

    page = clean_page(base64.b64decode(row["html_b64"]), str(row.get("url") or ""))
    return {"rejected": page.reason} if isinstance(page, Rejected) else _page(page)


def _page(page: Page) -> Row:
    article = page.article
    return {
        "title": article.headline,
        "body": article.running_text,
        "authors": list(article.authors),
        "published": _iso(article.published),
        "comments": [_comment(c) for c in page.comments],
    }


def _comment(comment: Comment) -> Row:
    return {
        "author": comment.author,
        "author_url": comment.author_url,
        "posted": _iso(comment.posted),
        "text": comment.text,
        "parent": comment.parent,
        "links": [link.url for link in comment.links],
        "kind": comment.kind,
    }


def _iso(moment: Moment | None) -> str | None:
    return (moment.iso or moment.raw) if moment else None


def _judged(row: Row, policy: Policy) -> Row:
    from moderation.policy import judge as judge_comment

    return _verdict(judge_comment(_given(row), _context(row), policy))


class _Informed:
    """Judges with what a database knows, read anew when it has changed."""

    def __init__(self, db: Database, policy: Policy) -> None:
        self.db, self.policy, self._seen = db, policy, 0

    def judged(self, row: Row) -> Row:
        """The answer to one line."""
        from moderation.rejudge import Bench

        (version,) = self.db.execute("PRAGMA data_version").fetchone()
        if version != self._seen:
            self._bench, self._seen = Bench(self.db, self.policy), version
            self._sources = {host_of(known["home"]): id for id, known in read.sources(self.db).items()}
        comment, above = _given(row), self._above(row)
        self._bench.learn((comment,), above.id)
        return _verdict(self._bench.judge(comment, above))

    def _above(self, row: Row) -> Under:
        """The article that the line names, as it is stored; or no more than its address and the source's host."""
        from moderation.rejudge import Under, under

        url = tidy(str(row.get("article_url") or ""))
        stored = read.article_above(self.db, normal(url) or url) if url else None
        hosts = frozenset(filter(None, (host_of(url), host_of(stored["home"]) if stored else "")))
        if stored:
            return under(stored, source=stored["source_id"], own_hosts=hosts, url=url, id=stored["id"])
        source = self._sources.get(host_of(url)) or self._sources.get(host_of(url).removeprefix("www."), "")
        return Under(source=source, own_hosts=hosts, url=url)


def _verdict(verdict: Verdict) -> Row:
    urls = [
        {"start": k.start, "end": k.end, "text": k.text, "url": k.url, "disguise": k.disguise} for k in verdict.links
    ]
    reasons = [{"name": r.name, "weight": r.weight, "start": r.start, "end": r.end} for r in verdict.reasons]
    return {"urls": urls, "flagged": verdict.decision == "flagged", "score": verdict.score, "reasons": reasons}


def _given(row: Row) -> Comment:
    """The comment of a line. Spans in the answer refer to `text` as it was given, so that it is not tidied here."""
    text = row.get("text")
    if not isinstance(text, str):
        raise ValueError("text must be a text")
    return Comment(
        text=text,
        author=tidy(str(row.get("author") or "")),
        author_url=tidy(str(row.get("author_url") or "")),
        links=_hrefs(str(row.get("html") or ""), str(row.get("article_url") or "")),
    )


def _hrefs(html: str, base: str) -> tuple[Href, ...]:
    if not html:
        return ()
    from bs4 import BeautifulSoup

    markup, _ = within_limits(html)
    anchors = BeautifulSoup(markup, "lxml").find_all("a", href=True)
    return tuple(Href(url=str(a["href"]), text=a.get_text(" ", strip=True)) for a in anchors)


def _context(row: Row) -> Context:
    url = str(row.get("article_url") or "")
    host = host_of(url)
    return Context(own_hosts=frozenset({host}) if host else frozenset(), article_url=url)
