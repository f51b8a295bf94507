"""The stages between a cleaned page and its rows, and the only file here that knows Scrapy.

Visit ─► Normalise ─► Compare (reads what is known) ─► Moderate ─► Save (one transaction)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

from scrapy.crawler import Crawler

from crawler.items import Context, Delta, Fetch, Found, Keyed, Page, Verdict
from crawler.report import Report
from crawler.source import Source
from crawler.urls import host_of
from moderation.policy import Policy, default_policy, judge, load_policy
from moderation.rejudge import Bench
from pipelines.compare import compare
from pipelines.normalise import normalise


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One page on its way down the line."""

    source: Source
    found: Found
    page: Page
    fetch: Fetch
    delta: Delta | None = None


class Normalise:
    """One spelling for one meaning."""

    def process_item(self, visit: Visit) -> Visit:
        """The visit with its page as it will be stored."""
        asked = visit.fetch.final_url or visit.fetch.url
        return replace(visit, page=normalise(visit.page, asked=asked, found=visit.found, source=visit.source))


class _WithReport:
    def __init__(self, report: Report) -> None:
        self.report = report

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy; the run's account comes with it."""
        return cls(cast(Report, crawler.get_extension(Report)))


class Compare(_WithReport):
    """What is new since the last visit."""

    def process_item(self, visit: Visit) -> Visit:
        """The visit with what it changes."""
        known = self.report.known(visit.page.article.url)
        return replace(visit, delta=compare(visit.page, known))


class Moderate(_WithReport):
    """A verdict for each comment that is new, edited or was never judged."""

    def __init__(self, report: Report, policy: Policy) -> None:
        super().__init__(report)
        self.policy = policy

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy; the policy is the file that the setting WATCHFLOOR_RULES names, or the shipped one."""
        rules = crawler.settings["WATCHFLOOR_RULES"]
        report = cast(Report, crawler.get_extension(Report))
        return cls(report, load_policy(Path(rules)) if rules else default_policy())

    def process_item(self, visit: Visit) -> Visit:
        """The visit with its verdicts."""
        delta = cast(Delta, visit.delta)
        keyed = tuple(_to_judge(delta))
        verdicts = self._verdicts(visit, delta, keyed) if keyed else {}
        return replace(visit, delta=replace(delta, verdicts=verdicts))

    def _verdicts(self, visit: Visit, delta: Delta, keyed: tuple[Keyed, ...]) -> dict[str, Verdict]:
        """With the history that the database has; outside of a run by the rules alone."""
        if not self.report.run_id:
            return {k.key: judge(k.comment, _context(visit, k), self.policy) for k in keyed}
        bench = Bench(self.report.store.db, self.policy)
        bench.learn(k.comment for k in keyed)
        stored, article = delta.known.comments, delta.known.article_id or 0
        ids = {k.key: stored[k.key].id if k.key in stored else 0 for k in keyed}
        return {
            k.key: bench.judge(k.comment, _context(visit, k), visit.source.id, id=ids[k.key], article_id=article)
            for k in keyed
        }


class Save(_WithReport):
    """All of it, or nothing."""

    def process_item(self, visit: Visit) -> Visit:
        """Stores the visit."""
        delta = cast(Delta, visit.delta)
        self.report.save(delta, replace(visit.fetch, outcome="stored" if delta.news else "unchanged"))
        return visit


def _to_judge(delta: Delta) -> Iterator[Keyed]:
    yield from delta.new
    yield from delta.edited
    yield from delta.unjudged


def _context(visit: Visit, keyed: Keyed) -> Context:
    delta = cast(Delta, visit.delta)
    stored = delta.known.comments.get(keyed.key)
    return Context(
        own_hosts=visit.source.all_hosts,
        article_url=visit.page.article.url,
        article_hosts=frozenset(filter(None, (host_of(link.url) for link in visit.page.article.links))),
        decided_before=stored.decided if stored else "",
    )
