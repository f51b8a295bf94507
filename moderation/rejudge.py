"""Judge with all that is known; and judge stored comments again: what would change (what-if), what does (rejudge).

What-if and rejudge are the same loop: the one counts what it yields, the other appends it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from crawler.items import Comment, Context, Delta, FieldValue, Link, Reason, Verdict
from crawler.source import Source
from crawler.urls import host_of
from db.connect import Database, now
from db.judging import (
    Desk,
    History,
    Judged,
    Thread,
    domain_rules,
    judged,
    judged_among,
    latest_model,
    stored_comments,
)
from db.rows import reasons_json
from moderation.classifier import Model, from_json
from moderation.links import find_links
from moderation.policy import NAMES, DomainRule, Policy, judge_links, with_rules
from moderation.signals import content_words

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """The article that comments hang under, as far as judging looks at it."""

    source: str
    """The id of its source."""
    own_hosts: frozenset[str]
    """Of its source."""
    url: str
    id: int = 0
    """Its number, where it is stored."""
    hosts: frozenset[str] = frozenset()
    """That it links to."""
    topic: frozenset[str] = frozenset()
    """Its `content_words`."""


def under(
    fields: Mapping[str, FieldValue], *, source: str, own_hosts: frozenset[str], url: str, id: int | None
) -> Under:
    """From an article's columns `headline`, `body` and `links`, as they are or will be stored."""
    links = str(fields.get("links") or "[]")
    return Under(
        source=source,
        own_hosts=own_hosts,
        url=url,
        id=id or 0,
        hosts=frozenset(filter(None, (host_of(link["url"]) for link in json.loads(links)))),
        topic=content_words(f"{fields.get('headline', '')}\n{fields.get('body', '')}"),
    )


class Bench:
    """Judges with the file's policy, people's domain rules, the last model, and the history of domains, authors and
    texts; without a database by the policy alone. One article at a time: `learn` reads what is known around its
    comments, all at once, and `judge` says of each what that amounts to."""

    def __init__(self, db: Database | None, policy: Policy, more: Iterable[DomainRule] = ()) -> None:
        """`more` rules hold as if people had said them after all others."""
        self.history = History(db) if db else None
        self._rules = (
            [DomainRule(r["id"], r["domain"], r["said"], r["source_id"]) for r in domain_rules(db)] if db else []
        )
        self._rules += more
        self._policy = replace(policy, model=stored_model(db)) if db else policy
        self._policies: dict[str, Policy] = {}
        self._links: dict[Comment, tuple[Link, ...]] = {}

    def policy(self, source: str) -> Policy:
        """The policy for the comments under one source."""
        if source not in self._policies:
            self._policies[source] = with_rules(self._policy, self._rules, source)
        return self._policies[source]

    def learn(self, comments: Iterable[Comment], article_id: int = 0) -> None:
        """Reads the history of these comments, which hang under this article."""
        self._learn(comments)
        if self.history:
            self.history.learn_texts((comment.text for comment in self._links), article_id)

    def learn_stored(self, stored: Mapping[int, Comment], article_id: int) -> None:
        """The same for stored comments, by number."""
        self._learn(stored.values())
        if self.history:
            self.history.learn_stored_texts({id: comment.text for id, comment in stored.items()}, article_id)

    def judge(self, comment: Comment, above: Under, *, decided_before: str = "", id: int = 0) -> Verdict:
        """The verdict on a comment whose history is learnt. `id` is its number where it is stored: it is no evidence
        against itself."""
        links, known = self._links[comment], self.history
        context = Context(
            own_hosts=above.own_hosts,
            article_url=above.url,
            article_hosts=above.hosts,
            decided_before=decided_before,
            domain_spam=known.domains(links, "spam", id) if known and links else frozenset(),
            domain_ok=known.domains(links, "ok", id) if known and links else frozenset(),
            author_spam=known.author(comment.author, id) if known else 0,
            same_text=known.same_text(comment.text) if known else 0,
        )
        return judge_links(comment, links, context, self.policy(above.source), above.topic)

    def verdicts(self, delta: Delta, source: Source) -> dict[str, Verdict]:
        """A verdict, by its key, for each comment that is new, edited or was never judged in its present version."""
        keyed = (*delta.new, *delta.edited, *delta.unjudged)
        if not keyed:
            return {}
        article = delta.page.article
        above = under(
            delta.fields,
            source=source.id,
            own_hosts=source.all_hosts,
            url=article.url,
            id=delta.known.article_id,
        )
        self.learn((k.comment for k in keyed), above.id)
        stored = {key: (known.id, known.decided) for key, known in delta.known.comments.items()}
        known = {k.key: stored.get(k.key, (0, "")) for k in keyed}
        return {k.key: self.judge(k.comment, above, id=known[k.key][0], decided_before=known[k.key][1]) for k in keyed}

    def _learn(self, comments: Iterable[Comment]) -> None:
        self._links = {comment: find_links(comment) for comment in comments}
        if self.history:
            domains = {link.domain for links in self._links.values() for link in links}
            self.history.learn(domains, {comment.author for comment in self._links})


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
    db: Database,
    policy: Policy,
    hosts: Mapping[str, frozenset[str]],
    heard: Heard = lambda done, total: None,
    *,
    among: Collection[int] | None = None,
    more: Iterable[DomainRule] = (),
) -> Iterator[Change]:
    """Every stored comment on which this policy says something else than the rules last said. Writes nothing.

    `hosts` are the own hosts of the sources, by id. `among`: only of these comments. `more` rules are
    taken to hold too.
    """
    bench, total, done = Bench(db, policy, more), stored_comments(db) if among is None else len(among), 0
    for thread in judged(db) if among is None else judged_among(db, among):
        above = _above(thread, hosts)
        bench.learn_stored({stored.id: stored.comment for stored in thread.comments}, thread.article_id)
        for stored in thread.comments:
            verdict = bench.judge(stored.comment, above, decided_before=stored.decided_before, id=stored.id)
            verdict = _with_witness(verdict, stored, bench.policy(thread.source_id))
            if (stored.said, stored.reasons) != (verdict.decision, reasons_json(verdict.reasons)):
                yield Change(stored, verdict)
        done += len(thread.comments)
        heard(done, total)


def rejudge(
    path: Path, policy: Policy, hosts: Mapping[str, frozenset[str]], heard: Heard = lambda done, total: None
) -> Counter[str]:
    """Appends the verdicts of `changes`, and counts them as `tell` does. A person's verdict still outranks them.

    With a verdict come the links that it saw: they replace the rows in `links` of that version of the comment.
    """
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


def _above(thread: Thread, hosts: Mapping[str, frozenset[str]]) -> Under:
    return under(
        thread.fields,
        source=thread.source_id,
        own_hosts=hosts.get(thread.source_id) or _hosts_of(thread.source_home, thread.url),
        url=thread.url,
        id=thread.article_id,
    )


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
