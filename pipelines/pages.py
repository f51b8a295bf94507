"""One answer of an archive → the row of a shard: cleaned, compared with nothing and judged, as a crawl would have."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from typing import Self

from crawler import limits
from crawler.gathering import Gathering, Got, Reading
from crawler.items import Known, Rejected
from crawler.settings import cleaned_by
from crawler.source import Source
from crawler.text import tidy
from crawler.urls import normal
from crawler.workers import Readers, Unreadable
from moderation.policy import Policy
from moderation.rejudge import Bench
from pipelines.belonging import Sources
from pipelines.compare import compare
from pipelines.normalise import normalise
from pipelines.records import Origin, Row, failed, rejected, stored
from pipelines.warcs import Taken, addresses, at, is_own, opened


class Pages:
    """Reads answers, each in a child process with limits: one that breaks them costs its own row."""

    def __init__(self, catalogue: Iterable[Source], policy: Policy) -> None:
        self._sources = Sources(catalogue)
        self._bench = Bench(None, policy)
        self._readers = Readers(1)
        self._loop = asyncio.new_event_loop()
        self._beside = Beside("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.close()
        self._loop.close()

    def row(self, one: Taken, path: str) -> Row | None:
        """The row of an answer in this file; None for comments that were read with the page before them."""
        if self._beside.path != path:
            self._beside = Beside(path)
        if one.start in self._beside.consumed:
            return None
        asked = normal(one.url)
        source = self._sources.of(asked)
        origin = Origin(
            asked=asked or tidy(one.url, limits.URL_CHARACTERS),
            source_id=source.id,
            fetched_at=one.at,
            cleaned_by=cleaned_by(source),
            file=path.rpartition("/")[2],
            start=one.start,
            status=one.status,
            bytes=len(one.body),
        )
        why = _not_to_read(one, asked)
        return failed(*why, origin) if why else self._read(one, asked, source, origin)

    def _read(self, one: Taken, asked: str, source: Source, origin: Origin) -> Row:
        try:
            own = is_own(self._beside.path)
            reading = self._gathered(one, source, asked) if own else self._readers.again(one.got, source, {}, asked)
            if isinstance(reading.page, Rejected):
                return rejected(reading.page, origin)
            delta = compare(normalise(reading.page, asked=asked, source=source), Known())
            return stored(replace(delta, verdicts=self._bench.verdicts(delta, source)), origin)
        except Unreadable as e:
            if e.outcome == "rejected":
                return rejected(Rejected(reason=e.reason, detail=e.detail), origin)
            return failed(e.reason, e.detail, origin)
        except Exception as e:  # noqa: BLE001 - a defect of ours costs one page, as in a crawl
            return failed("raised", f"{type(e).__name__}: {e}", origin)

    def _gathered(self, one: Taken, source: Source, asked: str) -> Reading:
        """The page with the comments that lie beside it, each answer read within limits."""
        wait = self._loop.run_until_complete
        read = wait(self._readers.page(one.got, source))
        if isinstance(read.page, Rejected):
            return Reading(page=read.page, alone=True)
        gathering = Gathering(read.page, read.routes, source, url=one.url, asked_as=asked)
        while route := gathering.next():
            other = self._beside.answer(route.url, one.start)
            if other is None:
                gathering.missed()
            else:
                gathering.answered(route, wait(self._readers.answer(route.kind, other, source)), url=other.url)
        return Reading(page=gathering.page, alone=not gathering.asked)


def _not_to_read(one: Taken, asked: str) -> tuple[str, str] | None:
    """Reason and detail of an answer that no crawl would read; None for one to read."""
    if one.reason:
        return one.reason, one.detail
    if not asked:
        return "no address", one.url
    if one.status != 200:
        return f"HTTP {one.status}", ""
    if len(one.body) > limits.PAGE_BYTES:
        return "too large", f"more than {limits.PAGE_BYTES:,} bytes"
    return None


class Beside:
    """The other answers in the file of a page, where it is an archive of ours: its comments' further pages."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.consumed: set[int] = set()
        """Where the records begin that were read with a page."""
        self._places: dict[str, list[int]] | None = None if is_own(path) else {}

    def answer(self, url: str, behind: int) -> Got | None:
        """The first one from this address behind the page; None without one."""
        if self._places is None:
            self._places = {}
            with opened(self.path) as file:
                for address, start in addresses(file):
                    self._places.setdefault(normal(address), []).append(start)
        starts = self._places.get(normal(url), [])
        place = bisect_right(starts, behind)
        if place == len(starts):
            return None
        self.consumed.add(starts[place])
        with opened(self.path) as file:
            one = at(file, starts[place])
        return one.got if one and not one.reason else None
