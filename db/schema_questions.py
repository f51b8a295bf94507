"""What makes the database answer questions: an index filled in batches, stories, kept searches, and the views that stay put.

Append only, as `db.schema` is.
"""

from __future__ import annotations

ANEW = {
    "article_revisions": """
CREATE TABLE article_revisions_next ( -- Evidence: earlier versions of articles, each as it stood before an edit.
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
  words_gone INTEGER NOT NULL, -- Words of headline, summary and body that the next version does not have.
  words_new INTEGER NOT NULL, -- Words of the next version's that this one does not have.
  replaced_at TEXT NOT NULL, -- UTC; when the next version was seen.
  replaced_run_id INTEGER NOT NULL REFERENCES runs(id), -- The run that saw it.
  PRIMARY KEY (article_id, revision)
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
  redesigned INTEGER NOT NULL, -- 1 when its articles changed all at once and in the same way: its template did, not they.
  PRIMARY KEY (run_id, source_id)
) STRICT, WITHOUT ROWID
""",
    "standing": """
CREATE TABLE standing_next ( -- Ours: which verdict now holds for each comment. Kept by triggers, from verdicts alone.
  comment_id INTEGER PRIMARY KEY REFERENCES comments(id), -- The comment.
  verdict_id INTEGER NOT NULL REFERENCES verdicts(id), -- The verdict that holds.
  state TEXT NOT NULL, -- flagged (waits for a person), clean, spam, ok.
  score REAL, -- The rules' latest score for this version.
  place REAL -- Where it stands in the queue, the highest first: the score of a flagged one; drawn by its number for one of the blind sample; NULL for all others.
) STRICT
""",
}
"""Tables made anew, each under the name that it has meanwhile."""

PLACE = """
  CASE WHEN state = 'flagged' THEN coalesce(score, 0.0)
    WHEN state = 'clean' AND comment_id * 2654435761 % 4294967296 < 85899346
    THEN 2 + comment_id * 40503 % 1024 / 512.0 END"""
"""The place in the queue, of a row with comment_id, state and score: every fiftieth comment is in the blind sample."""

ADDED = {
    "article_revisions": {"words_gone": "0", "words_new": "0"},
    "run_sources": {"redesigned": "0"},
    "standing": {"place": PLACE},
}
"""What rows from before have in the columns that they lack, in SQL."""

DROPPED = (
    "DROP VIEW queue",
    "DROP VIEW latest_articles",
    "DROP VIEW flagged_comments",
    "DROP VIEW spam_domains",
    "DROP VIEW holding",
    "DROP TRIGGER verdicts_kept",
    "DROP TRIGGER verdicts_never_go",
    "DROP TRIGGER articles_fts_insert",
    "DROP TRIGGER articles_fts_delete",
    "DROP TRIGGER articles_fts_update",
    "DROP TABLE articles_fts",
)

STANDING = (
    """
CREATE VIEW holding AS -- The verdict that holds for each comment: a person's on its present version, else the rules'.
SELECT comment_id, verdict_id, state, score,"""
    + PLACE
    + """ AS place
FROM (SELECT c.id AS comment_id, v.id AS verdict_id, v.said AS state,
  (SELECT r.score FROM verdicts r WHERE r.comment_id = c.id AND r.revision = c.revision AND NOT r.person
    ORDER BY r.id DESC LIMIT 1) AS score
FROM comments c JOIN verdicts v ON v.id = (
  SELECT w.id FROM verdicts w
  WHERE w.comment_id = c.id AND w.revision = c.revision AND w.said <> 'undo'
    AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = w.id)
  ORDER BY w.person DESC, w.id DESC LIMIT 1))
""",
    """
CREATE TRIGGER verdicts_kept AFTER INSERT ON verdicts BEGIN
  DELETE FROM standing WHERE comment_id = new.comment_id;
  INSERT INTO standing (comment_id, verdict_id, state, score, place)
    SELECT comment_id, verdict_id, state, score, place FROM holding WHERE comment_id = new.comment_id;
END
""",
    """
CREATE TRIGGER verdicts_never_go BEFORE DELETE ON verdicts
WHEN old.person OR EXISTS (SELECT 1 FROM comments WHERE id = old.comment_id) BEGIN
  SELECT RAISE(ABORT, 'verdicts are never removed');
END
""",
    "CREATE INDEX standing_queue ON standing (state, score DESC, comment_id)",
    "CREATE INDEX standing_places ON standing (place DESC, comment_id) WHERE place IS NOT NULL",
    "CREATE INDEX run_sources_by_source ON run_sources (source_id, run_id)",
    "CREATE INDEX article_revisions_by_time ON article_revisions (replaced_at)",
)

