"""A host that does not answer, asks to be left alone or takes too long is not asked for more in a run."""

from __future__ import annotations

import pytest
from scrapy.utils.test import get_crawler

from crawler import limits
from crawler.patience import BUSY, LATE, SILENT, Patience

HOST = "slow.example"


class Clock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(get_crawler(), clock)


def test_a_host_that_never_answers_is_left_alone_after_some_requests(patience: Patience) -> None:
    for _ in range(limits.SILENCES - 1):
        patience.silent(HOST)
    assert patience.over(HOST) == ""
    patience.silent(HOST)
    assert patience.over(HOST) == SILENT and patience.over("other.example") == ""


def test_any_answer_makes_good_for_all_silence_before(patience: Patience) -> None:
    for _ in range(3 * limits.SILENCES):
        patience.silent(HOST)
        patience.answered(HOST)
    assert patience.over(HOST) == ""


def test_a_host_that_asks_to_be_left_alone_is_after_few_requests(patience: Patience) -> None:
    for _ in range(limits.BUSY_ANSWERS):
        assert patience.over(HOST) == ""
        patience.busy(HOST)
    assert patience.over(HOST) == BUSY


def test_silence_and_being_busy_are_counted_apart(patience: Patience) -> None:
    for _ in range(limits.BUSY_ANSWERS - 1):
        patience.silent(HOST)
        patience.busy(HOST)
    assert patience.over(HOST) == ""


def test_a_host_has_its_time_from_its_first_request_on(patience: Patience, clock: Clock) -> None:
    clock.now = 9_999
    patience.sending(HOST)
    clock.now += 60 * limits.HOST_MINUTES
    patience.sending(HOST)
    assert patience.over(HOST) == ""
    clock.now += 1
    assert patience.over(HOST) == LATE and patience.over("other.example") == ""
