"""Which source a page belongs to, where nobody said so: by its host. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crawler.source import Source
from crawler.urls import host_of

NOTE = "Known from an archive; no source file of this name watches it."


class Sources:
    """Which source a page belongs to: by its host."""

    def __init__(self, catalogue: Iterable[Source]) -> None:
        self._by_host = {host: source for source in catalogue for host in source.all_hosts}

    def of(self, url: str) -> Source:
        """The one that a file describes, or one made from the host."""
        host = host_of(url)
        if host not in self._by_host:
            self._by_host[host] = made_from(host, url)
        return self._by_host[host]


def made_from(host: str, url: str) -> Source:
    """A source that no file describes."""
    id = re.sub(r"[^a-z0-9]+", "-", host.removeprefix("www.")).strip("-")[:63] or "unknown"
    scheme = "http" if url.startswith("http:") else "https"
    return Source(
        id=id, name=host or "unknown", home=f"{scheme}://{host or 'unknown.invalid'}/", enabled=False, note=NOTE
    )
