"""Policy and verdicts: every link is held unless a rule lets it pass, and a bad rules file says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Comment, Context, Href
from moderation.links import find_links
from moderation.policy import NAMES, PolicyError, default_policy, judge, load_policy

OWN = Context(own_hosts=frozenset({"www.site.example", "site.example"}))
PLAIN = Comment(text="The F-35 is late again, and the price is up.")


def test_shipped_rules_weigh_every_signal_and_say_why() -> None:
    policy = default_policy()
    assert set(policy.weights) == set(policy.reasons) == set(NAMES)


@pytest.mark.parametrize(
    "comment",
    [
        Comment(text="see http://example.com"),
        Comment(text="bank dot com"),
        Comment(text="Nice", author_url="http://blog.example.com"),
        Comment(text="Nice", links=(Href(url="https://bit.ly/3x", text="Nice"),)),
        Comment(text="write on telegram @some_channel"),
    ],
)
def test_every_comment_with_a_link_is_flagged(comment: Comment) -> None:
    verdict = judge(comment, OWN, default_policy())
    assert verdict.decision == "flagged"
    assert verdict.by == f"rules@{default_policy().version}"


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_a_link_and_a_flag_go_together_without_exceptions(text: str) -> None:
    verdict = judge(Comment(text=text), Context(), default_policy())
    assert verdict.links == find_links(text)
    assert not verdict.links or verdict.decision == "flagged"
    assert verdict.score == pytest.approx(sum(reason.weight for reason in verdict.reasons))


def test_comment_without_a_clue_is_clean() -> None:
    verdict = judge(PLAIN, OWN, default_policy())
    assert (verdict.decision, verdict.score, verdict.reasons) == ("clean", 0.0, ())


def test_link_on_the_own_site_is_clean_and_says_so() -> None:
    verdict = judge(Comment(text="https://www.site.example/story"), OWN, default_policy())
    assert verdict.decision == "clean"
    assert [reason.name for reason in verdict.reasons] == ["own_site"]


def test_author_field_alone_orders_last() -> None:
    author = judge(Comment(text="Nice", author_url="http://blog.example.com"), OWN, default_policy())
    link = judge(Comment(text="http://blog.example.com"), OWN, default_policy())
    disguised = judge(Comment(text="blog dot com"), OWN, default_policy())
    assert author.score < link.score < disguised.score
    assert "author_link" in [reason.name for reason in author.reasons]


def test_link_that_the_article_cites_is_still_flagged_but_lower() -> None:
    cited = Context(article_hosts=frozenset({"www.gao.gov"}))
    comment = Comment(text="https://www.gao.gov/products/1")
    assert judge(comment, cited, default_policy()).decision == "flagged"
    assert judge(comment, cited, default_policy()).score < judge(comment, OWN, default_policy()).score


def test_edit_after_a_decision_is_flagged() -> None:
    verdict = judge(PLAIN, Context(decided_before="ok"), default_policy())
    assert verdict.decision == "flagged"
    assert [reason.name for reason in verdict.reasons] == ["edited_after_decision"]


def test_signal_counts_once_and_names_every_place() -> None:
    verdict = judge(Comment(text="http://a.com and http://b.com"), OWN, default_policy())
    places = [(reason.start, reason.weight) for reason in verdict.reasons if reason.name == "link"]
    assert places == [(0, default_policy().weights["link"]), (17, 0.0)]


def test_thousand_links_are_held_even_when_all_of_them_may_pass() -> None:
    comment = Comment(text="https://site.example/a " * 1200 + "http://evil.com")
    assert judge(comment, OWN, default_policy()).decision == "flagged"


def test_own_policy_changes_only_what_it_names() -> None:
    policy = load_policy('version = "9"\n[signals.shouting]\nweight = 2.0\nreason = "We do not shout."\n')
    assert (policy.version, policy.weights["shouting"]) == ("9", 2.0)
    assert policy.weights["link"] == default_policy().weights["link"]


def test_allowed_domain_lets_pass_and_denied_one_weighs_more() -> None:
    milder = load_policy('version = "2"\n[domains]\nallow = ["gao.gov"]\ndeny = ["bad.example"]\n')
    assert judge(Comment(text="https://www.gao.gov/1"), OWN, milder).decision == "clean"
    assert judge(Comment(text="http://bad.example/1"), OWN, milder).score > 5


def test_policy_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('version = "3"\nthreshold = 2.5\n', "utf-8")
    assert load_policy(file).threshold == 2.5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('version = "1"\ntreshold = 1', "unknown key treshold; did you mean threshold"),
        ('version = "1"\n[signals.lnk]\nweight = 1\nreason = "x"', "did you mean signals.link"),
        ('version = "1"\n[signals.link]\nwieght = 1\nreason = "x"', "did you mean signals.link.weight"),
        ('version = "1"\n[domains]\nalow = []', "did you mean domains.allow"),
        ("threshold = 1", "version is missing"),
        ('version = "1"\nthreshold = "high"', "threshold must be a number"),
        ('version = "1"\nthreshold = nan', "threshold must be a number"),
        ('version = "1"\n[signals.link]\nweight = 1', "needs a weight and a reason"),
        ('version = "1"\n[domains]\nallow = [1]', "must be a list of domains"),
        ('version = "1"\nsignals = 3', "must be a table"),
        ("version = ", "not valid TOML"),
        ("threshold = " + "9" * 5000, "not valid TOML"),
    ],
)
def test_bad_rules_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        load_policy(text)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"no\.toml: cannot be read"):
        load_policy(tmp_path / "no.toml")
