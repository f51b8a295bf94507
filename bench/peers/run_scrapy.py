"""What one would put together: Scrapy's sitemap spider, BeautifulSoup for the title, trafilatura for the text and the
metadata, sqlite-utils for one table with a full-text index, each item committed when it comes.

    PYTHON run_scrapy.py URL FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlite_utils
import trafilatura
from bs4 import BeautifulSoup
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from scrapy.spiders import SitemapSpider

AT_ONCE = 32


class Store:
    """The pipeline's last stage."""

    def open_spider(self) -> None:
        self.db = sqlite_utils.Database(FOLDER / "articles.db")
        self.db.enable_wal()
        columns = dict.fromkeys(("url", "title", "text", "author", "date", "etag", "last_modified"), str)
        self.table = self.db["articles"].create(columns, pk="url")
        self.table.enable_fts(["title", "text"], create_triggers=True)

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        with self.db.conn:
            self.table.upsert(item, pk="url")
        return item

    def close_spider(self) -> None:
        self.db.close()


class Spider(SitemapSpider):
    """Every page of the sitemaps that robots.txt names."""

    name = "bench"
    sitemap_rules = ((r"/news/", "parse"),)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sitemap_urls = [f"{URL}/robots.txt"]

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        soup = BeautifulSoup(response.body, "lxml")
        found = trafilatura.bare_extraction(response.text, url=response.url, with_metadata=True)
        told = found.as_dict() if found else {}
        yield {
            "url": response.url,
            "title": told.get("title") or (soup.title.get_text(" ", strip=True) if soup.title else ""),
            "text": told.get("text") or "",
            "author": told.get("author"),
            "date": told.get("date"),
            "etag": response.headers.get("ETag", b"").decode(),
            "last_modified": response.headers.get("Last-Modified", b"").decode(),
        }


if __name__ == "__main__":
    URL, FOLDER = sys.argv[1], Path(sys.argv[2])
    process = AsyncCrawlerProcess(
        {
            "CONCURRENT_REQUESTS": AT_ONCE,
            "CONCURRENT_REQUESTS_PER_DOMAIN": AT_ONCE,
            "ITEM_PIPELINES": {Store: 300},
            "LOG_LEVEL": "WARNING",
            "ROBOTSTXT_OBEY": True,
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(Spider)
    process.start()
