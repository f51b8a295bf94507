"""The classifier: sensible with no decisions, better with them, the same every time, safe with any text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.classifier import Decision, as_json, beliefs, from_json, score, train
from moderation.traits import appeals

HONEST = (
    "The range of that missile is shorter than the article says.",
    "My father served on this ship in the eighties.",
    "I doubt that the budget will pass before the spring.",
    "Why would they move the brigade now, with the roads so wet?",
)
SELLING = (
    "Subscribe to my channel for daily gameplay, please!",
    "I earn money at home, ask me how",
    "Visit my page and get free coins",
    "Cheap watches, best price, order today",
)


def _decisions(times: int) -> list[Decision]:
    made = []
    for n in range(times):
        made += [Decision(f"{text} {n}", frozenset(), False) for text in HONEST]
        made += [Decision(f"{text} {n}", frozenset({"spam_phrase"}), True) for text in SELLING]
    return made


def test_no_decisions_give_the_beliefs_and_they_are_sensible() -> None:
    model = train([])
    assert model.weights == beliefs() and model.summary.decisions == 0
    assert score(model, SELLING[0], {"spam_phrase"}).spam > 0.5
    assert all(score(model, text, ()).spam < 0.3 for text in HONEST)
    assert score(model, "see this", {"link", "disguised_link"}).spam > score(model, "see this", {"link"}).spam > 0.5


def test_decisions_teach_words_that_no_belief_knew() -> None:
    text = "The new plush armadillo collection has arrived"
    before = score(train([]), text, ()).spam
    taught = train([*_decisions(3), *(Decision(f"plush armadillo number {n}", frozenset(), True) for n in range(5))])
    after = score(taught, text, ())
    assert before < 0.3 < 0.5 < after.spam
    assert "plush armadillo" in after.because or "armadillo" in after.because


def test_decisions_overrule_a_belief() -> None:
    honest_links = [Decision(f"source for {text}", frozenset({"link"}), False) for text in HONEST * 10]
    assert score(train([*honest_links, *_decisions(3)]), "source for the range", {"link"}).spam < 0.5


def test_the_same_decisions_give_the_same_model_and_json_keeps_it() -> None:
    one, two = train(_decisions(20), version="7"), train(_decisions(20), version="7")
    assert one == two
    assert from_json(json.loads(json.dumps(as_json(one)))) == one


def test_the_summary_reports_what_unseen_decisions_would_have_got() -> None:
    summary = train(_decisions(20)).summary
    assert (summary.decisions, summary.spam) == (160, 80)
    assert summary.precision == summary.recall == 1.0 and summary.blocked_ham == 0.0
    assert summary.brier is not None and summary.brier < 0.05


def test_few_decisions_claim_no_precision() -> None:
    assert train(_decisions(2)).summary.precision is None


@pytest.mark.parametrize("value", [None, [], {}, {"format": 99}, {"format": 1, "version": "1", "rarity": 3}])
def test_what_is_no_model_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="model"):
        from_json(value)


def test_appeals_know_phrases_and_beginnings() -> None:
    assert appeals(["please", "subscribe", "to", "my", "channel"]) == {
        "appeal plea",
        "appeal call",
        "appeal own",
        "appeal call own",
    }
    assert appeals(["the", "army", "channels", "its", "money"]) <= {"appeal own", "appeal gain"}
    assert appeals(["the", "brigade", "moved", "north"]) == set()


def test_two_thousand_decisions_take_seconds() -> None:
    began = time.process_time()
    train(_decisions(250))
    assert time.process_time() - began < 10


@given(st.text(max_size=300), st.sets(st.sampled_from(["link", "shouting", "no such signal"])))
def test_any_text_gets_a_probability(text: str, signals: set[str]) -> None:
    opinion = score(train(_decisions(1)), text, signals)
    assert 0.0 <= opinion.spam <= 1.0


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    model = train(_decisions(2))
    began = time.process_time()
    score(model, "subscribe my channel " * 100_000, ())
    score(model, "a" * 2_000_000, ())
    assert time.process_time() - began < 0.5


@given(st.lists(st.tuples(st.text(max_size=40), st.booleans()), max_size=12))
def test_any_decisions_can_be_learnt(pairs: list[tuple[str, bool]]) -> None:
    train([Decision(text, frozenset(), spam) for text, spam in pairs])
