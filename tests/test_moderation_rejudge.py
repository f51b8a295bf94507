"""Judging again: what-if says what rejudge does, people's words stand, and history, rules and model have their say."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Watch, watchfloor
from crawler.items import Comment, Known
from db.connect import open_reader
from db.judging import Desk
from db.rows import reasons_json
from db.store import Store
from moderation.group import decide_group, group_of
from moderation.learning import EVERY, FIRST, learn, learn_when_due, report, share
from moderation.policy import default_policy, load_policy
from moderation.rejudge import Bench, changes, rejudge, stored_model, tell
from pipelines.compare import compare
from test_db_store import FETCH, NOW, SOURCE, page, visit

STRICT = (
    'version = "strict"\n[signals.shouting]\nweight = 1.5\nreason = "try"\n[signals.link]\nweight = 0.5\nreason = "try"'
)
TALK = (
    Comment(text="buy at http://shop-a.com/x now", author="Bob", site_id="1"),
    Comment(text="WHAT A TERRIBLE MISSILE THAT IS, REALLY", author="Ann", site_id="2", position=1),
    Comment(text="see http://paper.com/story", author="Cid", site_id="3", position=2),
    Comment(text="a fair point", author="Dee", site_id="4", position=3),
    Comment(text="again: shop-a dot com", author="Eve", site_id="5", position=4),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "w.db"
    with Store(path) as store:
        visit(store, page(*TALK))
    return path


def _verdicts(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        return db.execute(
            "SELECT id, comment_id, said, score, reasons, judge, person FROM verdicts ORDER BY id"
        ).fetchall()


def _states(path: Path) -> dict[int, str]:
    with sqlite3.connect(path) as db:
        return dict(db.execute("SELECT comment_id, state FROM standing"))


def test_judging_again_by_the_same_rules_changes_nothing(path: Path) -> None:
    before = _verdicts(path)
    assert rejudge(path, default_policy(), {})["changed"] == 0
    assert _verdicts(path) == before


def test_whatif_writes_nothing_and_rejudge_writes_exactly_what_it_said(path: Path) -> None:
    policy, before = load_policy(STRICT), _verdicts(path)
    counts: Counter[str] = Counter()
    db = open_reader(path)
    found = list(changes(db, policy, {}))
    db.close()
    for change in found:
        tell(change, counts)
    assert _verdicts(path) == before
    done = rejudge(path, policy, {})
    written = done.pop("written")
    assert done == counts and written == counts["changed"] > 0
    appended = [(row[1], row[2], row[3]) for row in _verdicts(path)[len(before) :]]
    assert appended == [(c.stored.id, c.verdict.decision, c.verdict.score) for c in found]
    assert _states(path)[2] == "flagged" and _states(path)[3] == "clean"
    assert rejudge(path, policy, {})["changed"] == 0


PIECES = (
    "see http://shop-a.com/x",
    "go to shop-a dot com",
    "as http://paper.com/z has it",
    "Great offer, earn money from home, ask me how on my page",
    "the brigade moved its howitzers across the northern bridges before anybody noticed the columns",
    "WHAT A TERRIBLE MISSILE",
    "fine words",
    "whatsapp me on +34 600 123 456",
)


BODY = " ".join(f"{first}{second}topic" for first in "abcdefgh" for second in "rstuvwxyz")
"""Of an article with which none of these comments has anything to do."""


def _filled(path: Path, seed: int) -> None:
    """Articles of random comments, random decisions, domain rules, and a model."""
    drawn = random.Random(seed)
    with Desk(path) as desk:
        run = desk.begin_run([SOURCE], version="t", now=NOW)
        for number in range(6):
            texts = [" ".join(drawn.choices(PIECES, k=drawn.randint(1, 4))) for _ in range(12)]
            comments = [
                Comment(text=f"{text} {drawn.random()}", author=drawn.choice("ABC"), site_id=str(n), position=n)
                for n, text in enumerate(texts)
            ]
            content = page(*comments, body=BODY)
            content = replace(content, article=replace(content.article, url=f"https://example.com/{number}"))
            delta = compare(content, Known())
            verdicts = Bench(desk.db, default_policy()).verdicts(delta, SOURCE)
            desk.apply(replace(delta, verdicts=verdicts), FETCH, run_id=run, now=NOW)
        for id in drawn.sample(range(1, 73), 40):
            desk.decide(id, drawn.choice(("spam", "ok")), by="ann", now=NOW)
        desk.rule_domain("paper.com", drawn.choice(("allow", "deny")), source="", note="", by="ann", now=NOW)
    assert learn(path) is not None


@pytest.mark.parametrize("seed", range(4))
def test_whatif_and_rejudge_agree_with_model_history_and_domain_rules_and_then_nothing_is_left_to_say(
    tmp_path: Path, seed: int
) -> None:
    path, policy = tmp_path / "w.db", load_policy(STRICT)
    _filled(path, seed)
    db, before = open_reader(path), len(_verdicts(path))
    said = [
        (c.stored.id, c.verdict.decision, c.verdict.score, reasons_json(c.verdict.reasons))
        for c in changes(db, policy, {})
    ]
    db.close()
    names = {reason["name"] for row in said for reason in json.loads(row[3])}
    assert names >= {"model", "known_spam_domain", "known_spammer", "same_text_elsewhere", "unrelated"}
    assert rejudge(path, policy, {})["written"] == len(said)
    assert [row[1:5] for row in _verdicts(path)[before:]] == said
    assert rejudge(path, policy, {})["changed"] == 0


def test_rejudging_replaces_the_links_of_a_comment_by_what_it_sees_and_keeps_those_of_earlier_versions(
    path: Path,
) -> None:
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO links SELECT comment_id, 9, number, start, stop, text, url, host, domain, place, disguise"
            " FROM links WHERE comment_id = 1"
        )
        db.execute("UPDATE links SET domain = 'wrong.example' WHERE comment_id = 1")
    rejudge(path, load_policy(STRICT), {})
    with sqlite3.connect(path) as db:
        seen = db.execute("SELECT revision, domain FROM links WHERE comment_id = 1 ORDER BY 1").fetchall()
    assert seen == [(1, "shop-a.com"), (9, "wrong.example")]


def test_a_persons_word_outlives_rejudging_and_is_counted_against_the_rules(path: Path) -> None:
    with Store(path) as store:
        store.decide(3, "ok", by="ann", now=NOW)
        store.decide(1, "spam", by="ann", now=NOW)
    done = rejudge(path, load_policy(STRICT), {})
    assert _states(path)[3] == "ok" and _states(path)[1] == "spam"
    assert done["better"] >= 1


def test_a_domain_that_a_person_found_spam_is_held_against_other_comments_not_against_itself(path: Path) -> None:
    with Store(path) as store:
        store.decide(1, "spam", by="ann", now=NOW)
    db = open_reader(path)
    told = {c.stored.id: {r.name for r in c.verdict.reasons} for c in changes(db, default_policy(), {})}
    db.close()
    assert "known_spam_domain" in told[5]
    assert 1 not in told and 3 not in told


def test_domain_rules_hold_until_they_are_removed_and_name_themselves_in_the_version(path: Path) -> None:
    with Desk(path) as desk:
        desk.rule_domain("paper.com", "allow", source="", note="", by="ann", now=NOW)
        desk.rule_domain("shop-a.com", "deny", source="s", note="", by="ann", now=NOW)
        desk.rule_domain("shop-a.com", "allow", source="another", note="", by="ann", now=NOW)
    rejudge(path, default_policy(), {})
    assert _states(path)[3] == "clean" and _states(path)[1] == "flagged"
    assert any(row[5] == "rules@1+2" for row in _verdicts(path))
    with Desk(path) as desk:
        desk.rule_domain("paper.com", "none", source="", note="", by="ann", now=NOW)
    rejudge(path, default_policy(), {})
    assert _states(path)[3] == "flagged"


def test_domain_rules_are_never_changed_or_removed(path: Path) -> None:
    with Desk(path) as desk:
        desk.rule_domain("paper.com", "allow", source="", note="", by="ann", now=NOW)
    with sqlite3.connect(path) as db:
        for sql in ("UPDATE domain_rules SET said = 'deny'", "DELETE FROM domain_rules"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                db.execute(sql)


def test_the_group_of_a_comment_is_decided_with_one_verdict_each(path: Path) -> None:
    db = open_reader(path)
    ids = [member["id"] for member in group_of(db, 1)]
    db.close()
    assert ids == [1, 5]
    assert decide_group(path, ids, "spam", by="ann") == [1, 5]
    assert [row[1] for row in _verdicts(path) if row[6]] == [1, 5]
    assert decide_group(path, ids, "spam", by="ann") == []


def _many(path: Path, number: int) -> None:
    """Comments of which a person has decided: every other one is spam."""
    texts = (
        f"Great offer {n}, buy gold coins at once" if n % 2 else f"The brigade moved {n} miles" for n in range(number)
    )
    with Store(path) as store:
        visit(store, page(*(Comment(text=t, site_id=f"m{n}", position=n) for n, t in enumerate(texts))))
        ids = [r[0] for r in store.db.execute("SELECT id FROM comments WHERE site_id LIKE 'm%' ORDER BY id")]
        for n, id in enumerate(ids):
            store.decide(id, "spam" if n % 2 else "ok", by="ann", now=NOW)


def test_learning_waits_for_enough_decisions_and_then_happens_every_so_often(path: Path) -> None:
    assert learn(path) is None
    _many(path, FIRST)
    first = learn_when_due(path)
    assert first is not None and first.version == "1" and first.summary.decisions == FIRST
    assert learn_when_due(path) is None
    _many(path, EVERY)
    db = open_reader(path)
    assert stored_model(db) == first
    db.close()


def test_the_model_is_trained_again_by_itself_with_the_decision_that_fills_the_number(path: Path) -> None:
    _many(path, FIRST)
    assert learn_when_due(path) is not None
    _many(path, FIRST + EVERY - 1)
    assert learn_when_due(path) is None
    assert watchfloor("decide", "1", "spam", "--db", path).code == 0
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT version, decisions FROM models").fetchall() == [(1, FIRST), (2, FIRST + EVERY)]
    assert learn_when_due(path) is None


def test_the_model_orders_and_does_not_act_unless_the_rules_say_so(path: Path) -> None:
    _many(path, 40)
    assert learn(path) is not None
    rejudge(path, default_policy(), {})
    before = _states(path)
    assert (before[1], before[4]) == ("flagged", "clean")
    assert any("model@1" in str(row[5]) for row in _verdicts(path))
    acting = load_policy('version = "2"\nthreshold = 0.3\n[model]\nacts = true')
    rejudge(path, acting, {})
    with sqlite3.connect(path) as db:
        ((said,),) = db.execute(
            "SELECT v.said FROM verdicts v JOIN comments c ON c.id = v.comment_id"
            " WHERE c.text LIKE 'Great offer 1,%' AND NOT v.person ORDER BY v.id DESC LIMIT 1"
        )
    assert said == "flagged"


def test_the_report_says_what_is_known_and_what_is_not(path: Path) -> None:
    with Store(path) as store:
        store.decide(1, "spam", by="ann", now=NOW)
        store.decide(3, "ok", by="ann", now=NOW)
    db = open_reader(path)
    told = report(db)
    db.close()
    assert (told["precision"]["counted"], told["precision"]["of"]) == (1, 2)
    assert told["precision"]["low"] < 0.5 < told["precision"]["high"]
    assert told["recall"]["estimate"] is None
    json.dumps(told)


def test_intervals_are_wilsons() -> None:
    assert share(0, 10).high == pytest.approx(0.2775, abs=1e-3)
    assert share(8, 10).low == pytest.approx(0.4902, abs=1e-3)
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


def test_the_commands_agree_and_report_in_json(path: Path, tmp_path: Path) -> None:
    rules = tmp_path / "new.toml"
    rules.write_text(STRICT, "utf-8")
    where = ("--db", path, "--home", tmp_path, "--json")
    said = watchfloor("whatif", "--rules", rules, *where).json
    assert len(said.pop("turned")) == said["held"] + said["freed"]
    done = watchfloor("rejudge", "--rules", rules, *where).json
    assert done.pop("written") == done["changed"]
    assert said == done


def test_commands_for_domains_and_rules(path: Path, tmp_path: Path) -> None:
    where = ("--db", path, "--home", tmp_path)
    assert watchfloor("allow", "https://Paper.com/x", "--note", "a paper", "--by", "ann", *where).code == 0
    assert watchfloor("allow", "co.uk", *where).code == 2
    assert watchfloor("deny", "not a domain", *where).code == 2
    (rule,) = watchfloor("rules", "show", *where, "--json").json["domain_rules"]
    assert (rule["domain"], rule["said"], rule["note"], rule["judge"]) == ("paper.com", "allow", "a paper", "ann")
    assert watchfloor("rules", "test", "see paper.com/x", *where, "--json").json["decision"] == "clean"
    assert watchfloor("rules", "test", "see shop dot com", *where, "--json").json["decision"] == "flagged"
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('version = "1"\n[signals.lnik]\nweight = 1\nreason = "x"', "utf-8")
    ran = watchfloor("rules", "check", wrong)
    assert ran.code == 2 and "did you mean signals.link" in ran.err


def test_deciding_a_group_asks_first(path: Path) -> None:
    asked = watchfloor("decide", "1", "spam", "--group", "--db", path, stdin=b"n\n")
    assert "2 comments would be spam" in asked.out and asked.code != 0
    assert watchfloor("decide", "1", "spam", "--group", "--yes", "--db", path, "--json").json["comments"] == [1, 5]


def test_judging_again_after_a_crawl_says_what_the_crawl_said(site: Watch, tmp_path: Path) -> None:
    site.crawl()
    assert site.rows("SELECT count(*) FROM verdicts WHERE said = 'flagged'")[0][0]
    hosts = {"demo": frozenset({f"127.0.0.1:{site.server.port}", "127.0.0.1"})}
    db = open_reader(site.db)
    assert [change.verdict.reasons for change in changes(db, default_policy(), hosts)] == []
    db.close()
