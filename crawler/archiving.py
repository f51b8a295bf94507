"""Each answer is in the archive before anything parses it: what was read can be read again, without any request."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Self, cast

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler import limits
from crawler.items import Fetch, Found
from crawler.report import Report
from crawler.settings import archive_of, our_version
from db.archive import Answer, Archive, Place
from db.captures import Capture, Captures, Kept, missing
from db.connect import DatabaseProblem, Unstorable, now

log = logging.getLogger(__name__)


class Archiving:
    """A Scrapy extension that keeps the answers of one run; without a run nothing.

    An archive that cannot be written to costs the run no page. It is switched off, once, and `problem` says why.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.problem = ""
        """Why the rest of the run is not in the archive; empty when it is."""
        self.kept = 0
        """Answers that are in the archive."""
        self._wanted = crawler.settings.getbool("WATCHFLOOR_ARCHIVE")
        path = Path(crawler.settings["WATCHFLOOR_DB"])
        most = crawler.settings.getint("WATCHFLOOR_ARCHIVE_BYTES", limits.ARCHIVE_BYTES)
        file_bytes = min(limits.ARCHIVE_FILE_BYTES, most // limits.ARCHIVE_FILES)
        self._path = path
        self._archive = Archive(archive_of(path), software=f"watchfloor/{our_version()}", file_bytes=file_bytes)
        self._captures: Captures | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Made by Scrapy for each run."""
        ours = cls(crawler)
        crawler.signals.connect(ours.close, signal=signals.spider_closed)
        return ours

    def begin(self) -> None:
        """Puts right what an earlier run left behind when it was killed. The run has begun."""
        self._captures = Captures(self._report.store.db, self._path)
        if not self._wanted:
            return
        try:
            for name, lost in self._captures.mend(self._archive.folder).items():
                file = self._archive.folder / name
                log.warning("%s: its end was no whole record, and was cut off", file)
                if lost:
                    self._report.not_archived(f"{file}: its end was damaged; {lost} answers are lost")
            if gone := missing(self._report.store.db, self._archive.folder):
                self._report.not_archived(_loss(self._archive.folder, gone))
        except (OSError, DatabaseProblem) as e:
            self._switch_off(e)

    def page(self, response: Response, fetch: Fetch, found: Found) -> None:
        """Keeps an article's page that is about to be read."""
        self._keep(response, _capture(fetch, self._report.run_id, found=found))

    def comments(self, response: Response, fetch: Fetch) -> None:
        """Keeps an answer with further comments of the page that it was found on."""
        if not self.problem and self._wanted:
            capture = _capture(fetch, self._report.run_id)
            self._keep(response, replace(capture, role="comments", page_url=fetch.found_on))

    def close(self) -> None:
        """Lets the file go."""
        self._archive.close()

    def _keep(self, response: Response, capture: Capture) -> None:
        if self._captures is None:
            return
        place = self._appended(response)
        try:
            self._captures.add(replace(capture, place=place))
        except (DatabaseProblem, Unstorable) as e:
            log.warning("%s: not noted in the archive: %s", capture.url, e)

    def _appended(self, response: Response) -> Place | None:
        if not self._wanted or self.problem:
            return None
        try:
            place = self._archive.append(_answer(response))
        except OSError as e:
            self._switch_off(e)
            return None
        self.kept += 1
        return place

    def _switch_off(self, error: Exception) -> None:
        said = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        self.problem = f"{self._archive.folder}: {said}"
        self._report.not_archived(self.problem)
        log.error("%s: what is read from here on is not in the archive", self.problem)

    @property
    def _report(self) -> Report:
        return cast(Report, self.crawler.get_extension(Report))


def _loss(folder: Path, gone: list[Kept]) -> str:
    answers = sum(each.records for each in gone)
    return f"{folder / gone[0].file} is missing; put it back, or give {answers} answers up: archive prune --lost"


def _capture(fetch: Fetch, run_id: int, found: Found | None = None) -> Capture:
    return Capture(run_id=run_id, source_id=fetch.source_id, url=fetch.url, found=found, at=now())


def _answer(response: Response) -> Answer:
    headers = ((name, value) for name, values in response.headers.items() for value in values)
    return Answer(
        url=response.url,
        status=response.status,
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        body=response.body,
        ip=str(response.ip_address or ""),
    )
