"""fundus with a publisher made for the site: it reads nothing else. Body from all paragraphs, title and authors from
the page's own metadata; one JSON object a line.

    PYTHON run_fundus.py URL FOLDER PAGES
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fundus import Crawler, Sitemap
from fundus.parser import BaseParser, ParserProxy, attribute
from fundus.parser.utility import (
    extract_article_body_with_selector,
    generic_author_parsing,
    generic_date_parsing,
)
from fundus.publishers.base_objects import Publisher
from lxml.cssselect import CSSSelector


class Parser(ParserProxy):
    """As one is written for each publisher."""

    class V1(BaseParser):
        _paragraphs = CSSSelector("p")

        @attribute
        def body(self) -> Any:
            return extract_article_body_with_selector(self.precomputed.doc, paragraph_selector=self._paragraphs)

        @attribute
        def authors(self) -> Any:
            return generic_author_parsing(self.precomputed.ld.bf_search("author"))

        @attribute
        def publishing_date(self) -> Any:
            return generic_date_parsing(self.precomputed.ld.bf_search("datePublished"))

        @attribute
        def title(self) -> Any:
            return self.precomputed.meta.get("og:title")


def main(url: str, folder: Path, pages: int) -> None:
    """Crawls the sitemap in one thread: of several, each waits for a publisher of its own."""
    sources = [Sitemap(f"{url}/sitemap.xml", recursive=True)]
    publisher = Publisher(name="Bench", domain=f"{url}/", parser=Parser, sources=sources)
    crawler = Crawler(publisher, threading=False, ignore_crawl_delay=True, delay=0.0)
    with (folder / "articles.jsonl").open("w") as out:
        for article in crawler.crawl(only_complete=False, max_articles=pages, error_handling="suppress", timeout=30):
            told = {"url": article.html.requested_url, "title": article.title, "text": article.plaintext or ""}
            out.write(json.dumps({**told, "authors": article.authors}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
