"""The tables, indexes, triggers and views, as each migration makes them. Append only, as the migrations are.

Each table and column is described by the comment behind it. SQLite keeps those comments, so that the database
explains itself to whoever opens it, and `docs/database.md` is made from them.
"""

from __future__ import annotations

TABLES = (
    """
CREATE TABLE sources ( -- The sites that are watched, as their TOML files last said.
  id TEXT PRIMARY KEY, -- The name of its TOML file.
  name TEXT NOT NULL, -- What people call it.
  home TEXT NOT NULL, -- URL of its front page.
  country TEXT NOT NULL, -- ISO 3166 code; empty when unknown.
  language TEXT NOT NULL, -- BCP 47 code; empty when unknown.
  kind TEXT NOT NULL, -- What sort of source it is: news, forum, agency, think tank.
  enabled INTEGER NOT NULL, -- 1 when a crawl of everything visits it.
  note TEXT NOT NULL -- What a person should know about it.
) STRICT
""",
    """
CREATE TABLE runs ( -- Every crawl, how it ended and what it amounted to.
  id INTEGER PRIMARY KEY, -- Number of the run.
  started_at TEXT NOT NULL, -- UTC.
  ended_at TEXT, -- UTC; NULL while it runs, and for one that was killed.
  status TEXT NOT NULL, -- running, ok, trouble, failed, interrupted.
  exit_code INTEGER, -- What the command returned; NULL while it runs.
  version TEXT NOT NULL, -- The watchfloor that ran.
  problems TEXT NOT NULL, -- JSON list of {name, source, detail}.
  CHECK (status IN ('running', 'ok', 'trouble', 'failed', 'interrupted'))
) STRICT
""",
    """
CREATE TABLE run_sources ( -- What one run did at one source.
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
  skipped INTEGER NOT NULL, -- Links not fetched, by rule: robots.txt, caps, foreign hosts.
  gone INTEGER NOT NULL, -- Known pages that answered 404 or 410.
  comments_new INTEGER NOT NULL, -- Comments stored for the first time.
  comments_flagged INTEGER NOT NULL, -- Comments newly held for review.
  bytes INTEGER NOT NULL, -- Bytes downloaded.
  seconds REAL NOT NULL, -- From the source's first request to its last answer.
  PRIMARY KEY (run_id, source_id)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE articles ( -- Evidence: what the sites published, as last seen.
  id INTEGER PRIMARY KEY, -- Number of the article.
  url TEXT NOT NULL UNIQUE, -- The address it is known by.
  source_id TEXT NOT NULL REFERENCES sources(id), -- Where it stands.
  headline TEXT NOT NULL, -- The headline, without the site's name.
  summary TEXT NOT NULL, -- The standfirst or description; empty without one.
  body TEXT NOT NULL, -- The text in reading order, headings included, blocks divided by empty lines.
  blocks TEXT NOT NULL, -- JSON list: the kind of each block of the body: h1 to h6, paragraph, item, quote, row, caption, code.
  authors TEXT NOT NULL, -- JSON list of names.
  published_at TEXT, -- UTC with Z; without Z the site named no zone; a bare day when it named only that.
  published_raw TEXT NOT NULL, -- The text that published_at was read from.
  modified_at TEXT, -- When the site says it last changed; spelled like published_at.
  modified_raw TEXT NOT NULL, -- The text that modified_at was read from.
  canonical_url TEXT NOT NULL, -- As the page states it, on whatever host; empty without one.
  site_name TEXT NOT NULL, -- As the page states it.
  section TEXT NOT NULL, -- The site's section or category.
  tags TEXT NOT NULL, -- JSON list.
  language TEXT NOT NULL, -- BCP 47 code; empty when unknown.
  image_url TEXT NOT NULL, -- The lead image.
  image_caption TEXT NOT NULL, -- Its caption.
  kind TEXT NOT NULL, -- article, live blog, forum thread.
  paywalled INTEGER, -- 1 or 0 as the page says; NULL when it does not say.
  comments_state TEXT NOT NULL, -- open, closed, none, script (loaded by a script, not on the page), unknown.
  links TEXT NOT NULL, -- JSON: [{url, text}], the links the article itself makes.
  revision INTEGER NOT NULL, -- 1 at first; one more for each edit of headline, summary, body, authors or date.
  first_seen_at TEXT NOT NULL, -- UTC.
  first_run_id INTEGER NOT NULL REFERENCES runs(id), -- The run that stored it.
  changed_at TEXT NOT NULL, -- UTC; when this row last changed.
  gone_at TEXT -- UTC; when its page was found to be gone (404 or 410). NULL while it stands.
) STRICT
""",
    "CREATE INDEX articles_by_source ON articles (source_id, published_at)",
    "CREATE INDEX articles_by_time ON articles (published_at)",
    """
CREATE TABLE article_revisions ( -- Evidence: earlier versions of articles, each as it stood before an edit.
  article_id INTEGER NOT NULL REFERENCES articles(id), -- The article.
  revision INTEGER NOT NULL, -- Which version this was.
  headline TEXT NOT NULL, -- As it was.
  summary TEXT NOT NULL, -- As it was.
  body TEXT NOT NULL, -- As it was.
  blocks TEXT NOT NULL, -- As they were.
  authors TEXT NOT NULL, -- As they were.
  published_at TEXT, -- As it was.
  modified_at TEXT, -- As it was.
  changed TEXT NOT NULL, -- JSON list: the fields that the next version changed.
  replaced_at TEXT NOT NULL, -- UTC; when the next version was seen.
  replaced_run_id INTEGER NOT NULL REFERENCES runs(id), -- The run that saw it.
  PRIMARY KEY (article_id, revision)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE field_evidence ( -- Evidence: where each field of an article was read from, and what stood there.
  article_id INTEGER NOT NULL REFERENCES articles(id), -- The article.
  field TEXT NOT NULL, -- headline, authors, published, …
  origin TEXT NOT NULL, -- json-ld, microdata, meta …, h1, time, url, feed, sitemap, …
  raw TEXT NOT NULL, -- The value as it stood there.
  chosen INTEGER NOT NULL, -- 1 for the one that was believed.
  PRIMARY KEY (article_id, field, origin)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE comments ( -- Evidence: reader comments, as last seen. The text is kept raw.
  id INTEGER PRIMARY KEY, -- Number of the comment; what `decide` takes.
  article_id INTEGER NOT NULL REFERENCES articles(id), -- The article it hangs under.
  key TEXT NOT NULL, -- What it is known by: `id:` and the site's id, or `fp:` and a fingerprint of author, time and text.
  site_id TEXT NOT NULL, -- The id that the site gave it; empty without one.
  parent_key TEXT, -- Key of the comment it replies to, under the same article; NULL at top level.
  depth INTEGER NOT NULL, -- 0 at top level.
  position INTEGER NOT NULL, -- Place on the page when first seen, from 0.
  kind TEXT NOT NULL, -- comment, pingback, trackback.
  author TEXT NOT NULL, -- As shown; empty without one.
  author_url TEXT NOT NULL, -- Where the author's name links to.
  posted_at TEXT, -- Spelled like articles.published_at.
  posted_raw TEXT NOT NULL, -- The text that posted_at was read from.
  text TEXT NOT NULL, -- What it says, paragraphs divided by empty lines.
  hrefs TEXT NOT NULL, -- JSON: [{url, text}], the hyperlinks in it.
  edited INTEGER NOT NULL, -- 1 when the site marks it as edited.
  deleted INTEGER NOT NULL, -- 1 when the site marks it as deleted.
  by_staff INTEGER NOT NULL, -- 1 when the site marks its author as staff.
  cut INTEGER NOT NULL, -- Characters beyond the limit that were not stored.
  fingerprint TEXT NOT NULL, -- Of author, text and hrefs: another one is another revision.
  revision INTEGER NOT NULL, -- 1 at first; one more for each edit.
  first_seen_at TEXT NOT NULL, -- UTC.
  first_run_id INTEGER NOT NULL REFERENCES runs(id), -- The run that stored it.
  changed_at TEXT NOT NULL, -- UTC; when this row last changed.
  gone_at TEXT, -- UTC; when it was no longer on its page. NULL while it is.
  UNIQUE (article_id, key)
) STRICT
""",
    "CREATE INDEX comments_by_author ON comments (author)",
    """
CREATE TABLE comment_revisions ( -- Evidence: earlier versions of comments, each as it stood before an edit.
  comment_id INTEGER NOT NULL REFERENCES comments(id), -- The comment.
  revision INTEGER NOT NULL, -- Which version this was.
  author TEXT NOT NULL, -- As it was.
  author_url TEXT NOT NULL, -- As it was.
  text TEXT NOT NULL, -- As it was.
  hrefs TEXT NOT NULL, -- As they were.
  replaced_at TEXT NOT NULL, -- UTC; when the next version was seen.
  replaced_run_id INTEGER NOT NULL REFERENCES runs(id), -- The run that saw it.
  PRIMARY KEY (comment_id, revision)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE links ( -- Evidence: the links found in comments, however disguised, for each version of a comment.
  comment_id INTEGER NOT NULL REFERENCES comments(id), -- The comment.
  revision INTEGER NOT NULL, -- Which version of it.
  number INTEGER NOT NULL, -- From 0, in order.
  start INTEGER NOT NULL, -- Where it stands in the text, in characters from 0; start = stop for one that is not in the text.
  stop INTEGER NOT NULL, -- Where it ends.
  text TEXT NOT NULL, -- What the comment says.
  url TEXT NOT NULL, -- The address meant.
  host TEXT NOT NULL, -- Its host; IDN as punycode.
  domain TEXT NOT NULL, -- Its registrable domain.
  place TEXT NOT NULL, -- text, href, author.
  disguise TEXT NOT NULL, -- How it was disguised; empty for a plain one.
  PRIMARY KEY (comment_id, revision, number)
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX links_by_domain ON links (domain)",
    """
CREATE TABLE verdicts ( -- Ours: everything that rules, models and people ever said of a comment. Never changed, never removed.
  id INTEGER PRIMARY KEY, -- Number of the verdict.
  comment_id INTEGER NOT NULL REFERENCES comments(id), -- The comment.
  revision INTEGER NOT NULL, -- The version of it that was judged.
  said TEXT NOT NULL, -- flagged or clean by rules and models; spam, ok or undo by people.
  score REAL, -- Higher is worse; NULL for a person's.
  reasons TEXT NOT NULL, -- JSON: [{name, weight, start, end, note}].
  judge TEXT NOT NULL, -- rules@VERSION, model@VERSION, or the person's name.
  person INTEGER NOT NULL, -- 1 for a person.
  note TEXT NOT NULL, -- What the person wrote with it.
  undoes INTEGER REFERENCES verdicts(id), -- For an undo: the decision taken back.
  at TEXT NOT NULL, -- UTC.
  run_id INTEGER REFERENCES runs(id), -- The run it was given in; NULL outside of one.
  CHECK (said IN ('flagged', 'clean', 'spam', 'ok', 'undo')),
  CHECK (person = (said IN ('spam', 'ok', 'undo'))),
  CHECK ((said = 'undo') = (undoes IS NOT NULL))
) STRICT
""",
    "CREATE INDEX verdicts_by_comment ON verdicts (comment_id, id)",
    "CREATE UNIQUE INDEX verdicts_undone ON verdicts (undoes) WHERE undoes IS NOT NULL",
    """
CREATE TABLE standing ( -- Ours: which verdict now holds for each comment. Kept by triggers, from verdicts alone.
  comment_id INTEGER PRIMARY KEY REFERENCES comments(id), -- The comment.
  verdict_id INTEGER NOT NULL REFERENCES verdicts(id), -- The verdict that holds.
  state TEXT NOT NULL, -- flagged (waits for a person), clean, spam, ok.
  score REAL -- The rules' latest score for this version.
) STRICT
""",
    "CREATE INDEX standing_queue ON standing (state, score DESC, comment_id)",
    """
CREATE TABLE fetches ( -- Ours: the ledger. One row for every URL ever taken up, with what became of it last.
  url TEXT PRIMARY KEY, -- As it was asked for, spelled our one way.
  source_id TEXT NOT NULL REFERENCES sources(id), -- The source it belongs to.
  kind TEXT NOT NULL, -- page or listing.
  outcome TEXT NOT NULL, -- read (a listing), stored, unchanged, rejected, failed, skipped, gone.
  reason TEXT NOT NULL, -- Why, in a few words; empty for read, stored and unchanged.
  detail TEXT NOT NULL, -- More about it.
  status INTEGER, -- HTTP status; NULL when there was no answer.
  final_url TEXT NOT NULL, -- Where redirects ended, when elsewhere.
  found_on TEXT NOT NULL, -- The listing that offered it.
  article_id INTEGER REFERENCES articles(id), -- The article it gave.
  bytes INTEGER NOT NULL, -- Size of the last answer.
  etag TEXT NOT NULL, -- For If-None-Match; saved with the article, never before it.
  last_modified TEXT NOT NULL, -- For If-Modified-Since.
  cleaned_by TEXT NOT NULL, -- The version of the cleaning that etag and last_modified belong to.
  links_found INTEGER NOT NULL, -- For a listing: links it offered.
  links_left_out INTEGER NOT NULL, -- For a listing: links beyond the cap.
  failures INTEGER NOT NULL, -- Failures in a row.
  first_seen_at TEXT NOT NULL, -- UTC.
  fetched_at TEXT NOT NULL, -- UTC; the last visit.
  run_id INTEGER NOT NULL REFERENCES runs(id), -- The run of the last visit.
  CHECK (outcome IN ('read', 'stored', 'unchanged', 'rejected', 'failed', 'skipped', 'gone'))
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX fetches_by_article ON fetches (article_id)",
    "CREATE INDEX fetches_by_source ON fetches (source_id, outcome)",
    """
CREATE TABLE cuts ( -- Ours: what a limit left out of a page. Never silent.
  article_id INTEGER NOT NULL REFERENCES articles(id), -- The article.
  name TEXT NOT NULL, -- The limit's name.
  kept INTEGER NOT NULL, -- How many were kept.
  left_out INTEGER NOT NULL, -- How many were not.
  unit TEXT NOT NULL, -- comments, characters, levels, …
  PRIMARY KEY (article_id, name)
) STRICT, WITHOUT ROWID
""",
)

SEARCH = (
    """
CREATE VIRTUAL TABLE articles_fts USING fts5 (
  headline, summary, body, content='articles', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
)
""",
    """
CREATE TRIGGER articles_fts_insert AFTER INSERT ON articles BEGIN
  INSERT INTO articles_fts (rowid, headline, summary, body) VALUES (new.id, new.headline, new.summary, new.body);
END
""",
    """
CREATE TRIGGER articles_fts_delete AFTER DELETE ON articles BEGIN
  INSERT INTO articles_fts (articles_fts, rowid, headline, summary, body)
    VALUES ('delete', old.id, old.headline, old.summary, old.body);
END
""",
    """
CREATE TRIGGER articles_fts_update AFTER UPDATE OF headline, summary, body ON articles BEGIN
  INSERT INTO articles_fts (articles_fts, rowid, headline, summary, body)
    VALUES ('delete', old.id, old.headline, old.summary, old.body);
  INSERT INTO articles_fts (rowid, headline, summary, body) VALUES (new.id, new.headline, new.summary, new.body);
END
""",
)

STANDING = (
    """
CREATE VIEW holding AS -- The verdict that holds for each comment: a person's on its present version, else the rules'.
SELECT c.id AS comment_id, v.id AS verdict_id, v.said AS state,
  (SELECT r.score FROM verdicts r WHERE r.comment_id = c.id AND r.revision = c.revision AND NOT r.person
    ORDER BY r.id DESC LIMIT 1) AS score
FROM comments c JOIN verdicts v ON v.id = (
  SELECT w.id FROM verdicts w
  WHERE w.comment_id = c.id AND w.revision = c.revision AND w.said <> 'undo'
    AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = w.id)
  ORDER BY w.person DESC, w.id DESC LIMIT 1)
""",
    """
CREATE TRIGGER verdicts_kept AFTER INSERT ON verdicts BEGIN
  DELETE FROM standing WHERE comment_id = new.comment_id;
  INSERT INTO standing (comment_id, verdict_id, state, score)
    SELECT comment_id, verdict_id, state, score FROM holding WHERE comment_id = new.comment_id;
END
""",
    """
CREATE TRIGGER verdicts_never_change BEFORE UPDATE ON verdicts BEGIN
  SELECT RAISE(ABORT, 'verdicts are never changed');
END
""",
    """
CREATE TRIGGER verdicts_never_go BEFORE DELETE ON verdicts BEGIN
  SELECT RAISE(ABORT, 'verdicts are never removed');
END
""",
)

VIEWS = (
    """
CREATE VIEW latest_articles AS -- Articles, the newest first.
SELECT a.id, a.source_id, s.name AS source, a.headline, a.summary, a.url, a.authors, a.published_at, a.language,
  a.first_seen_at, a.revision, a.gone_at,
  (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.kind = 'comment') AS comments
FROM articles a JOIN sources s ON s.id = a.source_id
ORDER BY coalesce(a.published_at, a.first_seen_at) DESC, a.id DESC
""",
    """
CREATE VIEW flagged_comments AS -- Comments that wait for a person, the worst first, with why.
SELECT c.id, t.score, t.verdict_id, c.author, c.author_url, c.posted_at, c.text, v.reasons, v.judge, v.at AS judged_at,
  c.revision, c.article_id, a.headline, a.url, a.source_id, c.gone_at
FROM standing t JOIN comments c ON c.id = t.comment_id JOIN verdicts v ON v.id = t.verdict_id
JOIN articles a ON a.id = c.article_id
WHERE t.state = 'flagged'
ORDER BY t.score DESC, c.id
""",
    """
CREATE VIEW spam_domains AS -- Registrable domains in comments, with how people decided on those comments.
SELECT l.domain, count(DISTINCT l.comment_id) AS comments,
  count(DISTINCT CASE WHEN t.state = 'spam' THEN l.comment_id END) AS spam,
  count(DISTINCT CASE WHEN t.state = 'ok' THEN l.comment_id END) AS ok,
  count(DISTINCT CASE WHEN t.state = 'flagged' THEN l.comment_id END) AS waiting
FROM links l JOIN comments c ON c.id = l.comment_id AND c.revision = l.revision
LEFT JOIN standing t ON t.comment_id = l.comment_id
WHERE l.domain <> '' GROUP BY l.domain ORDER BY comments DESC, l.domain
""",
)


LEARNING = (
    """
CREATE TABLE domain_rules ( -- Ours: every word of a person on a domain. Append only; the last one on a domain holds.
  id INTEGER PRIMARY KEY, -- Number of the rule.
  domain TEXT NOT NULL, -- The domain; hosts below it too.
  said TEXT NOT NULL, -- allow, deny, or none: neither any more.
  source_id TEXT NOT NULL, -- The source under whose articles it holds; empty for all.
  note TEXT NOT NULL, -- Why.
  judge TEXT NOT NULL, -- Who said so.
  at TEXT NOT NULL, -- UTC.
  CHECK (said IN ('allow', 'deny', 'none'))
) STRICT
""",
    "CREATE INDEX domain_rules_by_domain ON domain_rules (domain, source_id, id)",
    """
CREATE TRIGGER domain_rules_never_change BEFORE UPDATE ON domain_rules BEGIN
  SELECT RAISE(ABORT, 'domain rules are never changed');
END
""",
    """
CREATE TRIGGER domain_rules_never_go BEFORE DELETE ON domain_rules BEGIN
  SELECT RAISE(ABORT, 'domain rules are never removed');
END
""",
    """
CREATE VIEW domain_rules_now AS -- The domain rules that hold.
SELECT id, domain, said, source_id, note, judge, at FROM domain_rules d
WHERE said <> 'none' AND id = (SELECT max(id) FROM domain_rules e WHERE e.domain = d.domain AND e.source_id = d.source_id)
ORDER BY domain, source_id
""",
    """
CREATE TABLE models ( -- Ours: what was learnt from people's decisions, each time. The latest is used.
  version INTEGER PRIMARY KEY, -- Number of the model: model@VERSION in verdicts.
  decisions INTEGER NOT NULL, -- How many decisions stood when it was trained.
  summary TEXT NOT NULL, -- JSON: what it was trained from, and how it does on decisions that it did not see.
  body TEXT NOT NULL, -- JSON: the model.
  trained_at TEXT NOT NULL -- UTC.
) STRICT
""",
    "CREATE INDEX comments_by_text ON comments (substr(text, 1, 60))",
    "CREATE INDEX verdicts_of_people ON verdicts (id) WHERE person",
    """
CREATE VIEW sampled AS -- The blind sample: every fiftieth comment, picked by its number as if at random.
SELECT id AS comment_id FROM comments WHERE id * 2654435761 % 4294967296 < 85899346
""",
    """
CREATE VIEW queue AS -- What a person is shown: flagged_comments and, unmarked among them from the twentieth decision on, the unflagged ones of the blind sample.
SELECT c.id, t.score, t.verdict_id, c.author, c.author_url, c.posted_at, c.text, v.reasons, v.judge, v.at AS judged_at,
  c.revision, c.article_id, a.headline, a.url, a.source_id, c.gone_at
FROM standing t JOIN comments c ON c.id = t.comment_id JOIN verdicts v ON v.id = t.verdict_id
JOIN articles a ON a.id = c.article_id
WHERE t.state = 'flagged' OR (t.state = 'clean' AND t.comment_id IN (SELECT comment_id FROM sampled)
  AND (SELECT count(*) FROM (SELECT 1 FROM verdicts WHERE person LIMIT 20)) = 20)
ORDER BY CASE t.state WHEN 'flagged' THEN t.score ELSE 2 + c.id * 40503 % 1024 / 512.0 END DESC, c.id
""",
)


TEXT_KEYS = (
    """
CREATE TABLE text_keys ( -- Ours: by what a text that says nearly the same is found, without a look at the others.
  article_id INTEGER NOT NULL REFERENCES articles(id), -- The article that the comment hangs under.
  comment_id INTEGER NOT NULL REFERENCES comments(id), -- The comment.
  key INTEGER NOT NULL, -- One of up to six that moderation.campaigns.near_keys makes of its present text.
  PRIMARY KEY (article_id, comment_id, key)
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX text_keys_by_key ON text_keys (key)",
    "DROP INDEX comments_by_text",
)

SCHEDULE = {
    "fetches": """
CREATE TABLE fetches_next ( -- Ours: the ledger. One row for every URL ever taken up, with what became of it last.
  url TEXT PRIMARY KEY, -- As it was asked for, spelled our one way.
  source_id TEXT NOT NULL REFERENCES sources(id), -- The source it belongs to.
  kind TEXT NOT NULL, -- page or listing.
  outcome TEXT NOT NULL, -- read (a listing), stored, unchanged, rejected, failed, skipped, gone.
  reason TEXT NOT NULL, -- Why, in a few words; empty for read, stored and unchanged.
  detail TEXT NOT NULL, -- More about it.
  status INTEGER, -- HTTP status; NULL when there was no answer.
  final_url TEXT NOT NULL, -- Where redirects ended, when elsewhere.
  found_on TEXT NOT NULL, -- The listing that offered it.
  article_id INTEGER REFERENCES articles(id), -- The article it gave.
  bytes INTEGER NOT NULL, -- Size of the last answer.
  etag TEXT NOT NULL, -- For If-None-Match; saved with the article, never before it.
  last_modified TEXT NOT NULL, -- For If-Modified-Since.
  cleaned_by TEXT NOT NULL, -- The version of the cleaning that etag and last_modified belong to.
  lastmod TEXT NOT NULL, -- When the listing said that the page had changed last; empty where it did not say.
  links_found INTEGER NOT NULL, -- For a listing: links it offered.
  links_left_out INTEGER NOT NULL, -- For a listing: links beyond the cap.
  failures INTEGER NOT NULL, -- Failures in a row.
  first_seen_at TEXT NOT NULL, -- UTC.
  fetched_at TEXT NOT NULL, -- UTC; the last visit.
  run_id INTEGER NOT NULL REFERENCES runs(id), -- The run of the last visit.
  CHECK (outcome IN ('read', 'stored', 'unchanged', 'rejected', 'failed', 'skipped', 'gone'))
) STRICT, WITHOUT ROWID
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
  skipped INTEGER NOT NULL, -- Links not fetched, by rule: robots.txt, caps, foreign hosts.
  not_due INTEGER NOT NULL, -- Links to known pages that were not asked for: nothing speaks for a change yet.
  gone INTEGER NOT NULL, -- Known pages that answered 404 or 410.
  comments_new INTEGER NOT NULL, -- Comments stored for the first time.
  comments_flagged INTEGER NOT NULL, -- Comments newly held for review.
  bytes INTEGER NOT NULL, -- Bytes downloaded.
  seconds REAL NOT NULL, -- From the source's first request to its last answer.
  PRIMARY KEY (run_id, source_id)
) STRICT, WITHOUT ROWID
""",
}
"""Tables made anew, under the name that they have meanwhile."""
SCHEDULE_INDEXES = (
    "CREATE INDEX fetches_by_article ON fetches (article_id)",
    "CREATE INDEX fetches_by_source ON fetches (source_id, outcome)",
)
