"""Every limit and policy number, each with its reason. Plain constants, so that the pure rooms can read them.

The measurements behind them: parsing costs about 1 s and 35 MB for each MB of tag-dense HTML, cannot be interrupted
from inside, and grows with the square of the number of attributes of one tag.
"""

from __future__ import annotations

# ---- what is downloaded
PAGE_BYTES = 5 * 1024 * 1024
"""Largest page; the largest real news page measured has 2.5 MB."""
LISTING_BYTES = 10 * 1024 * 1024
"""Largest feed or sitemap: the protocol allows 50 MB, news sites stay below 10."""
ROBOTS_BYTES = 512 * 1024
"""RFC 9309 asks for at least 500 KiB."""
DOWNLOAD_SECONDS = 20
DNS_SECONDS = 10
RETRIES = 2
REDIRECTS = 5
"""Browsers give up at 20; honest news sites need 2."""

# ---- how much of a site
LINKS_A_LISTING = 200
PAGES_A_SOURCE = 500
LISTING_DEPTH = 3
"""Sitemap indexes and pagination: how many listings deep."""
DELAY_SECONDS = 1.0
"""Between two requests to one host, unless the source or its robots.txt asks for more."""
PARALLEL_A_HOST = 4
"""Requests at once to a host whose source sets no delay."""

# ---- what is parsed
TAGS = 200_000
ATTRIBUTES_A_TAG = 500
DEPTH = 200
"""Open elements; real pages stay below 60."""
JSON_LD_BYTES = 1024 * 1024
DATE_CHARACTERS = 64
FIRST_YEAR = 1990

# ---- what is stored
HEADLINE_CHARACTERS = 500
SUMMARY_CHARACTERS = 5_000
BODY_CHARACTERS = 1_000_000
COMMENT_CHARACTERS = 20_000
COMMENTS_A_PAGE = 5_000
REPLY_DEPTH = 50
AUTHORS = 50
AUTHOR_CHARACTERS = 200
TAGS_AN_ARTICLE = 50
LINKS_AN_ARTICLE = 500
LINKS_A_COMMENT = 200
URL_CHARACTERS = 2_000
DETAIL_CHARACTERS = 500

# ---- what counts as trouble
FAILED_SHARE = 0.05
"""A source whose pages fail more often than this is in trouble."""