SEARCH = (
    """
CREATE TABLE articles_to_index ( -- Ours: articles that the search index does not have yet in their present version.
  article_id INTEGER PRIMARY KEY -- The article.
) STRICT
""",
    """
CREATE TABLE comments_to_index ( -- Ours: comments that the search index does not have yet in their present version.
  comment_id INTEGER PRIMARY KEY -- The comment.
) STRICT
""",
    """
CREATE VIRTUAL TABLE articles_fts USING fts5 (
  headline, summary, body, authors, content="articles", content_rowid='id', tokenize="unicode61 remove_diacritics 2"
)
""",
    """
CREATE VIRTUAL TABLE comments_fts USING fts5 (
  text, author, content="comments", content_rowid='id', tokenize="unicode61 remove_diacritics 2"
)
""",
    # What a batch of `db.indexing` gathers is written at once: with the default of 1 MB in several pieces, to be merged later.
    "INSERT INTO articles_fts (articles_fts, rank) VALUES ('hashsize', 8388608)",
    "INSERT INTO comments_fts (comments_fts, rank) VALUES ('hashsize', 8388608)",
    """
CREATE TRIGGER articles_fts_insert AFTER INSERT ON articles BEGIN
  INSERT INTO articles_to_index (article_id) VALUES (new.id);
END
""",
    """
CREATE TRIGGER articles_fts_delete AFTER DELETE ON articles BEGIN
  INSERT INTO articles_fts (articles_fts, rowid, headline, summary, body, authors)
    SELECT 'delete', old.id, old.headline, old.summary, old.body, old.authors
    WHERE NOT EXISTS (SELECT 1 FROM articles_to_index WHERE article_id = old.id);
  DELETE FROM articles_to_index WHERE article_id = old.id;
END
""",
    """
CREATE TRIGGER articles_fts_update AFTER UPDATE OF headline, summary, body, authors ON articles BEGIN
  INSERT INTO articles_fts (articles_fts, rowid, headline, summary, body, authors)
    SELECT 'delete', old.id, old.headline, old.summary, old.body, old.authors
    WHERE NOT EXISTS (SELECT 1 FROM articles_to_index WHERE article_id = old.id);
  INSERT INTO articles_to_index (article_id)
    SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM articles_to_index WHERE article_id = new.id);
END
""",
    """
CREATE TRIGGER comments_fts_insert AFTER INSERT ON comments BEGIN
  INSERT INTO comments_to_index (comment_id) VALUES (new.id);
END
""",
    """
CREATE TRIGGER comments_fts_delete AFTER DELETE ON comments BEGIN
  INSERT INTO comments_fts (comments_fts, rowid, text, author)
    SELECT 'delete', old.id, old.text, old.author
    WHERE NOT EXISTS (SELECT 1 FROM comments_to_index WHERE comment_id = old.id);
  DELETE FROM comments_to_index WHERE comment_id = old.id;
END
""",
    """
CREATE TRIGGER comments_fts_update AFTER UPDATE OF text, author ON comments BEGIN
  INSERT INTO comments_fts (comments_fts, rowid, text, author)
    SELECT 'delete', old.id, old.text, old.author
    WHERE NOT EXISTS (SELECT 1 FROM comments_to_index WHERE comment_id = old.id);
  INSERT INTO comments_to_index (comment_id)
    SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM comments_to_index WHERE comment_id = new.id);
END
""",
    "INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')",
    "INSERT INTO comments_fts (comments_fts) VALUES ('rebuild')",
    "CREATE INDEX articles_by_language ON articles (language, published_at)",
)

