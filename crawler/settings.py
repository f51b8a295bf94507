"""Scrapy's settings. Numbers come from `limits`; each change from Scrapy's default has its reason."""

from __future__ import annotations

import os
import zlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from platformdirs import user_data_path

from crawler import limits
from crawler.source import Source


def home() -> Path:
    """The folder with the database, the archive and the user's own files: WATCHFLOOR_HOME or the user's data folder."""
    stated = os.environ.get("WATCHFLOOR_HOME")
    return Path(stated) if stated else user_data_path("watchfloor")


@cache
def our_version() -> str:
    """The version of watchfloor that is running."""
    try:
        return version("watchfloor")
    except PackageNotFoundError:
        return "unknown"


def cleaned_by(source: Source) -> str:
    """The cleaning that a receipt belongs to: another version, or other rules of the source, read the page anew."""
    rules = repr((source.rules, source.language, source.comment_pages, source.comment_routes)).encode()
    return f"{our_version()}+{zlib.crc32(rules):08x}"


def archive_of(db: Path) -> Path:
    """The folder of the archive that belongs to a database: `archive` beside `watchfloor.db`, as in the home folder,
    `NAME.archive` beside any other, so that two databases never share one."""
    db = db.resolve()
    return db.with_name("archive" if db.name == "watchfloor.db" else f"{db.name}.archive")


def user_agent(contact: str) -> str:
    """How we present ourselves; `contact` is an address of the web or of mail, empty for none."""
    reachable = "".join(c for c in contact if c.isascii() and c.isprintable() and c not in "()").strip()
    return f"watchfloor/{our_version()} ({f'+{reachable}; ' if reachable else ''}defense-news watch)"


BOT_NAME = "watchfloor"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"

# Who we are: one honest name, and where a site's owner can reach whoever runs it.
USER_AGENT = os.environ.get("WATCHFLOOR_USER_AGENT") or user_agent(os.environ.get("WATCHFLOOR_CONTACT", ""))
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "watchfloor"
ROBOTSTXT_PARSER = "crawler.robots_txt.Rules"

# How gently.
CONCURRENT_REQUESTS = 16
CONCURRENT_ITEMS = 1  # an answer gives one item; Scrapy starts as many tasks for each answer
CONCURRENT_REQUESTS_PER_DOMAIN = limits.PARALLEL_A_HOST
DOWNLOAD_DELAY = limits.DELAY_SECONDS
DOWNLOAD_DELAY_JITTER = 0.0  # a source's delay is a promise, not an average
DOWNLOAD_TIMEOUT = limits.DOWNLOAD_SECONDS
RETRY_TIMES = limits.RETRIES
REDIRECT_MAX_TIMES = limits.REDIRECTS

# What is let in.
DOWNLOAD_MAXSIZE = limits.PAGE_BYTES
DOWNLOAD_WARNSIZE = 0  # the limit says it already
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_HANDLERS = {
    "http": "crawler.politeness.Handler",
    "https": "crawler.politeness.Handler",
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}
METAREFRESH_ENABLED = False  # a page may not send us elsewhere
COOKIES_ENABLED = False
HTTPPROXY_ENABLED = False  # a proxy would connect behind the address guard's back
REFERER_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
TWISTED_DNS_RESOLVER = "crawler.fetching.GuardedResolver"
WATCHFLOOR_ADDRESSES = os.environ.get("WATCHFLOOR_ALLOW", "")

DOWNLOADER_MIDDLEWARES = {
    "crawler.fetching.Guard": 60,  # before robots.txt is asked for
    "crawler.patience.Gate": 70,
    "crawler.robots_txt.RobotsTxt": 100,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,  # lets all pass where robots.txt cannot be had
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the guard does it, and leaves a row
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
}
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,  # drops without a row; `urls.normal` has the limit
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,  # counts what nobody asks for
}
ITEM_PIPELINES = {
    "pipelines.stages.Normalise": 100,
    "pipelines.stages.Compare": 200,
    "pipelines.stages.Moderate": 300,
    "pipelines.stages.Save": 400,
}
EXTENSIONS = {
    "crawler.report.Report": 0,
    "crawler.politeness.Politeness": 0,
    "crawler.patience.Patience": 0,
    "crawler.archiving.Archiving": 0,
    "scrapy.extensions.logstats.LogStats": None,
    "scrapy.extensions.memusage.MemoryUsage": None,
    "scrapy.extensions.spiderstate.SpiderState": None,
}

WATCHFLOOR_DB = os.environ.get("WATCHFLOOR_DB", str(home() / "watchfloor.db"))
WATCHFLOOR_RULES = ""
WATCHFLOOR_ARCHIVE = True  # what was read can be read again, by rules that are better by then, without any request
WATCHFLOOR_ARCHIVE_BYTES = limits.ARCHIVE_BYTES
WATCHFLOOR_FAILED_SHARE = limits.FAILED_SHARE
WATCHFLOOR_RUN_MINUTES = limits.RUN_MINUTES

LOG_LEVEL = "WARNING"
STATS_DUMP = False
LOG_VERSIONS: list[str] = []
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
