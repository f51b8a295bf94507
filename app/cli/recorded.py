"""One page of each source that was added, as it came, and how it was read then: does it still read like that?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crawler.cleaning import clean
from crawler.items import Rejected
from crawler.source import Source, SourceError

Reading = dict[str, Any]


def record(home: Path, source: Source, url: str, html: bytes) -> Reading:
    """Keeps a page beside the user's sources, with how it is read now. Raises `SourceError`."""
    page, told = _files(home, source.id)
    reading = read(source, url, html)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(html)
        told.write_text(json.dumps({"url": url, **reading}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as e:
        raise SourceError(f"{page}: {e.strerror or e}") from None
    return reading


def differences(home: Path, source: Source) -> list[str] | None:
    """What of the recorded page is read differently now, a line each; None where no page is recorded."""
    page, told = _files(home, source.id)
    try:
        then = json.loads(told.read_text("utf-8"))
        now = read(source, then.pop("url"), page.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as e:
        return [f"{told}: cannot be used: {e}"]
    return [f"{name}: was {then.get(name)!r}, is {value!r}" for name, value in now.items() if then.get(name) != value]


def read(source: Source, url: str, html: bytes) -> Reading:
    """What is compared: the fields of the article in short."""
    page = clean(html, url, source)
    if isinstance(page, Rejected):
        return {"rejected": page.reason}
    article = page.article
    return {
        "headline": article.headline,
        "authors": list(article.authors),
        "published": article.published.iso if article.published else "",
        "words": len(article.body.split()),
        "comments": len(page.comments),
    }


def _files(home: Path, id: str) -> tuple[Path, Path]:
    folder = home / "sources" / "pages"
    return folder / f"{id}.html", folder / f"{id}.json"
