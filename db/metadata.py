"""What the database says of itself: the comments in its schema and the query pack, for documents and Datasette.

Pure: names, texts and queries in; descriptions out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from db.queries import WORDS, Query

DATABASE = "watchfloor"
"""What the database is called in Datasette's addresses, whatever its file is called: links can be kept."""

_COLUMN = re.compile(r"^\s+(\w+) ([A-Z]+)([^,\n]*?),?\s*-- (.*)$", re.MULTILINE)
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*[\s\S]*?\*/|:(\w+)")
"""A text, a quoted name or a comment, passed over whole; or a parameter."""

INTERNAL = ("_sqlite_migrations", "articles_to_group", "articles_to_index", "comments_to_index", "story_keys")
"""Bookkeeping, hidden from lists: whoever asks by name still gets it. Datasette hides the tables of FTS5 by itself."""

FACETS = {
    "articles": ("source_id", "language", "kind"),
    "article_history": ("source_id", "kind"),
    "comment_threads": ("state", "kind"),
    "fetches": ("outcome", "source_id", "kind"),
    "field_evidence": ("field", "origin"),
    "flagged_comments": ("source_id",),
    "latest_articles": ("source_id", "language"),
    "links": ("place", "disguise"),
    "review_queue": ("source_id",),
    "runs": ("kind", "status"),
    "source_health": ("country", "language", "kind"),
    "sources": ("kind", "country", "language", "affiliation"),
    "standing": ("state",),
    "story_articles": ("kind",),
    "verdicts": ("said",),
    "watches": ("subject",),
}
"""Columns with few values that divide a table in a way people ask for."""

LABELS = {"articles": "headline", "comments": "author", "runs": "started_at", "sources": "name", "watches": "name"}
"""The column that stands for a row where another table refers to it."""

NEWEST_FIRST = {"articles": "id", "comments": "id", "prunings": "id", "runs": "id", "verdicts": "id"}
"""Tables that people read from their end."""

SEARCHED = {
    "articles": ("articles_fts", "id"),
    "latest_articles": ("articles_fts", "id"),
    "comments": ("comments_fts", "id"),
    "comment_threads": ("comments_fts", "id"),
    "flagged_comments": ("comments_fts", "id"),
    "review_queue": ("comments_fts", "id"),
}
"""Tables and views with a search box: the full-text index, and the column that holds its rowid."""

ORIGINS = {
    "latest_articles": ("articles", "story_articles"),
    "flagged_comments": ("comments", "standing", "verdicts", "articles"),
    "review_queue": ("comments", "standing", "verdicts", "articles"),
    "article_history": ("article_revisions", "articles"),
    "story_coverage": ("story_articles",),
    "comment_threads": ("comments", "standing"),
    "source_health": ("sources", "run_sources"),
    "domain_rules_now": ("domain_rules",),
    "holding": ("standing",),
    "sampled": ("comments",),
}
"""The tables that a view's columns come from: a column means what the first of them that has it says."""

COMPUTED = {
    "latest_articles": {
        "source": "The source's name.",
        "comments": "How many reader comments are stored under it.",
        "story_id": "The story that it tells with others; NULL when it stands alone.",
    },
    "flagged_comments": {"judged_at": "UTC; when the verdict was given.", "headline": "Of the article it hangs under."},
    "review_queue": {"judged_at": "UTC; when the verdict was given.", "headline": "Of the article it hangs under."},
    "spam_domains": {
        "domain": "A registrable domain that comments link to.",
        "comments": "Comments that link to it, in their present version.",
        "spam": "Of them, those that people called spam.",
        "ok": "Of them, those that people called ok.",
        "waiting": "Of them, those that wait for a person.",
        "articles": "Articles under which it was linked to.",
        "first_seen_at": "UTC; when the first of these comments was stored.",
        "last_seen_at": "UTC; when the last of them was stored.",
    },
    "article_history": {
        "next_revision": "The version that took its place.",
        "seen_at": "UTC; when the change was seen.",
        "kind": "edit; template: all of the source's articles changed alike, so the page did, not the article; "
        "reading: our own reading of the same page changed.",
        "headline_was": "The headline before.",
        "headline_became": "The headline after.",
        "modified_at": "When the page says, after the change, that it last changed.",
        "silent": "1 when the page names the same time of change as before: it was edited without a word.",
    },
    "story_coverage": {
        "headline": "Of the article that was published first.",
        "first_source_id": "Who had it first.",
        "first_article_id": "The article that was published first.",
        "first_url": "Its address.",
        "first_at": "When it was published; when it was stored, where that is not known.",
        "last_at": "When the last of the story was published.",
        "articles": "How many articles tell it.",
        "publishers": "How many sources have it.",
        "independent": "How many of them did not only copy.",
        "copies": "Articles with the same text.",
        "edited": "Articles with the text changed.",
        "excerpts": "Articles with a part of the text.",
        "source_ids": "The sources that have it, with commas between them.",
    },
    "comment_threads": {
        "parent_id": "The comment that it answers; NULL at top level.",
        "replies": "How many comments answer it.",
    },
    "source_health": {
        "source_id": "The source.",
        "source": "Its name.",
        "last_run_id": "The last crawl that visited it.",
        "last_run_at": "UTC; when that began.",
        "problems": "JSON list: names of what was wrong with it then.",
        "last_new_at": "UTC; when its last new article was stored.",
        "articles": "How many articles of it are stored.",
    },
    "domain_rules_now": {"id": "Number of the rule that holds."},
    "sampled": {"comment_id": "The comment."},
}
"""What the columns mean that a view computes or names anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or a view as the database has it."""

    name: str
    sql: str
    """The CREATE text with the comments in it."""
    columns: tuple[str, ...] = ()
    is_view: bool = False


