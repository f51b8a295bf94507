"""Kept searches: what is new for them is told after each run, once."""

from __future__ import annotations

from conftest import Inbox, Watch, watchfloor


def test_what_matched_before_is_counted_and_what_is_new_is_told_once(site: Watch) -> None:
    assert site.crawl().code == 0
    added = site("watch", "add", "yard*", "--name", "yards", "--json").json
    assert added["matches_now"] == 3
    assert site.crawl().json["watches"] == []
    ((other,),) = site.rows("SELECT min(id) FROM articles WHERE headline || summary || body NOT LIKE '%yard%'")
    site.server.site.edit_article(site.path_of(other), headline="Yards of Everything Else Are Told of Here")
    ran = site.crawl("--again")
    (told,) = ran.json["watches"]
    assert (told["name"], told["new"]) == ("yards", 1)
    assert told["first"][0]["headline"].startswith("Yards of Everything")
    assert site.crawl("--again").json["watches"] == []
    (match,) = site("watch", "matches", "yards", "--json").json
    assert match["id"] == told["first"][0]["id"] and match["run_id"]
    assert site("watch", "matches", "--run", str(match["run_id"])).out.count("\n") == 1
    assert site("watch", "list", "--json").json[0]["matches"] == 1


def test_a_kept_search_on_an_empty_database_is_told_of_the_first_crawl(site: Watch) -> None:
    assert site("watch", "add", "title:frigate", "--name", "frigates").code == 0
    assert site("watch", "add", "--comments", "the", "--name", "talk").code == 0
    with Inbox() as inbox:
        ran = watchfloor(
            "crawl",
            "--sources",
            site.file,
            "--db",
            site.db,
            "--allow-address",
            f"127.0.0.1:{site.server.port}",
            "--alert",
            inbox.address,
        )
        (message,) = inbox.messages
    assert "watch 'frigates': 1 new: Frigate Programme" in ran.out
    assert "watch 'talk': " in ran.out
    assert "new for frigates, talk" in message["title"] and message["type"] == "success"
    assert "watch 'frigates': 1 new: Frigate Programme" in message["message"]


def test_a_name_is_there_once_and_can_be_removed(site: Watch) -> None:
    assert site("watch", "add", "frigate").code == 0
    again = site("watch", "add", "frigate")
    assert again.code == 1 and again.err.count("\n") == 1 and "already" in again.err
    assert "frigate: articles with frigate: 0 since" in site("watch", "list").out
    assert site("watch", "remove", "frigate").code == 0
    gone = site("watch", "remove", "frigate")
    assert gone.code == 1 and "no watch" in gone.err
    assert site("watch", "matches", "frigate").code == 1
    assert site("watch", "list", "--json").json == []


def test_a_search_for_nothing_is_not_kept(site: Watch) -> None:
    for query in ("-frigate", "*", '""'):
        ran = site("watch", "add", query)
        assert ran.code == 2 and "nothing to look for" in ran.err
    assert site("watch", "add", "x", "--name", "n" * 101).code == 2
