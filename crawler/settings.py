"""Scrapy's settings. Numbers come from `limits`; each change from Scrapy's default has its reason."""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from platformdirs import user_data_path

from crawler import limits


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


BOT_NAME = "watchfloor"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"

# Who we are: one honest name. WATCHFLOOR_USER_AGENT should add where a site's owner can reach you.
USER_AGENT = os.environ.get(
    "WATCHFLOOR_USER_AGENT", f"watchfloor/{our_version()} (defense-news watch; respects robots.txt)"
)
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "watchfloor"

# How gently.
CONCURRENT_REQUESTS = 16
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
DOWNLOAD_HANDLERS = {"data": None, "file": None, "ftp": None, "s3": None}
METAREFRESH_ENABLED = False  # a page may not send us elsewhere
COOKIES_ENABLED = False
HTTPPROXY_ENABLED = False  # a proxy would connect behind the address guard's back
REFERER_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
TWISTED_DNS_RESOLVER = "crawler.fetching.GuardedResolver"
WATCHFLOOR_ADDRESSES = os.environ.get("WATCHFLOOR_ALLOW", "")

DOWNLOADER_MIDDLEWARES = {
    "crawler.fetching.Guard": 60,  # before robots.txt is asked for (100)
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the guard does it, and leaves a row
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
}
SPIDER_MIDDLEWARES = {
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,  # drops without a row; `urls.normal` has the limit
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
    "scrapy.extensions.logstats.LogStats": None,
    "scrapy.extensions.memusage.MemoryUsage": None,
    "scrapy.extensions.spiderstate.SpiderState": None,
}

WATCHFLOOR_DB = os.environ.get("WATCHFLOOR_DB", str(home() / "watchfloor.db"))
WATCHFLOOR_RULES = ""
WATCHFLOOR_FAILED_SHARE = limits.FAILED_SHARE

LOG_LEVEL = "WARNING"
STATS_DUMP = False
LOG_VERSIONS: list[str] = []
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