def columns(text: str) -> dict[str, tuple[str, str]]:
    """(type, meaning) of each column that a CREATE TABLE text describes."""
    return {m[1]: (f"{m[2]}{_constraint(m[3])}", m[4]) for m in _COLUMN.finditer(text)}


def purpose(text: str) -> str:
    """What a CREATE text says that the whole is for; empty when it does not."""
    return text.partition("-- ")[2].partition("\n")[0]


def meanings(relation: Relation, tables: Mapping[str, Relation]) -> dict[str, str]:
    """What each described column of a table or view says, in its order."""
    if not relation.is_view:
        return {name: says for name, (_, says) in columns(relation.sql).items()}
    known: dict[str, str] = {}
    for table in reversed(ORIGINS.get(relation.name, ())):
        known |= {name: says for name, (_, says) in columns(tables[table].sql).items()} if table in tables else {}
    known |= COMPUTED.get(relation.name, {})
    return {name: known[name] for name in relation.columns if name in known}


def described(relations: Iterable[Relation], queries: Mapping[str, Query]) -> dict[str, Any]:
    """Datasette's metadata: tables and views with what they are for, and the query pack as canned queries."""
    all_ = {each.name: each for each in relations}
    tables = {name: _table(each, all_) for name, each in all_.items()}
    canned = {_free(name, all_): _canned(query) for name, query in queries.items()}
    return {"title": DATABASE, "databases": {DATABASE: {"tables": tables, "queries": canned}}}


def addresses(relations: Iterable[Relation], queries: Mapping[str, Query]) -> dict[str, Query]:
    """Each query under the name that it has in Datasette's addresses."""
    all_ = {each.name: each for each in relations}
    return {_free(name, all_): query for name, query in queries.items()}


def typed(query: Query) -> str:
    """The query's SQL for a program that gives every parameter as text: numbers are made numbers, words a search.

    `match_query` in it is a function that the program has to provide.
    """

    def one(found: re.Match[str]) -> str:
        param = query.params.get(found[1] or "")
        if found[1] == WORDS and param:
            return f"match_query(:{WORDS})"
        number = param is not None and not isinstance(param.default, str)
        return f"CAST({found[0]} AS NUMERIC)" if number else found[0]

    return _PARAMETER.sub(one, query.sql).strip()


def _table(relation: Relation, all_: Mapping[str, Relation]) -> dict[str, Any]:
    name = relation.name
    has = set(relation.columns)
    about: dict[str, Any] = {
        "description": purpose(relation.sql),
        "columns": {column: says for column, says in meanings(relation, all_).items() if column in has},
        "facets": [column for column in FACETS.get(name, ()) if column in has],
    }
    if name in LABELS:
        about["label_column"] = LABELS[name]
    if name in NEWEST_FIRST:
        about["sort_desc"] = NEWEST_FIRST[name]
    if name in SEARCHED and SEARCHED[name][0] in all_:
        about["fts_table"], about["fts_pk"] = SEARCHED[name]
    if name in INTERNAL:
        about["hidden"] = True
    return about


def _canned(query: Query) -> dict[str, Any]:
    return {"sql": typed(query), "title": query.title, "description": query.about, "params": list(query.params)}


def _free(name: str, taken: Mapping[str, Relation]) -> str:
    """A query of one's own with the name of a table must not hide that table."""
    return f"{name}-query" if name in taken else name


def _constraint(text: str) -> str:
    reference = re.search(r"REFERENCES (\w+)", text)
    null = "" if "NOT NULL" in text or "PRIMARY KEY" in text else ", may be NULL"
    return null + (f" → {reference[1]}" if reference else "")
