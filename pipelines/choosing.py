"""Of articles that say the same, which one stays: the same for any number of tasks. Pure.

Of one page that was read several times it is the latest reading. Of near-duplicates on other pages it is the earliest,
and only where the numbers of one are all among those of the other: two reports of one form, with other figures in it,
are two reports.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np

Place = tuple[int, int]
"""Task and row."""
Why = tuple[Literal["same page", "near-duplicate"], str]
"""Why a row does not stay, and the url of what stands for it."""
SAME_PAGE: Literal["same page"] = "same page"
NEAR: Literal["near-duplicate"] = "near-duplicate"
STANDING = 50
"""Articles of one cluster that a further one is compared with: a form that is filled in with other numbers ten thousand
times must not be compared a hundred million times."""


class Known:
    """The url and the time of every row, by task."""

    def __init__(self, urls: Sequence[Sequence[str]], times: Sequence[Sequence[str]]) -> None:
        self._urls, self._times = urls, times

    @classmethod
    def of(cls, columns: Iterable[Mapping[str, Sequence[str]]]) -> Self:
        """From the columns `url` and `fetched_at` of each task."""
        listed = list(columns)
        return cls([each["url"] for each in listed], [each["fetched_at"] for each in listed])

    def same_pages(self) -> dict[Place, Why]:
        """All but the latest row of each url. Takes 100 bytes a row: 2 GB for 20 million."""
        sizes = [len(urls) for urls in self._urls]
        begins = np.cumsum([0, *sizes])
        names = np.fromiter((_hash(url) for urls in self._urls for url in urls), np.uint64, sum(sizes))
        times = np.fromiter((time.encode() for times in self._times for time in times), "S20", sum(sizes))
        order = np.lexsort((np.arange(len(names)), times, names))
        same = names[order[:-1]] == names[order[1:]]
        left_out: dict[Place, Why] = {}
        for number in order[:-1][same].tolist():
            task = int(np.searchsorted(begins, number, side="right")) - 1
            place = task, number - int(begins[task])
            left_out[place] = SAME_PAGE, self._url(place)
        return left_out

    def near_duplicates(
        self,
        clusters: Mapping[Place, int],
        numbers: Callable[[Place], Collection[int]],
        but: Collection[Place],
    ) -> dict[Place, Why]:
        """Rows that another one of their cluster stands for, `but` for those that do not count any more."""
        members: dict[int, list[Place]] = defaultdict(list)
        for place, cluster in clusters.items():
            if place not in but:
                members[cluster].append(place)
        left_out: dict[Place, Why] = {}
        for places in members.values():
            left_out |= self._chosen(sorted(places, key=self._age), numbers)
        return left_out

    def _chosen(self, cluster: list[Place], numbers: Callable[[Place], Collection[int]]) -> dict[Place, Why]:
        standing: dict[frozenset[int], Place] = {}
        left_out: dict[Place, Why] = {}
        for place in cluster:
            ours = frozenset(numbers(place))
            theirs = (
                ours
                if ours in standing
                else next((each for each in [*standing][:STANDING] if _nested(each, ours)), None)
            )
            if theirs is None:
                standing[ours] = place
            else:
                left_out[place] = NEAR, self._url(standing[theirs])
        return left_out

    def _age(self, place: Place) -> Any:
        """Earlier first; one without a time last; the url decides between those of one time."""
        time = self._times[place[0]][place[1]]
        return not time, time, self._url(place)

    def _url(self, place: Place) -> str:
        return self._urls[place[0]][place[1]]


def _nested(some: frozenset[int], others: frozenset[int]) -> bool:
    return some <= others or others <= some


def _hash(text: str) -> int:
    """64 bits, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
