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
DOWNLOAD_SECONDS = 20
"""For a whole answer: a news page takes 1 or 2; a server that drips would hold its slot for minutes."""
NAME_SECONDS = 4
"""For the address of a name: a resolver that asks for the first time takes one or two. The system's own limit is mostly
20 s, and each attempt has it anew."""
RETRIES = 2
"""More often is a burden on a site that is down, and the next run comes anyway."""
REDIRECTS = 5
"""Browsers give up at 20; honest news sites need 2."""

# ---- how much of a site
LINKS_A_LISTING = 200
"""The newest of a listing; what lies beyond is counted in its row, and an hourly run sees what comes."""
PAGES_A_SOURCE = 500
"""In one run: eight minutes at a second's delay. What is left over waits for the next run."""
LISTING_DEPTH = 3
"""Sitemap indexes and pagination: how many listings deep."""
DELAY_SECONDS = 1.0
"""Between two requests to one host, unless the source says otherwise."""
CRAWL_DELAY_SECONDS = 60.0
"""The longest delay that a robots.txt can ask for and is kept; a longer one would let a run visit next to nothing."""
RETRY_AFTER_SECONDS = 60.0
"""The longest that a run waits for a busy host. A page that asks for more is left to the next run."""
BUSY_SECONDS = 20.0
"""The break that a host is given when a page of it asks for more than that: it may mean the page or the host."""
LEAST_DELAY_SECONDS = 0.05
"""Scrapy asks for a host's turn only where it has a delay."""
ROBOTS_BYTES = 512 * 1024
"""Of a robots.txt, what counts: RFC 9309, 2.5, asks for 500 KiB at least."""
ROBOTS_CHARACTERS = 100_000
"""Of a robots.txt, as it is kept for `watchfloor explain`; real ones have 5 KB."""
PARALLEL_A_HOST = 4
"""Requests at once to a host whose source sets no delay."""

# ---- how long it may take
RUN_MINUTES = 240
"""Of a whole run, which keeps others out. A first visit of eighty sources with 500 pages each takes under an hour at a
second's delay; this is time for hosts that ask for much more, and an end for everything else."""
HOST_MINUTES = 50
"""Of one host in a run, from its first request: runs are often hourly. With the longest delay that is kept it is 50
pages; the others wait for the next run."""
SILENCES = 8
"""Requests in a row without any answer, after which a host is left alone for the run: twice as many as are on their way
at once, so that other pages of it had their chance. At 20 s each, one by one, it has cost under three minutes."""
BUSY_ANSWERS = 3
"""Answers in a row that ask for more than `RETRY_AFTER_SECONDS`, after which a host is left alone for the run. One can
be the page's own; a host that means it says so again."""

# ---- what is parsed
TAGS = 200_000
"""Of 800 saved news pages none has more than 6,200."""
ATTRIBUTES_A_TAG = 500
"""Of 800 saved news pages none has a tag with more than 49."""
DEPTH = 200
"""Open elements; real pages stay below 60."""
JSON_LD_BYTES = 1024 * 1024
"""Of one block. Of 654 on saved news pages the largest has 840 KB, and one in a hundred more than 18."""
DATE_CHARACTERS = 64
"""A date written out in full has 40; parsers of dates take very long over very long texts."""
FIRST_YEAR = 1990
"""Before it there was no web: an earlier year is a template's default or a slip."""

READERS = 4
"""Processes that read at once: the run itself stores what they have read, and cannot keep up with more."""
READING_SECONDS = 20
"""Of processor time for one answer. Of pages at all limits the worst takes 6 to 12, by the machine; real ones 0.02."""
READING_BYTES = 512 * 1024 * 1024
"""Of address space beyond what a reader starts with. A page at all limits takes 330 MB."""
READER_BYTES = 150 * 1024 * 1024
"""Of memory beyond what a reader starts with, from which on it is let go after its answer: what large pages took is
not all given back."""
LARGE_BYTES = 512 * 1024
"""Of an answer, from which on it is read while no other large one is: what readers take together stays bounded. Of real
news pages 2 in 100 are larger."""
READING_WAIT_SECONDS = 60
"""For an answer that a reader has: where it neither ends nor costs processor time, the machine stands still."""

