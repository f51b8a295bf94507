"""The review desk at size: how long its pages take, how soon the next comment is there, and what two reviewers lose
while a crawl writes at full speed.

python -m bench.desk --db FILE [--times 40] [--seconds 20]

FILE is a copy of a database that `python -m bench.db --keep FILE` made; decisions are written into it. The server is
`watchfloor serve` in a process of its own; times are wall times of whole answers over loopback. The last two parts need
Chromium and, for the crawl, write articles as `bench.db` does.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import db as size
from db.connect import CRAWL_WAIT_SECONDS, open_reader
from db.read import rows_of

WARM_SECONDS = 60


def main() -> None:
    """Prints three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    with served(given.db) as base, client(base) as asking:
        begun = time.perf_counter()
        while "being read" in asking.get("/review").text and time.perf_counter() - begun < WARM_SECONDS:
            time.sleep(0.2)
        print(f"the queue was read {time.perf_counter() - begun:.1f} s after the server answered\n")
        pages(given.db, base, asking, given.times)
        keys(base, asking, given.times)
        decide_while_writing(given.db, base, asking, given.seconds)


@contextmanager
def served(db: Path) -> Iterator[str]:
    """The server, and the address that lets in."""
    command = [sys.executable, "-m", "app.cli.main", "serve", "--port", "0", "--db", str(db), "--home", str(db.parent)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as it:
        assert it.stdout
        it.stdout.readline()
        yield it.stdout.readline().strip()
        it.terminate()


@contextmanager
def client(start: str) -> Iterator[httpx.Client]:
    """Somebody who was let in."""
    base = start.partition("/start")[0]
    with httpx.Client(base_url=base, timeout=120, headers={"Origin": base}) as asking:
        asking.get(start)
        yield asking


def pages(db: Path, start: str, asking: httpx.Client, times: int) -> None:
    """Every page of the desk, each time at another place."""
    print(f"{'page':<34} {'p50 ms':>8} {'p95 ms':>8}")
    chance, reader = random.Random(1), open_reader(db)
    waiting = [row["id"] for row in rows_of(reader, "SELECT comment_id AS id FROM standing WHERE state = 'flagged'")]
    sql = "SELECT domain FROM links GROUP BY 1 ORDER BY count(*) DESC LIMIT 400"
    domains = [row["domain"] for row in rows_of(reader, sql)]
    words = size.Words(random.Random(size.SEED)).words[:2_000]
    ids = lambda: chance.choice(waiting)  # noqa: E731
    asked = {
        "queue, worst first": lambda: "/review",
        "queue, newest": lambda: "/review?order=newest",
        "queue, far down": lambda: f"/review/rows?after={-1.0 - chance.random()}~1",
        "queue, one comment opened": lambda: f"/review?at={ids()}",
        "queue of one source": lambda: f"/review?source=s{chance.randrange(46):02}",
        "queue with a word": lambda: f"/review?words={chance.choice(words)}",
        "queue of a domain": lambda: f"/review?domain={chance.choice(domains)}",
        "queue of a campaign": lambda: f"/review?like={ids()}",
        "queue, three filters": lambda: f"/review?source=s{chance.randrange(46):02}&reason=link&language=en&age=30",
        "campaigns": lambda: f"/review?order=campaigns&after={25 * chance.randrange(20)}",
        "domains": lambda: f"/review?order=domains&after={25 * chance.randrange(20)}",
        "six comments ahead": lambda: f"/review/cards?ids={','.join(str(ids()) for _ in range(6))}",
        "a group before its decision": lambda: f"/review/group?of={ids()}",
        "a domain, what-if": lambda: f"/review/domain?said=deny&name={chance.choice(domains)}",
        "audit": lambda: "/audit",
    }
    for name, path in asked.items():
        print_times(name, [timed(asking, path()) for _ in range(times)])
    print()


def keys(start: str, asking: httpx.Client, times: int) -> None:
    """From the key to the next comment on the screen."""
    from tests.browser import launched

    base = str(asking.base_url).rstrip("/")
    with launched() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        cookies = [{"name": n, "value": v, "url": base} for n, v in asking.cookies.items()]
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(f"{base}/review")
        page.wait_for_timeout(1_500)
        page.evaluate(WATCH)
        for pause in (400, 150):
            for key in itertools.islice(itertools.cycle("saj"), times):
                page.evaluate("() => window.pressed()")
                page.keyboard.press(key)
                page.wait_for_timeout(pause)
            print_times(f"key to next comment, every {pause} ms", page.evaluate("() => window.times.splice(0)"))
        page.wait_for_timeout(2_000)
        context.close()
    print()


WATCH = """() => {
  window.times = [];
  let at = 0;
  document.addEventListener('keydown', (event) => { at = event.timeStamp; }, true);
  window.pressed = () => { at = 0; };
  new MutationObserver(() => {
    const card = document.querySelector('#place [data-id]');
    if (!at || !card) return;
    const begun = at; at = 0;
    requestAnimationFrame(() => setTimeout(() => window.times.push(performance.now() - begun), 0));
  }).observe(document.getElementById('place'), { childList: true });
}"""
"""From the key's own time to after the frame that shows the card."""


def decide_while_writing(db: Path, start: str, asking: httpx.Client, seconds: float) -> None:
    """Two reviewers as fast as they can, on the same queue, while articles with comments are stored."""
    stop, wrote = threading.Event(), Counter[str]()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(db), str(seconds + 3)], stdout=subprocess.PIPE, text=True
    )
    time.sleep(2)
    answers: list[tuple[int, float]] = []
    accepted: list[tuple[int, int]] = []

    def review(part: int) -> None:
        with httpx.Client(base_url=asking.base_url, cookies=asking.cookies, timeout=60, headers=asking.headers) as mine:
            token = re.findall(r'name="token" value="([^"]+)"', mine.get("/review").text)[0]
            while not stop.is_set():
                rows = mine.get("/review.json").json()["rows"]
                for row in rows[part::3]:
                    form = {"token": token, "comment": row["id"], "seen": row["verdict"], "said": "spam"}
                    begun = time.perf_counter()
                    done = mine.post("/review/decide", data=form, headers={"Accept": "application/json"})
                    answers.append((done.status_code, 1000 * (time.perf_counter() - begun)))
                    if done.status_code == 200:
                        accepted.append((row["id"], done.json()["verdict"]))
                    if stop.is_set():
                        break

    people = [threading.Thread(target=review, args=(part,)) for part in (0, 1)]
    for person in people:
        person.start()
    time.sleep(seconds)
    stop.set()
    for person in people:
        person.join()
    told, _ = writer.communicate()
    wrote.update(status for status, _ in answers)  # type: ignore[arg-type]
    print(f"crawl beside: {told.strip()}")
    print(f"decisions: {len(answers)} sent, by status {dict(wrote)}")
    print_times("a decision while a crawl writes", [taken for _, taken in answers])
    reader = open_reader(db)
    kept = {row["id"] for row in rows_of(reader, "SELECT id FROM verdicts WHERE person")}
    lost = [pair for pair in accepted if pair[1] not in kept]
    print(f"accepted {len(accepted)}, of them in the database {len(accepted) - len(lost)}, lost {len(lost)}")


WRITER = f"""
import random, sys, time
from pathlib import Path
from bench import db as size
from db.store import Store
words, end, n = size.Words(random.Random(time.time())), time.monotonic() + float(sys.argv[2]), 0
with Store(Path(sys.argv[1]), wait={CRAWL_WAIT_SECONDS}) as store:
    run, base = store.begin_run([], version="bench", now=size._at(0)), 200_000 + int(time.time()) % 10_000 * 100
    while time.monotonic() < end:
        delta, fetch = size.page(words, base + n, 11)
        store.known(delta.page.article.url)
        store.apply(delta, fetch, run_id=run, now=size._at(0))
        n += 1
print(n, "articles with 11 comments each stored")
"""


def timed(asking: httpx.Client, path: str) -> float:
    """Milliseconds of one answer."""
    begun = time.perf_counter()
    answer = asking.get(path)
    assert answer.status_code == 200, (answer.status_code, path)
    return 1000 * (time.perf_counter() - begun)


def print_times(name: str, times: list[float]) -> None:
    """A row of the table."""
    times = sorted(times)
    p95 = times[int(0.95 * (len(times) - 1))]
    print(f"{name:<34} {statistics.median(times):>8.1f} {p95:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
