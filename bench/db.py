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
from db import indexing, read, stories
from db.connect import SQLITE_VERSION, open_reader
from db.queries import ask, pack
from db.search import search
from db.store import Store
from pipelines.compare import compare

SOURCES = 46
WORDS_AN_ARTICLE = 600
WORDS_A_COMMENT = 35
FLAGGED = 0.02
LAST = 1_000
"""Articles that are compared when all others are there."""
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
        rest = (page(words, n, many) for n in range(articles // 10, articles - LAST))
        spent = written(store, rest, run)
        _print_each("stories, an article of all but the last", articles - LAST, grouped(store, run))
        written(store, (page(words, n, many) for n in range(articles - LAST, articles)), run)
        _print_each(f"stories, an article of the last {LAST}", LAST, grouped(store, run))
        stored = store.db.execute("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM comments)").fetchone()
        _print_rate(f"articles with {many} comments each", articles - articles // 10 - LAST, spent)
        size = path.stat().st_size
    print(
        f"{stored[0]:,} articles, {stored[1]:,} comments: {size / 2**20:,.0f} MB, {size / sum(stored):,.0f} bytes a row"
    )


def written(store: Store, deltas: Iterator[tuple[Delta, Fetch]], run: int) -> float:
    """CPU seconds of writing and of the search index; the stories are left for `grouped`."""
    spent, indexing.STEPS = 0.0, (indexing.index_articles, indexing.index_comments)
    for delta, fetch in deltas:
        begun = time.process_time()
        store.known(delta.page.article.url)
        store.apply(delta, fetch, run_id=run, now=delta.page.article.published.iso)
        spent += time.process_time() - begun
    begun = time.process_time()
    store.index(run_id=run, now=_at(0))
    return spent + time.process_time() - begun


def grouped(store: Store, run: int) -> float:
    """CPU seconds of comparing what is stored with all the rest, for stories."""
    begun, indexing.STEPS = time.process_time(), (stories.group,)
    store.index(run_id=run, now=_at(0))
    return time.process_time() - begun


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
    said = tuple(comment(words, i, number) for i in range(comments))
    delta = compare(Page(article=article, comments=said), Known())
    verdicts = {keyed.key: verdict(words.chance, keyed.comment) for keyed in delta.new}
    fetch = Fetch(url=url, source_id=f"s{source:02}", outcome="stored", status=200, bytes=100_000)
    return replace(delta, verdicts=verdicts), fetch


def comment(words: Words, position: int, article: int) -> Comment:
    """Every fiftieth holds a link. Each was posted within a few days after its article."""
    text, author = words.text(WORDS_A_COMMENT), words.text(1)
    if words.chance.random() < FLAGGED:
        text += f" http://{words.text(1)}.example/x"
    posted = _at(max(0, article - words.chance.randrange(1_000)))
    return Comment(
        text=text, author=author, site_id=str(position), position=position, posted=Moment(iso=posted, raw=posted)
    )


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
    middle = words.words[300]
    for subject in ("articles", "comments"):
        print(f"\n{f'search of {subject}':<32} {'p50 ms':>9} {'p95 ms':>9}")
        for name, text in searches(words.words, subject).items():
            _print_times(name, lambda text=text, of=subject: search(db, text, limit=20, subject=of))  # type: ignore[misc]
    _print_times("latest 20", lambda: read.latest(db, limit=20))
    print(f"\n{'query':<32} {'p50 ms':>9} {'p95 ms':>9}")
    for name, query in pack().items():
        given = {"words": middle} if "words" in query.params else {}
        _print_times(name, lambda query=query, given=given: ask(db, query, given, limit=100))  # type: ignore[misc]


def searches(words: list[str], subject: str) -> dict[str, str]:
    """Every kind of search: of words, the first of which are the most common, and of filters."""
    all_have, common, middle, rare = words[0], words[30], words[300], words[20_000]
    kinds = {
        "a word of all": all_have,
        "a common word": common,
        "a word": middle,
        "a rare word": rare,
        "a word that nobody wrote": "xyzzy",
        "two words": f"{middle} {words[301]}",
        "a common and a rare word": f"{all_have} {rare}",
        "ten common words": " ".join(words[:10]),
        "a phrase of common words": f'"{all_have} {words[1]}"',
        "a rare phrase of common words": f'"{words[20]} {words[21]}"',
        "a beginning of 4 letters": f"{middle[:4]}*",
        "a beginning of 2 letters": f"{middle[:2]}*",
        "a beginning of 1 letter": f"{middle[:1]}*",
        "a word and a short beginning": f"{middle} {middle[:1]}*",
        "a rare word, a short beginning": f"{rare} {middle[:1]}*",
        "without a common word": f"{common} -{words[31]}",
        "without a short beginning": f"{common} -{middle[:1]}*",
        "by somebody": f"{all_have} by:{middle}",
        "by a beginning": f"by:{middle[:3]}*",
        "in one source": f"{all_have} source:s03",
        "a word in one source": f"{middle} source:s03",
        "a rare phrase in one source": f'"{words[20]} {words[21]}" source:s03',
        "in all sources but two": f"{common} -source:s03 -source:s04",
        "in a language": f"{common} lang:en",
        "in no language": f"{common} lang:xx",
        "of a week": f"{common} since:7d",
        "of long ago": f"{common} until:200d",
        "of a source and a time": f"{common} source:s03 since:60d until:30d",
        "a source alone": "source:s03",
        "a time alone": "since:7d until:2d",
        "a source without a word": f"source:s03 -{common}",
    }
    if subject == "articles":
        kinds["in headlines"] = f"title:{middle}"
        kinds["in headlines, a rare word"] = f"title:{rare} {all_have}"
    return kinds


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


def _print_each(name: str, count: int, seconds: float) -> None:
    print(f"{name}: {1000 * seconds / count:.1f} ms of CPU")


def _print_rate(name: str, count: int, seconds: float) -> None:
    print(f"{name}: {count / seconds:,.0f} a CPU second")


def _at(number: int) -> str:
    """Four articles an hour and source, up to now."""
    return f"{datetime.now(UTC) - timedelta(minutes=number * 15 / 4):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    main()
