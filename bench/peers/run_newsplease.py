"""news-please's command line on the site: its sitemap crawler, its JSON and HTML files.

    PYTHON run_newsplease.py URL FOLDER

Its own settings but for what keeps it waiting (32 requests at once, one crawler), for what it takes for an article
(each page that calls itself one), for pictures, which are not fetched, and for where it writes. The address must be
without a port.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import newsplease

AT_ONCE = 32
SETTINGS = {
    "working_path": "{folder}/np",
    "check_certificate": "False",
    "number_of_parallel_crawlers": "1",
    "CONCURRENT_REQUESTS": str(AT_ONCE),
    "CONCURRENT_REQUESTS_PER_DOMAIN": str(AT_ONCE),
    "LOG_LEVEL": "WARNING",
    "enabled_heuristics": '{"og_type": True}',
    "pass_heuristics_condition": '"og_type"',
}
"""Lines of its `config.cfg` that are set anew, each under its name there."""
NO_PICTURES = """
import newspaper.configuration as settings
usual = settings.Configuration.__init__
def without_pictures(self, *args, **options):
    usual(self, *args, **options)
    self.fetch_images = False
settings.Configuration.__init__ = without_pictures
"""
"""Loaded by Python's own hook: its configuration has no word for it, and nothing may leave the machine."""


def main(url: str, folder: Path) -> None:
    """Becomes the command."""
    config = folder / "config"
    config.mkdir()
    text = (Path(newsplease.__file__).parent / "config" / "config.cfg").read_text()
    for name, value in SETTINGS.items():
        line = f"{name} = {value.replace('{folder}', str(folder))}"
        text = re.sub(rf"(?m)^{name}\s*=.*", lambda _, line=line: line, text)  # type: ignore[misc]
    (config / "config.cfg").write_text(text)
    sites = {"base_urls": [{"url": f"{url}/", "crawler": "SitemapCrawler"}]}
    (config / "sitelist.hjson").write_text(json.dumps(sites))
    (config / "sitecustomize.py").write_text(NO_PICTURES)
    env = {**os.environ, "PYTHONPATH": str(config)}
    os.execve(sys.executable, [sys.executable, "-m", "newsplease", "-c", str(config)], env)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
