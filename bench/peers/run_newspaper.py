"""newspaper4k: `fetch_news` over a list of addresses, in threads, as its documentation shows; one JSON object a line.

    PYTHON run_newspaper.py ADDRESSES FOLDER

It is given the addresses: what it does to find articles knows no sitemaps. Pictures are not fetched.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import newspaper
from newspaper.mthreading import fetch_news

THREADS = 8
AT_ONCE = 50
"""Articles, each of which keeps its parsed page as long as it lives."""


def main(addresses: Path, folder: Path) -> None:
    """Fetches, reads and writes them."""
    settings = newspaper.Config()
    settings.language = (
        "en"  # else a Japanese page ends it: a tokenizer that it wants for each language is not installed
    )
    settings.fetch_images, settings.memorize_articles, settings.request_timeout = False, False, 30
    urls = addresses.read_text().split()
    with (folder / "articles.jsonl").open("w") as out:
        for at in range(0, len(urls), AT_ONCE):
            wanted = [newspaper.Article(url, config=settings) for url in urls[at : at + AT_ONCE]]
            for article in fetch_news(wanted, threads=THREADS):
                told = {"url": article.url, "title": article.title, "text": article.text, "authors": article.authors}
                out.write(json.dumps({**told, "date": str(article.publish_date or "")}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
