"""What a response says of itself: its row in the ledger, its kind, its characters."""

from __future__ import annotations

from dataclasses import replace

from scrapy.http import Response

from crawler import limits
from crawler.gathering import Got
from crawler.items import Fetch
from crawler.settings import cleaned_by
from crawler.source import Source
from crawler.text import tidy
from crawler.urls import normal


def seen(response: Response, source: Source) -> Fetch:
    """The ledger's row for an answer, its outcome still open."""
    fetch = response.meta.get("fetch") or Fetch(url=normal(response.url), source_id=source.id, outcome="failed")
    final = normal(response.url)
    return replace(
        fetch,
        status=response.status,
        final_url=final if final != fetch.url else "",
        bytes=len(response.body),
        etag=_header(response, "ETag"),
        last_modified=_header(response, "Last-Modified"),
        cleaned_by=cleaned_by(source),
    )


def got(response: Response) -> Got:
    """The answer, as far as reading it goes."""
    return Got(url=response.url, body=response.body, content_type=_header(response, "Content-Type"))


def _header(response: Response, name: str) -> str:
    raw = response.headers.get(name) or b""
    return tidy(raw.decode("latin-1"), limits.DETAIL_CHARACTERS)
