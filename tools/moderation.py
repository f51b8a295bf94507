"""The parts of docs/moderation.md that are made from the code: the signals, each with an example that is judged now."""

from __future__ import annotations

from collections.abc import Iterator

from crawler.items import Comment, Context, Href, Verdict
from moderation.classifier import beliefs
from moderation.links import find_links
from moderation.policy import MODEL, NAMES, default_policy, judge_links, load_policy
from moderation.signals import SIGNALS, content_words

OWN = Context(own_hosts=frozenset({"site.example"}), article_hosts=frozenset({"gao.gov"}))
LISTS = 'version = "example"\n[domains]\nallow = ["gao.example"]\ndeny = ["pills.example"]'
TOPIC = content_words(
    "The navy has ordered twelve frigates from three shipyards. The first vessel enters service within seven years,"
    " armed with cruise missiles and helicopters against submarines. The contract includes training, maintenance and"
    " spare parts. Parliament approved the budget despite objections from several committees, which had demanded lower"
    " prices, stricter penalties for delays, and production inside the country. Engineers expect problems with the"
    " electric propulsion, because similar engines failed during earlier trials in northern waters. Analysts doubt that"
    " enough sailors can be recruited before the launching ceremony; recruitment has fallen short since the pandemic."
)
UNRELATED = Comment(
    text="Finally somebody explains psychic healing properly: my marriage became wonderful after weekly"
    " candlelight meditation sessions together."
)

EXAMPLES: dict[str, tuple[Comment, Context]] = {
    "denied_domain": (Comment(text="Buy at pills.example now: http://pills.example"), OWN),
    "known_spam_domain": (Comment(text="see http://shop-a.com"), Context(domain_spam=frozenset({"shop-a.com"}))),
    "script_link": (Comment(text="here", links=(Href(url="javascript:alert(1)", text="here"),)), OWN),
    "text_href_mismatch": (
        Comment(text="see www.defense.gov", links=(Href(url="https://login.evil.com", text="www.defense.gov"),)),
        OWN,
    ),
    "disguised_link": (Comment(text="go to bank dot com"), OWN),
    "link": (Comment(text="see http://example.com"), OWN),
    "author_link": (Comment(text="Well said.", author_url="http://example.com"), OWN),
    "hidden_link": (Comment(text="Nice.", links=(Href(url="http://example.com", text=""),)), OWN),
    "ip_link": (Comment(text="http://185.220.101.44/a"), OWN),
    "many_links": (Comment(text="http://a.com http://b.com http://c.com"), OWN),
    "shortener": (Comment(text="look: bit.ly/3x"), OWN),
    "messenger": (Comment(text="join t.me/channel_a"), OWN),
    "contact": (Comment(text="WhatsApp me on +34 600 123 456"), OWN),
    "edited_after_decision": (Comment(text="Fine."), Context(decided_before="ok")),
    "same_text_elsewhere": (Comment(text="The same words again."), Context(same_text=3)),
    "known_spammer": (Comment(text="Hello.", author="Best Deals"), Context(author_spam=2)),
    "spam_phrase": (Comment(text="I earn money at home"), OWN),
    "unrelated": (UNRELATED, OWN),
    "shouting": (Comment(text="THIS IS THE WORST JET EVER BUILT"), OWN),
    "cited_by_article": (Comment(text="see https://gao.gov/report"), OWN),
    "known_good_domain": (Comment(text="see http://paper.com/a"), Context(domain_ok=frozenset({"paper.com"}))),
    "own_site": (Comment(text="as in https://site.example/story"), OWN),
    "allowed_domain": (Comment(text="see http://gao.example/report"), OWN),
}


def signals() -> str:
    """Every signal: weight, what it looks for, why it weighs that, and an example with what the rules say of it."""
    policy = default_policy()
    lines = ["| signal | weight | fires on | why it weighs that | example |", "|---|---|---|---|---|"]
    for signal in SIGNALS:
        name = signal.__name__
        what = (signal.__doc__ or "").strip().rstrip(".")
        cells = (f"`{name}`", f"{policy.weights[name]:+g}", what, policy.reasons[name], _example(name))
        lines.append("| " + " | ".join(cells) + " |")
    model = (
        "`model`",
        f"up to ±{policy.weights[MODEL]:g}",
        "What was learnt from decisions",
        policy.reasons[MODEL],
        "",
    )
    return "\n".join([*lines, "| " + " | ".join(model) + " |"])


def starting_beliefs() -> str:
    """What the classifier believes before anybody decides."""
    rows = (f"| `{name}` | {weight:+g} |" for name, weight in beliefs().items())
    return "\n".join(("| clue | log-odds |", "|---|---|", *rows))


def example_verdict(name: str) -> Verdict:
    """What the rules, with one domain allowed and one denied, say of a signal's example."""
    comment, context = EXAMPLES[name]
    return judge_links(comment, find_links(comment), context, load_policy(LISTS), TOPIC)


def _example(name: str) -> str:
    comment, _ = EXAMPLES[name]
    verdict = example_verdict(name)
    note = next(r.note for r in verdict.reasons if r.name == name)
    told = f": {note}" if note else ""
    return _cell(f"“{comment.text}” → {verdict.decision} {verdict.score:g}{told}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def missing() -> Iterator[str]:
    """Signals without an example."""
    return (name for name in NAMES if name != MODEL and name not in EXAMPLES)
