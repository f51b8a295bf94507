"""The tables that a crawler without an operator needs: what ran, at what pace, what it read, where the raw pages lie.

Append only, as `db.schema` is.
"""

from __future__ import annotations

ANEW = {
    "sources": """
CREATE TABLE sources_next ( -- The sites that are watched, as their TOML files last said.
  id TEXT PRIMARY KEY, -- The name of its TOML file.
  name TEXT NOT NULL, -- What people call it.
  home TEXT NOT NULL, -- URL of its front page.
  country TEXT NOT NULL, -- ISO 3166 code; empty when unknown.
  language TEXT NOT NULL, -- BCP 47 code; empty when unknown.
  kind TEXT NOT NULL, -- What sort of source it is: news, blog, agency, official, think-tank, aggregator, forum.
  affiliation TEXT NOT NULL, -- independent, state-affiliated, government; empty when unknown.
  enabled INTEGER NOT NULL, -- 1 when a crawl of everything visits it.
  note TEXT NOT NULL, -- What a person should know about it.
  breaks TEXT NOT NULL -- JSON list: what is known to break there.
) STRICT
""",
    "runs": """
CREATE TABLE runs_next ( -- Everything that brought articles or comments in, how it ended and what it amounted to.
  id INTEGER PRIMARY KEY, -- Number of the run.
  kind TEXT NOT NULL, -- crawl; import (of an export); replay (of archived pages).
  started_at TEXT NOT NULL, -- UTC.
  ended_at TEXT, -- UTC; NULL while it runs, and for one that was killed.
  status TEXT NOT NULL, -- running, ok, trouble, failed, interrupted.
  exit_code INTEGER, -- What the command returned; NULL while it runs.
  version TEXT NOT NULL, -- The watchfloor that ran.
  problems TEXT NOT NULL, -- JSON list of {name, source, detail, since, field, good_url, bad_url}; since is the run in which it began.
  CHECK (kind IN ('crawl', 'import', 'replay')),
  CHECK (status IN ('running', 'ok', 'trouble', 'failed', 'interrupted'))
) STRICT
""",
    "run_sources": """
CREATE TABLE run_sources_next ( -- What one run did at one source.
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, -- The run.
  source_id TEXT NOT NULL REFERENCES sources(id), -- The source.
  listings INTEGER NOT NULL, -- Feeds, sitemaps and section pages read.
  listings_failed INTEGER NOT NULL, -- Listings that could not be fetched or read.
  links INTEGER NOT NULL, -- Links to articles that the listings offered, each once.
  fetched INTEGER NOT NULL, -- Article pages asked for, with any answer or none.
  new INTEGER NOT NULL, -- Articles stored for the first time.
  edited INTEGER NOT NULL, -- Stored articles that had changed.
  unchanged INTEGER NOT NULL, -- Stored articles that had not changed; their new comments are counted apart.
  rejected INTEGER NOT NULL, -- Pages that are no articles.
  failed INTEGER NOT NULL, -- Pages lost to errors: exceptions, 5xx, time-outs, failed saves.
  blocked INTEGER NOT NULL, -- Of those, and of the rejected: pages that we were kept from, by 401, 403, 429, 451 or a bot wall.
  skipped INTEGER NOT NULL, -- Links not fetched, by rule: robots.txt, caps, foreign hosts.
  not_due INTEGER NOT NULL, -- Links to known pages that were not asked for: nothing speaks for a change yet.
  gone INTEGER NOT NULL, -- Known pages that answered 404 or 410.
  comments_new INTEGER NOT NULL, -- Comments stored for the first time.
  comments_flagged INTEGER NOT NULL, -- Comments newly held for review.
  requests INTEGER NOT NULL, -- Requests sent to its hosts, robots.txt, redirects and retries included.
  not_modified INTEGER NOT NULL, -- Of them answered 304: nothing was sent again.
  bytes INTEGER NOT NULL, -- Bytes downloaded.
  bytes_saved INTEGER NOT NULL, -- Bytes that 304 answers did not send again: the size of those pages when they last came.
  delay_asked REAL NOT NULL, -- Seconds between two requests to one host: the source's own, or what robots.txt asks for where that is longer.
  delay_kept REAL, -- Shortest time between two requests to one host, in seconds; NULL for less than two.
  seconds REAL NOT NULL, -- From the source's first request to its last answer.
  resting INTEGER NOT NULL, -- 1 when it was left alone, in quarantine after failures.
  PRIMARY KEY (run_id, source_id)
) STRICT, WITHOUT ROWID
""",
}
"""Tables made anew, each under the name that it has meanwhile."""

