"""The examples of docs/moderation.md show what they say: every signal has one, and fires on it."""

from __future__ import annotations

import pytest

from moderation.policy import default_policy
from tools import moderation


def test_every_signal_has_an_example() -> None:
    assert not list(moderation.missing())


@pytest.mark.parametrize("name", moderation.EXAMPLES)
def test_the_example_of_a_signal_fires_it(name: str) -> None:
    assert name in {reason.name for reason in moderation.example_verdict(name).reasons}


def test_no_praise_frees_a_comment_with_a_link() -> None:
    weights = default_policy().weights
    praise = sum(weight for name, weight in weights.items() if weight < 0 and name != "model")
    assert weights["link"] + praise >= default_policy().threshold
    assert weights["model"] < default_policy().threshold