COMMENT_PAGES = 20
"""Further pages, feeds and answers of an interface for one article's comments. With WordPress's 50 comments a page that
is 1,000; the longest threads measured have 39 pages."""

# ---- what is imported
EXPORT_HEAD_BYTES = 64 * 1024
"""Of an export, to tell what wrote it; WordPress puts 2 KB of instructions before its first element."""
EXPORT_JSON_BYTES = 256 * 1024 * 1024
"""An export that is one JSON document is read whole, at about five times its size. XML, CSV and JSON lines have no
limit."""

# ---- what is stored
HEADLINE_CHARACTERS = 500
"""Of 903 on saved news pages none has more than 175."""
SUMMARY_CHARACTERS = 5_000
"""Of 679 on saved news pages none has more than 3,200."""
BODY_CHARACTERS = 1_000_000
"""About 150,000 words: a book."""
COMMENT_CHARACTERS = 20_000
"""Seven printed pages; finding links takes time with its length."""
COMMENTS_A_PAGE = 5_000
"""The longest threads measured have 39 pages of 50; what is left out is counted."""
REPLY_DEPTH = 50
"""WordPress allows 10 levels. Deeper replies hang under their ancestor at this depth."""
AUTHORS = 50
"""Of one article; more are no byline but a list of staff."""
AUTHOR_CHARACTERS = 200
"""Of one name, with title and office."""
TAGS_AN_ARTICLE = 50
"""Keywords; more of them describe nothing."""
LINKS_AN_ARTICLE = 500
"""In the text of one article, with room for a long list of sources."""
LINKS_A_COMMENT = 200
"""Ten are spam already; what lies beyond changes no verdict."""
URL_CHARACTERS = 2_000
"""Of 138,000 links on saved news pages one in a thousand has more than 590."""
DETAIL_CHARACTERS = 500
"""Of why a row is what it is: a sentence or two, not what a server sent."""

# ---- what is archived
ARCHIVE_BYTES = 20 * 1000**3
"""Of all files together; the oldest go. Half a million pages of 40 KB: with 80 sources a good year."""
ARCHIVE_FILE_BYTES = 256 * 1024**2
"""Of one file, about 6,500 pages: what goes, goes by whole files, and the tools for WARC are made for up to 1 GB."""
ARCHIVE_FILES = 8
"""In which a small archive is kept at least, so that its limit can be kept to."""
ARCHIVE_FILE_DAYS = 30
"""How long one file is appended to: pages can be let go by their age."""
ARCHIVE_LEVEL = 2
"""Of ISA-L's gzip, 0 to 3. A page of 169 KB (mean of 300 news pages) takes 0.5 ms and 36.9 KB; at level 3 it takes
1.1 ms and 35.7 KB. zlib takes 2.1 ms and 38.0 KB at its level 1, 2.4 ms and 35.9 KB at 3."""
ARCHIVE_SPARED_BYTES = 200 * 1000**2
"""Free space that the archive leaves: the database, which is worth more, has to write too."""

# ---- what is compared
SAME_TEXTS = 20
"""Other places of one text that are looked for and counted: more say nothing new, and a text that stands under ten
thousand articles must not be looked up a hundred million times."""

# ---- what counts as trouble
FAILED_SHARE = 0.05
"""A source whose pages fail more often than this is in trouble."""
FEW_LOST = 1
"""Pages that may be lost in any run, however few it asked for: one time-out is no trouble. Not where the share is 0."""
CLOCKS = 3
"""Sources whose servers must have told the time before our own clock is called wrong: one may be wrong itself."""
