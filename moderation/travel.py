"""People's decisions and domain rules leave a database as lines, and come into another without overwriting anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.connect import Database
from db.people import (
    Ledger,
    article_at,
    people_said,
    rules_said,
    versions,
    words_on,
    words_on_domain,
)
from moderation.exchange import NEW, Decision, Mark, Rule, Word, decision_row, marked, rule_row, settle
from pipelines.importing import addresses

Row = dict[str, Any]

WHY = {
    "known": "known already",
    "no_article": "under articles that are not stored here",
    "no_comment": "on comments that are not stored here",
    "other_version": "on another version of a comment than those stored here",
    "older": "older than a decision that a person made here",
    "no_decision": "that take back, or repeat, a decision that is not here",
}
"""What can become of a line that is not imported."""


@dataclass(slots=True)
class Arrival:
    """What became of the lines of a file."""

    imported: Counter[str] = field(default_factory=Counter)
    """How many, by what they say."""
    left: list[tuple[int, str]] = field(default_factory=list)
    """The lines that were not imported, each with one of `WHY`."""

    def tell(self, word: Word, what: str) -> None:
        """Writes down what became of a word."""
        if what == NEW:
            self.imported[word.mark.said] += 1
        else:
            self.left.append((word.line, what))

    @property
    def counted(self) -> dict[str, int]:
        """How many lines were left out, for each reason there is."""
        counts = Counter(why for _, why in self.left)
        return {why: counts[why] for why in WHY}


def decision_rows(db: Database, *, source: str = "") -> Iterator[Row]:
    """A line for everything that people said of comments, also what was taken back, in the order in which they did."""
    named: dict[int, Mark] = {}
    for row, mark in marked(people_said(db, source=source), "comment_id", "revision"):
        named[row["id"]] = mark
        yield decision_row({**row, "by": row["judge"]}, mark, named.get(row["undoes"]))


def rule_rows(db: Database) -> list[Row]:
    """A line for everything that people said of domains, in the order in which they did."""
    return [rule_row(row, mark) for row, mark in marked(rules_said(db), "domain", "source_id")]


def import_decisions(path: Path, given: Iterable[Decision]) -> Arrival:
    """Appends what is not here yet, all or nothing, under the names and times that the lines give.

    Raises `DatabaseProblem`.
    """
    arrival = Arrival()

    def plan(db: Database) -> list[tuple[int, int, Word]]:
        return plan_decisions(db, given, arrival)

    with Ledger(path) as ledger:
        ledger.append_words(plan)
    return arrival


def plan_decisions(db: Database, given: Iterable[Decision], arrival: Arrival) -> list[tuple[int, int, Word]]:
    """What importing would append: comment, revision and word. Writes nothing; `arrival` is told of every line."""
    appended = []
    for (comment_id, revision), words in _placed(db, given, arrival).items():
        said = [row for row in words_on(db, comment_id) if row["revision"] == revision]
        for word, what in settle(_words(said), words):
            arrival.tell(word, what)
            if what == NEW:
                appended.append((comment_id, revision, word))
    return appended


def import_rules(path: Path, given: Iterable[Rule]) -> Arrival:
    """As `import_decisions`, for domain rules."""
    arrival = Arrival()

    def plan(db: Database) -> list[Rule]:
        return plan_rules(db, given, arrival)

    with Ledger(path) as ledger:
        ledger.append_rules(plan)
    return arrival


def plan_rules(db: Database, given: Iterable[Rule], arrival: Arrival) -> list[Rule]:
    """What importing would append. Writes nothing; `arrival` is told of every line."""
    by_domain: dict[tuple[str, str], list[Word]] = {}
    for rule in given:
        by_domain.setdefault((rule.domain, rule.source), []).append(rule.word)
    appended = []
    for (domain, source), words in by_domain.items():
        for word, what in settle(_words(words_on_domain(db, domain, source)), words):
            arrival.tell(word, what)
            if what == NEW:
                appended.append(Rule(word=word, domain=domain, source=source))
    return appended


def _words(said: list[Row]) -> list[Word]:
    named = {row["id"]: mark for row, mark in marked(said)}
    return [Word(mark=named[row["id"]], undoes=named.get(row.get("undoes", 0))) for row in said]


def _placed(db: Database, given: Iterable[Decision], arrival: Arrival) -> dict[tuple[int, int], list[Word]]:
    """The words by comment and revision; those without are told of."""
    found: dict[tuple[int, int], list[Word]] = {}
    finder = _Finder(db)
    for decision in given:
        place = finder.place(decision)
        if isinstance(place, str):
            arrival.tell(decision.word, place)
        else:
            found.setdefault(place, []).append(decision.word)
    return found


class _Finder:
    """Finds comments by what a line says of them. Remembers the articles: many comments hang under one."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._articles: dict[str, int | None] = {}

    def place(self, decision: Decision) -> tuple[int, int] | str:
        """The comment and its version, or which of `WHY` there is none."""
        article = self._article(decision.article_url)
        if article is None:
            return "no_article"
        comment = versions(self.db, article, decision.key)
        if comment is None:
            return "no_comment"
        id, prints = comment
        same = [revision for revision, content in prints.items() if content == decision.content]
        if not same:
            return "other_version"
        return id, decision.revision if decision.revision in same else max(same)

    def _article(self, url: str) -> int | None:
        if url not in self._articles:
            found = (article_at(self.db, address) for address in (url, *_spelled(url)))
            self._articles[url] = next((id for id in found if id is not None), None)
        return self._articles[url]


def _spelled(url: str) -> tuple[str, ...]:
    """Other spellings of an address; none for one that is none."""
    try:
        return addresses(url)
    except ValueError:
        return ()
