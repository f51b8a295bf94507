"""Commands that are filters for other systems: one JSON object a line in, one a line out, in order, flushed."""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Callable
from typing import Any

import click

from app.cli.reading import dump
from crawler.items import Comment, Context, Href, Moment, Page, Rejected
from crawler.text import tidy
from crawler.urls import host_of

Row = dict[str, Any]


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help="Read {id, url, html_b64} lines from standard input.")
def clean(jsonl: bool) -> None:
    """Clean pages: each line {id, url, html_b64} gives {id, title, body, authors, published, comments}.

    A page that is no article gives {id, rejected}; a line that cannot be read gives {error}.

    \b
    Example: watchfloor clean --jsonl < pages.jsonl > articles.jsonl
    """
    _filter(_cleaned)


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help="Read {id, text, …} lines from standard input.")
def judge(jsonl: bool) -> None:
    """Judge comments: each line {id, text, html?, author?, author_url?, article_url?} gives
    {id, urls, flagged, score, reasons}; a line that cannot be read gives {error}.

    \b
    Example: watchfloor judge --jsonl < comments.jsonl > verdicts.jsonl
    """
    _filter(_judged)


def _filter(answer: Callable[[Row], Row]) -> None:
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.write(dump(_answered(line, answer)) + "\n")
            sys.stdout.flush()


def _answered(line: bytes, answer: Callable[[Row], Row]) -> Row:
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            return {"error": "not a JSON object"}
    except (ValueError, RecursionError) as e:
        return {"error": f"not JSON: {e}"}
    try:
        return {"id": row.get("id"), **answer(row)}
    except (KeyError, TypeError, ValueError, binascii.Error) as e:
        return {"id": row.get("id"), "error": f"{type(e).__name__}: {e}"}


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


def _judged(row: Row) -> Row:
    from moderation.policy import default_policy
    from moderation.policy import judge as judge_comment

    verdict = judge_comment(_given(row), _context(row), default_policy())
    urls = [
        {"start": k.start, "end": k.end, "text": k.text, "url": k.url, "disguise": k.disguise} for k in verdict.links
    ]
    reasons = [{"name": r.name, "weight": r.weight, "start": r.start, "end": r.end} for r in verdict.reasons]
    return {"urls": urls, "flagged": verdict.decision == "flagged", "score": verdict.score, "reasons": reasons}


def _given(row: Row) -> Comment:
    """The comment of a line. Spans in the answer refer to `text` as it was given, so that it is not tidied here."""
    return Comment(
        text=str(row["text"]),
        author=tidy(str(row.get("author") or "")),
        author_url=tidy(str(row.get("author_url") or "")),
        links=_hrefs(str(row.get("html") or ""), str(row.get("article_url") or "")),
    )


def _hrefs(html: str, base: str) -> tuple[Href, ...]:
    if not html:
        return ()
    from bs4 import BeautifulSoup

    anchors = BeautifulSoup(html, "lxml").find_all("a", href=True)
    return tuple(Href(url=str(a["href"]), text=a.get_text(" ", strip=True)) for a in anchors)


def _context(row: Row) -> Context:
    url = str(row.get("article_url") or "")
    host = host_of(url)
    return Context(own_hosts=frozenset({host}) if host else frozenset(), article_url=url)
