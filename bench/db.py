"""The database at size: rows in per CPU second, bytes a row, and how long searches and every query of the pack take.

python -m bench.db [--articles 100000] [--comments 1000000] [--keep FILE]

The articles are made of invented words with the frequencies that words of a language have (Zipf), so that some stand in
every article and most in a few. They are written as the crawl writes them: one transaction an article.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.items import Article, Block, Comment, Delta, Fetch, Known, Link, Moment, Page, Reason, Section, Verdict
from crawler.source import Source
from db import read
from db.connect import SQLITE_VERSION, open_reader
from db.queries import ask, pack
from db.search import search
from db.store import Store
from pipelines.compare import compare

SOURCES = 46
WORDS_AN_ARTICLE = 600
WORDS_A_COMMENT = 35
FLAGGED = 0.02
SEED = 20261122
REPEATS = 20


def main() -> None:
    """Builds the database, asks it, prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--comments", type=int, default=1_000_000)
    parser.add_argument(
        "--keep", type=Path, help="Keep the database here; one that is there already is asked as it is."
    )
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite {SQLITE_VERSION}")
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "bench.db"
        if not path.exists():
            fill(path, given.articles, given.comments)
        measure(path)


def fill(path: Path, articles: int, comments: int) -> None:
    """Writes the database, and prints how fast."""
    words = Words(random.Random(SEED))
    sources = [Source(id=f"s{n:02}", name=f"Source {n}", home=f"https://s{n:02}.example/") for n in range(SOURCES)]
    with Store(path) as store:
        run = store.begin_run(sources, version="bench", now=_at(0))
        bare = written(store, (page(words, n, 0) for n in range(articles // 10)), run)
        _print_rate("articles without comments", articles // 10, bare)
        many = round(comments / (0.9 * articles))
        rest = (page(words, n, many) for n in range(articles // 10, articles))
        spent = written(store, rest, run)
        stored = store.db.execute("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM comments)").fetchone()
        _print_rate(f"articles with {many} comments each", articles - articles // 10, spent)
        size = path.stat().st_size
    print(
        f"{stored[0]:,} articles, {stored[1]:,} comments: {size / 2**20:,.0f} MB, {size / sum(stored):,.0f} bytes a row"
    )


def written(store: Store, deltas: Iterator[tuple[Delta, Fetch]], run: int) -> float:
    """CPU seconds of writing alone."""
    spent = 0.0
    for delta, fetch in deltas:
        begun = time.process_time()
        store.known(delta.page.article.url)
        store.apply(delta, fetch, run_id=run, now=_at(0))
        spent += time.process_time() - begun
    return spent


class Words:
    """Text whose words come as often as words of a language do."""

    def __init__(self, chance: random.Random, vocabulary: int = 40_000) -> None:
        syllables = ["".join(pair) for pair in itertools.product("bdfgklmnprstvz", "aeiou")]
        self.chance = chance
        self.words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(vocabulary)]
        self._weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(vocabulary)))

    def text(self, count: int) -> str:
        """So many words."""
        return " ".join(self.chance.choices(self.words, cum_weights=self._weights, k=count))


def page(words: Words, number: int, comments: int) -> tuple[Delta, Fetch]:
    """One article with its comments, as the stages hand it on: compared and judged."""
    source = number % SOURCES
    url = f"https://s{source:02}.example/2026/{number}/"
    blocks = tuple(Block(kind="paragraph", text=words.text(WORDS_AN_ARTICLE // 12)) for _ in range(12))
    article = Article(
        url=url,
        headline=words.text(9).capitalize(),
        summary=words.text(25),
        sections=(Section(blocks=blocks),),
        authors=(words.text(2).title(),),
        published=Moment(iso=_at(number), raw=_at(number)),
        tags=tuple(words.text(1) for _ in range(3)),
        language="en",
        comments_state="open",
    )
    said = tuple(comment(words, i) for i in range(comments))
    delta = compare(Page(article=article, comments=said), Known())
    verdicts = {keyed.key: verdict(words.chance, keyed.comment) for keyed in delta.new}
    fetch = Fetch(url=url, source_id=f"s{source:02}", outcome="stored", status=200, bytes=100_000)
    return replace(delta, verdicts=verdicts), fetch


def comment(words: Words, position: int) -> Comment:
    """Every fiftieth holds a link."""
    text, author = words.text(WORDS_A_COMMENT), words.text(1)
    if words.chance.random() < FLAGGED:
        text += f" http://{words.text(1)}.example/x"
    return Comment(text=text, author=author, site_id=str(position), position=position)


def verdict(chance: random.Random, of: Comment) -> Verdict:
    """As the rules would give it."""
    start = of.text.find("http://")
    if start < 0:
        return Verdict(decision="clean", score=0.0, reasons=(), links=(), by="rules@bench")
    host = of.text[start + 7 :].partition("/")[0]
    link = Link(start, len(of.text), of.text[start:], of.text[start:], host, host)
    reasons = (Reason(name="link", weight=1.0, start=start, end=len(of.text)),)
    return Verdict(decision="flagged", score=1 + chance.random(), reasons=reasons, links=(link,), by="rules@bench")


def measure(path: Path) -> None:
    """How long each kind of question takes, in milliseconds of wall time."""
    db, words = open_reader(path), Words(random.Random(SEED))
    common, middle, rare = words.words[0], words.words[300], words.words[20_000]
    searches = {
        "a word of every article": common,
        "a common word": words.words[30],
        "a word": middle,
        "a rare word": rare,
        "two words": f"{middle} {words.words[301]}",
        "a phrase": f'"{common} {words.words[1]}"',
        "a beginning": f"{middle[:4]}*",
    }
    print(f"\n{'search':<32} {'p50 ms':>9} {'p95 ms':>9}")
    for name, text in searches.items():
        _print_times(name, lambda text=text: search(db, text, limit=20))  # type: ignore[misc]
    _print_times("latest 20", lambda: read.latest(db, limit=20))
    print(f"\n{'query':<32} {'p50 ms':>9} {'p95 ms':>9}")
    for name, query in pack().items():
        given = {"words": middle} if "words" in query.params else {}
        _print_times(name, lambda query=query, given=given: ask(db, query, given, limit=100))  # type: ignore[misc]


def _print_times(name: str, act: Callable[[], object]) -> None:
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - begun))
        if sum(times) > 20_000:
            break
    times.sort()
    print(f"{name:<32} {statistics.median(times):>9.1f} {times[int(0.95 * (len(times) - 1))]:>9.1f}")


def _print_rate(name: str, count: int, seconds: float) -> None:
    print(f"{name}: {count / seconds:,.0f} a CPU second")


def _at(number: int) -> str:
    """Four articles an hour and source, up to now."""
    return f"{datetime.now(UTC) - timedelta(minutes=number * 15 / 4):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    main()
