"""The stages between a cleaned page and its rows, and the only file here that knows Scrapy.

Visit ─► Normalise ─► Compare (reads what is known) ─► Moderate ─► Save (one transaction)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

from scrapy.crawler import Crawler

from crawler.items import Delta, Fetch, Found, Page
from crawler.report import Report
from crawler.source import Source
from moderation.policy import Policy, default_policy, load_policy
from moderation.rejudge import Bench
from pipelines.compare import compare, unheard
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
        """The visit with what it changes: nothing where the article's own page has spoken and this is another one."""
        url = visit.page.article.url
        delta = compare(visit.page, self.report.known(url))
        of_another = url not in (visit.fetch.url, visit.fetch.final_url) and self.report.speaks_for_itself(url)
        return replace(visit, delta=unheard(delta) if of_another else delta)


class Moderate(_WithReport):
    """A verdict for each comment that is new, edited or was never judged; outside of a run by the rules alone."""

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
        bench = Bench(self.report.store.db if self.report.run_id else None, self.policy)
        return replace(visit, delta=replace(delta, verdicts=bench.verdicts(delta, visit.source)))


class Save(_WithReport):
    """All of it, or nothing."""

    def process_item(self, visit: Visit) -> Visit:
        """Stores the visit."""
        delta = cast(Delta, visit.delta)
        self.report.save(delta, replace(visit.fetch, outcome="stored" if delta.news else "unchanged"))
        return visit