ADDED = {
    "sources": {"affiliation": "''", "breaks": "'[]'"},
    "runs": {
        "kind": "CASE WHEN ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM run_sources t WHERE t.run_id = runs.id)"
        " THEN 'import' ELSE 'crawl' END"
    },
    "run_sources": {
        "blocked": "0",
        "requests": "listings + fetched",
        "not_modified": "0",
        "bytes_saved": "0",
        "delay_asked": "0.0",
        "delay_kept": "NULL",
        "resting": "0",
    },
}
"""What rows from before have in the columns that they lack, in SQL."""

TABLES = (
    """
CREATE TABLE run_fields ( -- How many of the articles that a run read at a source had each field: drift shows here.
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, -- The run.
  source_id TEXT NOT NULL REFERENCES sources(id), -- The source.
  field TEXT NOT NULL, -- headline, authors, published, published_time, body, summary, image, section, comments; article (it was one), page (it could be read), let in (we were not blocked).
  read INTEGER NOT NULL, -- Articles that spoke for it: those read for the first time, or changed in it; for the last three, pages.
  filled INTEGER NOT NULL, -- Those of them that had it.
  filled_url TEXT NOT NULL, -- The last of these; empty without one.
  missing_url TEXT NOT NULL, -- The first that did not have it; empty without one.
  PRIMARY KEY (run_id, source_id, field)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE robots ( -- Evidence: the robots.txt of each host, as it last came.
  host TEXT PRIMARY KEY, -- The host, with its port where that is not the usual one.
  text TEXT NOT NULL, -- What it says, up to a limit.
  fetched_at TEXT NOT NULL, -- UTC; the end of the run that read it.
  run_id INTEGER NOT NULL REFERENCES runs(id) -- The run that read it.
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX run_sources_by_source ON run_sources (source_id, run_id)",
    "CREATE INDEX run_fields_by_source ON run_fields (source_id, field, run_id)",
    """
CREATE TABLE captures ( -- Ours: where the raw answers lie in the archive's WARC files, for `watchfloor replay`.
  id INTEGER PRIMARY KEY, -- Number of the capture.
  run_id INTEGER NOT NULL REFERENCES runs(id), -- The run that fetched it.
  source_id TEXT NOT NULL REFERENCES sources(id), -- The source it belongs to.
  url TEXT NOT NULL, -- As it was asked for, as in fetches.
  role TEXT NOT NULL, -- page, or comments: a further page, feed or interface with an article's comments.
  page_url TEXT NOT NULL, -- For comments: the url of the page whose comments they are; else empty.
  found TEXT NOT NULL, -- For a page, JSON: what the listing said of it.
  file TEXT NOT NULL, -- The WARC file, in the archive's folder; empty for a page that was read and not kept.
  start INTEGER NOT NULL, -- Where its record begins there, in bytes.
  length INTEGER NOT NULL, -- Length of the record there, in bytes.
  at TEXT NOT NULL, -- UTC.
  CHECK (role IN ('page', 'comments'))
) STRICT
""",
    "CREATE INDEX captures_by_url ON captures (url, id)",
    "CREATE INDEX captures_by_page ON captures (page_url, run_id) WHERE page_url <> ''",
    "CREATE INDEX captures_by_file ON captures (file, start)",
)