STORIES = (
    """
CREATE TABLE articles_to_group ( -- Ours: articles that were not yet compared with the others, in their present version.
  article_id INTEGER PRIMARY KEY -- The article.
) STRICT
""",
    "INSERT INTO articles_to_group (article_id) SELECT id FROM articles",
    """
CREATE TRIGGER articles_group_insert AFTER INSERT ON articles BEGIN
  INSERT INTO articles_to_group (article_id) VALUES (new.id);
END
""",
    """
CREATE TRIGGER articles_group_update AFTER UPDATE OF headline, body, language ON articles BEGIN
  INSERT INTO articles_to_group (article_id)
    SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM articles_to_group WHERE article_id = new.id);
END
""",
    """
CREATE TRIGGER articles_group_delete AFTER DELETE ON articles BEGIN
  DELETE FROM articles_to_group WHERE article_id = old.id;
  DELETE FROM story_keys WHERE article_id = old.id;
  DELETE FROM story_articles WHERE article_id = old.id;
END
""",
    """
CREATE TABLE story_keys ( -- Ours: by what an article that tells the same is found, without a look at the others.
  key INTEGER NOT NULL, -- One of those that pipelines.stories makes of its text.
  article_id INTEGER NOT NULL, -- The article.
  PRIMARY KEY (key, article_id)
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX story_keys_by_article ON story_keys (article_id)",
    """
CREATE TABLE story_articles ( -- Ours: articles that tell the same story, in two versions or more. Marked, never removed.
  article_id INTEGER PRIMARY KEY, -- The article.
  story_id INTEGER NOT NULL, -- The story: the number of the article of it that was stored first.
  like_id INTEGER, -- The article that it was found to be like; NULL for the one that the others were compared with.
  share REAL NOT NULL, -- How much of the shorter one's text stands in the other, 0 to 1; 1 for the first.
  kind TEXT NOT NULL, -- first; copy (the same text), edited, excerpt.
  CHECK (kind IN ('first', 'copy', 'edited', 'excerpt'))
) STRICT
""",
    "CREATE INDEX story_articles_by_story ON story_articles (story_id, article_id)",
)

WATCHES = (
    """
CREATE TABLE watches ( -- Ours: searches that are kept, to be told of what is new.
  id INTEGER PRIMARY KEY, -- Number of the watch.
  name TEXT NOT NULL UNIQUE, -- What it is called.
  query TEXT NOT NULL, -- What to look for, as `watchfloor search` takes it.
  subject TEXT NOT NULL, -- articles or comments.
  added_at TEXT NOT NULL, -- UTC.
  CHECK (subject IN ('articles', 'comments'))
) STRICT
""",
    """
CREATE TABLE watch_matches ( -- Ours: what kept searches found, each thing once.
  watch_id INTEGER NOT NULL REFERENCES watches(id) ON DELETE CASCADE, -- The watch.
  subject_id INTEGER NOT NULL, -- Number of the article, or of the comment.
  run_id INTEGER, -- The run in which it was found; NULL outside of one.
  at TEXT NOT NULL, -- UTC.
  PRIMARY KEY (watch_id, subject_id)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE prunings ( -- Ours: what was removed by policy, each time.
  id INTEGER PRIMARY KEY, -- Number of the removal.
  policy TEXT NOT NULL, -- What was asked for, in words.
  removed TEXT NOT NULL, -- JSON: how many rows of each table.
  by TEXT NOT NULL, -- Who asked.
  at TEXT NOT NULL -- UTC.
) STRICT
""",
)

VIEWS = (
    """
CREATE VIEW latest_articles AS -- Articles, the newest first.
SELECT a.id, a.source_id, s.name AS source, a.headline, a.summary, a.url, a.authors, a.published_at, a.language,
  a.first_seen_at, a.revision, a.gone_at,
  (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.kind = 'comment') AS comments,
  (SELECT t.story_id FROM story_articles t WHERE t.article_id = a.id) AS story_id
FROM articles a CROSS JOIN sources s ON s.id = a.source_id
ORDER BY coalesce(a.published_at, a.first_seen_at) DESC, a.id DESC
""",
    "CREATE INDEX articles_latest ON articles (coalesce(published_at, first_seen_at) DESC, id DESC, source_id, language)",
    "CREATE INDEX comments_latest ON comments (coalesce(posted_at, first_seen_at) DESC, id DESC)",
    """
CREATE VIEW flagged_comments AS -- Comments that wait for a person, the worst first, with why.
SELECT c.id, t.score, t.verdict_id, c.author, c.author_url, c.posted_at, c.text, v.reasons, v.judge, v.at AS judged_at,
  c.revision, c.article_id, a.headline, a.url, a.source_id, c.gone_at
FROM standing t CROSS JOIN comments c ON c.id = t.comment_id JOIN verdicts v ON v.id = t.verdict_id
JOIN articles a ON a.id = c.article_id
WHERE t.state = 'flagged'
ORDER BY t.score DESC, t.comment_id
""",
    """
CREATE VIEW review_queue AS -- What a person is shown: flagged_comments and, unmarked among them from the twentieth decision on, the unflagged ones of the blind sample.
SELECT c.id, t.score, t.verdict_id, c.author, c.author_url, c.posted_at, c.text, v.reasons, v.judge, v.at AS judged_at,
  c.revision, c.article_id, a.headline, a.url, a.source_id, c.gone_at
FROM standing t CROSS JOIN comments c ON c.id = t.comment_id JOIN verdicts v ON v.id = t.verdict_id
JOIN articles a ON a.id = c.article_id
WHERE t.place IS NOT NULL
  AND (t.state = 'flagged' OR (SELECT count(*) FROM (SELECT 1 FROM verdicts WHERE person LIMIT 20)) = 20)
ORDER BY t.place DESC, t.comment_id
""",
    """
CREATE VIEW spam_domains AS -- Registrable domains in comments, with how people decided on those comments.
SELECT l.domain, count(DISTINCT l.comment_id) AS comments,
  count(DISTINCT CASE WHEN t.state = 'spam' THEN l.comment_id END) AS spam,
  count(DISTINCT CASE WHEN t.state = 'ok' THEN l.comment_id END) AS ok,
  count(DISTINCT CASE WHEN t.state = 'flagged' THEN l.comment_id END) AS waiting,
  count(DISTINCT c.article_id) AS articles, min(c.first_seen_at) AS first_seen_at, max(c.first_seen_at) AS last_seen_at
FROM links l JOIN comments c ON c.id = l.comment_id AND c.revision = l.revision
LEFT JOIN standing t ON t.comment_id = l.comment_id
WHERE l.domain <> '' GROUP BY l.domain ORDER BY comments DESC, l.domain
""",
    """
CREATE VIEW article_history AS -- Every change of an article that was seen, the latest first, with its size and its kind.
SELECT r.article_id, a.source_id, r.revision, r.revision + 1 AS next_revision, r.replaced_at AS seen_at,
  CASE WHEN u.kind = 'replay' THEN 'reading' WHEN t.redesigned THEN 'template' ELSE 'edit' END AS kind,
  r.changed, r.words_gone, r.words_new, r.headline AS headline_was, coalesce(n.headline, a.headline) AS headline_became,
  r.published_at, coalesce(n.modified_at, a.modified_at) AS modified_at,
  r.modified_at IS coalesce(n.modified_at, a.modified_at) AS silent, a.url
FROM article_revisions r CROSS JOIN articles a ON a.id = r.article_id
LEFT JOIN article_revisions n ON n.article_id = r.article_id AND n.revision = r.revision + 1
LEFT JOIN runs u ON u.id = r.replaced_run_id
LEFT JOIN run_sources t ON t.run_id = r.replaced_run_id AND t.source_id = a.source_id
ORDER BY r.replaced_at DESC, r.article_id DESC, r.revision DESC
""",
    """
CREATE VIEW story_coverage AS -- Stories that several articles tell, the latest first: who had it first, who has it, and how far each left the text alone.
SELECT t.story_id, f.headline, f.source_id AS first_source_id, f.id AS first_article_id, f.url AS first_url,
  coalesce(f.published_at, f.first_seen_at) AS first_at, max(coalesce(a.published_at, a.first_seen_at)) AS last_at,
  count(*) AS articles, count(DISTINCT a.source_id) AS publishers,
  count(DISTINCT CASE WHEN t.kind <> 'copy' THEN a.source_id END) AS independent, sum(t.kind = 'copy') AS copies,
  sum(t.kind = 'edited') AS edited, sum(t.kind = 'excerpt') AS excerpts, group_concat(DISTINCT a.source_id) AS source_ids
FROM story_articles t CROSS JOIN articles a ON a.id = t.article_id
JOIN articles f ON f.id = (SELECT e.id FROM story_articles m CROSS JOIN articles e ON e.id = m.article_id
  WHERE m.story_id = t.story_id ORDER BY coalesce(e.published_at, e.first_seen_at), e.id LIMIT 1)
GROUP BY t.story_id HAVING count(*) > 1 ORDER BY last_at DESC, t.story_id DESC
""",
    """
CREATE VIEW comment_threads AS -- Comments under their articles in reading order, with what each answers and what holds for it.
SELECT c.article_id, c.position, c.id, c.depth, p.id AS parent_id,
  (SELECT count(*) FROM comments r WHERE r.article_id = c.article_id AND r.parent_key = c.key) AS replies,
  c.kind, c.author, c.posted_at, c.text, t.state, t.score, c.revision, c.deleted, c.gone_at
FROM comments c LEFT JOIN comments p ON p.article_id = c.article_id AND p.key = c.parent_key
LEFT JOIN standing t ON t.comment_id = c.id
ORDER BY c.article_id, c.position, c.id
""",
    "CREATE INDEX comments_gone ON comments (gone_at DESC) WHERE gone_at IS NOT NULL",
    "CREATE INDEX comments_by_parent ON comments (article_id, parent_key) WHERE parent_key IS NOT NULL",
    """
CREATE VIEW source_health AS -- Each source as its last crawl found it, and what it has brought.
SELECT s.id AS source_id, s.name AS source, s.country, s.language, s.kind, s.enabled, t.run_id AS last_run_id,
  r.started_at AS last_run_at, t.links, t.fetched, t.new, t.edited, t.rejected, t.failed, t.blocked, t.gone, t.resting,
  (SELECT '[' || coalesce(group_concat('"' || n.atom || '"', ', '), '') || ']' FROM json_tree(r.problems) n
    JOIN json_tree(r.problems) p ON p.parent = n.parent AND p.key = 'source'
    WHERE n.key = 'name' AND p.atom = s.id) AS problems,
  (SELECT max(a.first_seen_at) FROM articles a WHERE a.id =
    (SELECT max(b.id) FROM articles b WHERE b.source_id = s.id)) AS last_new_at,
  (SELECT count(*) FROM articles a WHERE a.source_id = s.id) AS articles
FROM sources s LEFT JOIN run_sources t ON t.source_id = s.id AND t.run_id = (
  SELECT m.run_id FROM run_sources m JOIN runs k ON k.id = m.run_id AND k.kind = 'crawl'
  WHERE m.source_id = s.id ORDER BY m.run_id DESC LIMIT 1)
LEFT JOIN runs r ON r.id = t.run_id
ORDER BY s.id
""",
)
