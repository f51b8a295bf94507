"""What a run meets at a source beyond its numbers: why things failed, who kept us out, what its articles had. Pure."""

from __future__ import annotations

from collections import Counter

from crawler.fields import WALL, FieldTally
from crawler.items import Delta, Fetch, Met, Outcome, Past
from crawler.redesign import Redesign

KEEPING_OUT = frozenset({401, 403, 429, 451})
"""HTTP statuses that tell of us: not without a name, not you, not so often, not from there."""
HTML_INSTEAD = "an HTML page where"
"""How `crawler.discovery` begins to say it."""
LOSSES = frozenset({"blocked", "pages failed"})
"""Problems after which every answer of a source is looked at."""
NEVER = Past()
DETAIL = 120
"""Characters of a failure's detail that a problem repeats."""


def keeps_out(fetch: Fetch) -> bool:
    """True when we were kept from a page or listing."""
    refused = fetch.outcome == "failed" and fetch.status in KEEPING_OUT
    return refused or (fetch.outcome == "rejected" and fetch.reason == WALL)


class Incidents:
    """Those of one source in one run."""

    def __init__(self, past: Past = NEVER) -> None:
        """`past` is what the source did before."""
        last = past.runs[-1].problems if past.runs else ()
        self._fields = FieldTally(anxious=any(p.name in LOSSES for p in last))
        self._redesign = Redesign()
        self._counts: Counter[str] = Counter()
        self._reasons: dict[str, Counter[str]] = {}
        self._first: dict[tuple[str, str], Fetch] = {}

    def add(self, fetch: Fetch) -> None:
        """An outcome without an article: a failure of whatever sort is remembered with its reason."""
        for sort in self._sorts(fetch):
            self._reasons.setdefault(sort, Counter())[fetch.reason] += 1
            self._first.setdefault((sort, fetch.reason), fetch)

    def read(self, delta: Delta, url: str) -> None:
        """An article that was stored."""
        self._fields.add(delta, url)
        self._redesign.add(delta)

    def answered(self, fetch: Fetch, before: Outcome | None) -> None:
        """A page without an article; `before` is what the ledger said of it, None for one that was never seen."""
        if fetch.outcome in ("failed", "rejected", "unchanged"):
            self._fields.answer(fetch, before, kept_out=keeps_out(fetch))

    def met(self) -> Met:
        """All of it."""
        return Met(
            listings_html=self._counts["html"],
            listings_blocked=self._counts["listing blocked"],
            walls=self._counts["wall"],
            because={sort: self._commonest(sort) for sort in self._reasons},
            fields=self._fields.counts,
            redesign=self._redesign.told(),
        )

    def _sorts(self, fetch: Fetch) -> tuple[str, ...]:
        """Under which names of `Met.because` it belongs."""
        out = keeps_out(fetch)
        if fetch.outcome == "rejected":
            self._counts["wall"] += out
            return ("blocked",) if out else ("rejected",)
        if fetch.outcome != "failed":
            return ()
        if fetch.kind == "page":
            return ("blocked",) if out else ("page",)
        if fetch.detail.startswith(HTML_INSTEAD):
            self._counts["html"] += 1
            return ("html",)
        self._counts["listing blocked"] += out
        return ("listing", "blocked") if out else ("listing",)

    def _commonest(self, sort: str) -> str:
        """The commonest reason, how often, and the first page it struck."""
        reason, times = self._reasons[sort].most_common(1)[0]
        first = self._first[sort, reason]
        detail = f" ({first.detail[:DETAIL]})" if first.detail else ""
        return f"{reason}, {times} times, first {first.url}{detail}" if times > 1 else f"{reason}, {first.url}{detail}"
