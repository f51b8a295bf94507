"""What a page can do to the process that reads it, and what that costs: its own row."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawler import limits, reading, workers
from crawler.gathering import Got
from crawler.items import Page
from crawler.source import Source
from crawler.workers import BROKEN, TOO_COSTLY, Readers, Unreadable

SOURCE = Source(id="s", name="S", home="https://s.example/")
PAGE = b"""<html lang=en><head><title>A frigate returns</title></head><body><article><h1>A frigate returns</h1>
<p>The frigate came home to its base on Monday after seven months at sea, the ministry said.</p></article>"""


@pytest.fixture
def unruly(monkeypatch: pytest.MonkeyPatch) -> Iterator[Readers]:
    """Readers that do what they are told, within a second and some memory."""
    monkeypatch.setattr(workers, "ROOM", "unruly_room")
    monkeypatch.setattr(limits, "READING_SECONDS", 0.2)
    with Readers(2) as readers:
        yield readers


def told(readers: Readers, how: str, body: Any = b"") -> Any:
    return readers._read("page", body, how)


def refusal(readers: Readers, how: str) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        told(readers, how)
    return caught.value


def test_a_page_reads_in_a_child_process_as_it_does_here() -> None:
    got = Got(url="https://s.example/a", body=PAGE, content_type="text/html")
    with Readers(1) as readers:
        read = asyncio.run(readers.page(got, SOURCE))
    assert isinstance(read.page, Page) and read == reading.page(got, SOURCE)


def test_listings_and_answers_are_read_there_too() -> None:
    feed = b"<rss><channel><item><title>One</title><link>https://s.example/1</link></item></channel></rss>"

    async def both(readers: Readers) -> Any:
        listing = readers.listing("feed", feed, "https://s.example/feed", SOURCE)
        answer = readers.answer("page", Got(url="https://s.example/a?cpage=2", body=PAGE), SOURCE)
        return await asyncio.gather(listing, answer)

    with Readers(2) as readers:
        listing, answer = asyncio.run(both(readers))
    assert [found.url for found in listing.links] == ["https://s.example/1"]
    assert answer == reading.answer("page", Got(url="https://s.example/a?cpage=2", body=PAGE), SOURCE)


def test_without_readers_pages_are_read_in_the_run_itself() -> None:
    got = Got(url="https://s.example/a", body=PAGE)
    assert asyncio.run(Readers(0).page(got, SOURCE)) == reading.page(got, SOURCE)


@pytest.mark.parametrize(
    ("how", "reason", "detail", "outcome"),
    [
        ("burn", TOO_COSTLY, "more than 0.2 s of processor time", "rejected"),
        ("eat", TOO_COSTLY, "more than 512 MB of memory", "rejected"),
        ("fall", BROKEN, "ended by SIGSEGV", "failed"),
        ("leave", BROKEN, "exit code 7", "failed"),
    ],
)
def test_a_page_that_breaks_its_reader_costs_itself_alone(
    unruly: Readers, how: str, reason: str, detail: str, outcome: str
) -> None:
    why = refusal(unruly, how)
    assert (why.reason, why.detail, why.outcome) == (reason, detail, outcome)
    assert told(unruly, "echo", b"next")[0] == b"next"


def test_a_reader_that_stands_still_is_not_waited_for(unruly: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READING_WAIT_SECONDS", 1)
    assert refusal(unruly, "stop").detail == "no answer within 1 s"


def test_a_reader_reads_one_page_after_the_other(unruly: Readers) -> None:
    assert len({told(unruly, "echo")[1] for _ in range(5)}) == 1
    assert told(unruly, "echo")[1] != os.getpid()


def test_processor_time_counts_for_each_page_anew(unruly: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READING_SECONDS", 1)
    pid = told(unruly, "echo")[1]
    for _ in range(3):
        told(unruly, "half a second")
    assert told(unruly, "echo")[1] == pid


def test_a_reader_that_has_grown_is_replaced(unruly: Readers) -> None:
    first = told(unruly, "grow")
    assert told(unruly, "echo")[1] == first, "60 MB are no reason"
    assert len({told(unruly, "grow") for _ in range(4)}) > 1


def test_a_defect_of_ours_is_raised_in_the_run_with_the_place_where_it_was(unruly: Readers) -> None:
    with pytest.raises(ZeroDivisionError, match="a defect of ours") as caught:
        told(unruly, "raise")
    assert "in _raise" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        told(unruly, "raise oddly")


def test_large_answers_are_read_one_at_a_time(unruly: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGE_BYTES", 1_000)

    async def overlaps(sizes: list[int]) -> bool:
        times = sorted(await asyncio.gather(*(unruly._ask(size, "page", b"", "take time") for size in sizes)))
        return any(end > begun for (_, end), (begun, _) in pairwise(times))

    assert not asyncio.run(overlaps([2_000] * 3))
    assert asyncio.run(overlaps([500] * 3))


def test_a_large_answer_passes_both_ways(unruly: Readers) -> None:
    large = os.urandom(1 << 20) * 5
    assert told(unruly, "echo", large)[0] == large


def test_a_reader_has_nothing_of_the_run_open(unruly: Readers, tmp_path: Path) -> None:
    with open(tmp_path / "of-the-run", "w") as file:
        os.set_inheritable(file.fileno(), True)
        opened = told(unruly, "files")
    assert not [name for name in opened if "of-the-run" in name]
    assert len(opened) <= 6, opened


def test_no_process_is_left_when_readers_are_closed(unruly: Readers) -> None:
    pid = told(unruly, "echo")[1]
    assert unruly._nursery
    nursery = unruly._nursery._pid
    unruly.close()
    assert not _alive(pid) and not _alive(nursery)
    with pytest.raises(ChildProcessError):
        os.waitpid(nursery, os.WNOHANG)


def test_a_nursery_that_is_gone_is_said_and_ends_nothing(unruly: Readers) -> None:
    unruly.start()
    assert unruly._nursery
    os.kill(unruly._nursery._pid, signal.SIGKILL)
    assert refusal(unruly, "echo").detail.startswith("no reader can be started")


def test_readers_end_with_a_run_that_is_killed() -> None:
    program = (
        "import sys, time; sys.path.insert(0, 'tests')\n"
        "from crawler import workers\n"
        "workers.ROOM = 'unruly_room'\n"
        "readers = workers.Readers(1)\n"
        "print(readers._read('page', b'', 'echo')[1], flush=True)\n"
        "time.sleep(60)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert run.stdout
    with run.stdout:
        pid = int(run.stdout.readline())
        assert _alive(pid)
        run.kill()
        run.wait()
        deadline = time.monotonic() + 10
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert not _alive(pid)


def test_a_signal_to_the_whole_group_leaves_the_readers_to_the_run(unruly: Readers) -> None:
    pid = told(unruly, "echo")[1]
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, each)
    assert told(unruly, "echo")[1] == pid


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
