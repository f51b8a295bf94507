"""Judge with all that is known; and judge stored comments again: what would change (what-if), what does (rejudge).

What-if and rejudge are the same loop: the one counts what it yields, the other appends it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from crawler.items import Comment, Context, Link, Reason, Verdict
from crawler.urls import host_of
from db.connect import Database, now
from db.judging import Desk, History, Judged, domain_rules, judged, latest_model, stored_comments
from db.rows import reasons_json
from moderation.classifier import Model, from_json
from moderation.links import find_links
from moderation.policy import NAMES, DomainRule, Policy, judge_links, with_rules

BATCH = 500
"""Verdicts in a transaction: a crawl that waits for its turn waits for less than a second."""

Heard = Callable[[int, int], None]
"""Hears how many comments are judged, of how many."""


@dataclass(frozen=True, slots=True)
class Change:
    """A stored comment of which the rules would say something else than they last said."""

    stored: Judged
    verdict: Verdict

    @property
    def turned(self) -> bool:
        """True when the decision changes, not only the score or a reason."""
        return self.stored.said != self.verdict.decision


class Bench:
    """Judges with the file's policy, people's domain rules, the last model, and the history of domains and authors."""

    def __init__(self, db: Database, policy: Policy) -> None:
        self.db, self.history = db, History(db)
        self._rules = [DomainRule(r["id"], r["domain"], r["said"], r["source_id"]) for r in domain_rules(db)]
        self._policy = replace(policy, model=stored_model(db))
        self._policies: dict[str, Policy] = {}
        self._links: dict[Comment, tuple[Link, ...]] = {}

    def policy(self, source: str) -> Policy:
        """The policy for the comments under one source."""
        if source not in self._policies:
            self._policies[source] = with_rules(self._policy, self._rules, source)
        return self._policies[source]

    def learn(self, comments: Iterable[Comment]) -> None:
        """Reads the history of these comments, all at once: the only read for a page, but for the texts."""
        self._links = {comment: find_links(comment) for comment in comments}
        domains = {link.domain for links in self._links.values() for link in links}
        self.history.learn(domains, {comment.author for comment in self._links})

    def judge(self, comment: Comment, context: Context, source: str, *, id: int = 0, article_id: int = 0) -> Verdict:
        """The verdict on a comment whose history is learnt. `id` is its number where it is stored: it is no evidence
        against itself."""
        links = self._links[comment]
        known = replace(
            context,
            domain_spam=self.history.domains(links, "spam", id),
            domain_ok=self.history.domains(links, "ok", id),
            author_spam=self.history.author(comment.author, id),
            same_text=self.history.same_text(comment.text, article_id),
        )
        return judge_links(comment, links, known, self.policy(source))


def stored_model(db: Database) -> Model | None:
    """The last model that was learnt; None before there is one, or when an older watchfloor wrote it."""
    row = latest_model(db)
    return None if row is None else _model(row["body"])


@lru_cache(maxsize=1)
def _model(body: str) -> Model | None:
    """Read once for a crawl, not once for each page: a model of a megabyte takes a tenth of a second."""
    try:
        return from_json(json.loads(body))
    except ValueError:
        return None


def changes(
    db: Database, policy: Policy, hosts: Mapping[str, frozenset[str]], heard: Heard = lambda done, total: None
) -> Iterator[Change]:
    """Every stored comment on which this policy says something else than the rules last said. Writes nothing.

    `hosts` are the own hosts of the sources, by id.
    """
    bench, total, done = Bench(db, policy), stored_comments(db), 0
    for under_article in judged(db):
        bench.learn(stored.comment for stored in under_article)
        for stored in under_article:
            verdict = _again(bench, stored, hosts)
            if (stored.said, stored.reasons) != (verdict.decision, reasons_json(verdict.reasons)):
                yield Change(stored, verdict)
        done += len(under_article)
        heard(done, total)


def rejudge(
    path: Path, policy: Policy, hosts: Mapping[str, frozenset[str]], heard: Heard = lambda done, total: None
) -> Counter[str]:
    """Appends the verdicts of `changes`, and counts them as `tell` does. A person's verdict still outranks them."""
    counts: Counter[str] = Counter()
    waiting: list[Change] = []
    with Desk(path) as desk:
        for change in changes(desk.db, policy, hosts, heard):
            waiting.append(change)
            tell(change, counts)
            if len(waiting) >= BATCH:
                counts["written"] += _written(desk, waiting)
                waiting = []
        counts["written"] += _written(desk, waiting)
    return counts


def tell(change: Change, counts: Counter[str]) -> None:
    """Counts a change: `changed` all, `held` newly flagged, `freed` no longer flagged; of those that people had decided
    on, whether the new word agrees with them (`better`) or not (`worse`)."""
    counts["changed"] += 1
    if not change.turned:
        return
    flagged = change.verdict.decision == "flagged"
    counts["held" if flagged else "freed"] += 1
    if change.stored.decided:
        counts["better" if flagged == (change.stored.decided == "spam") else "worse"] += 1


def _written(desk: Desk, waiting: list[Change]) -> int:
    return desk.append(((c.stored.id, c.stored.revision, c.verdict) for c in waiting), now=now()) if waiting else 0


def _again(bench: Bench, stored: Judged, hosts: Mapping[str, frozenset[str]]) -> Verdict:
    own = hosts.get(stored.source_id) or _hosts_of(stored.source_home, stored.article_url)
    context = Context(
        own_hosts=own,
        article_url=stored.article_url,
        article_hosts=frozenset(filter(None, map(host_of, stored.article_links))),
        decided_before=stored.decided_before,
    )
    verdict = bench.judge(stored.comment, context, stored.source_id, id=stored.id, article_id=stored.article_id)
    return _with_witness(verdict, stored, bench.policy(stored.source_id))


def _hosts_of(*urls: str) -> frozenset[str]:
    """The hosts of a source that no file names any more."""
    bare = {host_of(url).removeprefix("www.") for url in urls} - {""}
    return frozenset(bare | {f"www.{host}" for host in bare})


def _with_witness(verdict: Verdict, stored: Judged, policy: Policy) -> Verdict:
    """Keeps what no signal of ours said, such as that the site itself had held an imported comment."""
    listed = (r for r in json.loads(stored.reasons) if r["name"] not in NAMES)
    told = tuple(Reason(name=r["name"], weight=r["weight"], note=r["note"]) for r in listed)
    if not told:
        return verdict
    weight = sum(reason.weight for reason in told)
    held = verdict.decision == "flagged" or weight >= policy.threshold
    return replace(
        verdict,
        decision="flagged" if held else "clean",
        score=round(verdict.score + weight, 3),
        reasons=(*verdict.reasons, *told),
    )
