"""What a response says of itself: its row in the ledger, its kind, its characters."""

from __future__ import annotations

import zlib
from dataclasses import replace

from scrapy.http import Response

from crawler import limits
from crawler.cleaning.charsets import as_stated
from crawler.items import Fetch, Rejected
from crawler.settings import our_version
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


def cleaned_by(source: Source) -> str:
    """The cleaning that a receipt belongs to: another version, or other rules of the source, read the page anew."""
    rules = repr((source.rules, source.language, source.comment_pages, source.comment_routes)).encode()
    return f"{our_version()}+{zlib.crc32(rules):08x}"


def not_html(response: Response) -> Rejected | None:
    """A picture, a document or a feed, as its own header says."""
    stated = _header(response, "Content-Type").partition(";")[0].strip().lower()
    if not stated or "html" in stated or stated in ("text/plain", "application/octet-stream"):
        return None
    return Rejected(reason="not html", detail=stated)


def html_of(response: Response) -> bytes:
    """The page's bytes, with the character set that the header states, where it states one."""
    return as_stated(
        response.body, _header(response, "Content-Type").lower().partition("charset=")[2].partition(";")[0]
    )


def _header(response: Response, name: str) -> str:
    raw = response.headers.get(name) or b""
    return tidy(raw.decode("latin-1"), limits.DETAIL_CHARACTERS)
