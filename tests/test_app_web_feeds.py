"""Feeds of the reading room: any list as Atom, and addresses with a secret for readers that have no cookie."""

from __future__ import annotations

import json
import os
import re
import stat
from xml.etree import ElementTree

import httpx
import pytest

from browser import Room

ATOM = "{http://www.w3.org/2005/Atom}"


def token_of(client: httpx.Client) -> str:
    return re.findall(r'name="token" value="([^"]+)"', client.get("/feeds").text)[0]


@pytest.mark.parametrize(
    "path", ["/index.atom", "/search.atom?q=radio", "/sources/demo.atom", "/index.atom?language=de"]
)
def test_pages_with_articles_are_feeds_too(reader: httpx.Client, path: str) -> None:
    answer = reader.get(path)
    assert answer.headers["content-type"] == "application/atom+xml"
    assert ElementTree.fromstring(answer.content).findall(f"{ATOM}entry")


@pytest.mark.parametrize("path", ["/status.atom", "/runs.atom", "/articles/1.atom", "/feeds.atom"])
def test_other_pages_are_none(reader: httpx.Client, path: str) -> None:
    assert reader.get(path).status_code == 404


def test_a_feed_reader_gets_in_by_the_secret_until_it_is_revoked(client: httpx.Client, room: Room) -> None:
    token, stranger = token_of(client), room.client(enter=False)
    made = client.post("/feeds", data={"name": "my <b>phone</b>", "token": token}, headers={"Origin": room.url})
    assert made.status_code == 303
    (kept,) = json.loads((room.home / "feeds.json").read_text())
    assert stat.S_IMODE(os.stat(room.home / "feeds.json").st_mode) == 0o600
    base = f"{room.url}/feeds/{kept['secret']}"
    page = client.get("/feeds").text
    assert base in page and "<b>" not in page
    for path in ("index.atom", "stories.atom", "search.atom?q=radio", "sources/demo.atom"):
        answer = stranger.get(f"{base}/{path}")
        assert answer.status_code == 200 and kept["secret"] not in answer.text
    assert stranger.get(f"{base}/index.atom").text == client.get("/index.atom").text
    for path in ("status.json", "index.json", "articles/1.atom", "../feeds.atom", "sql/.atom", "review.atom", "index"):
        assert stranger.get(f"{base}/{path}").status_code in (401, 404), path
    assert stranger.post(f"{base}/index.atom", headers={"Origin": room.url}).status_code == 401
    client.post("/feeds/revoke", data={"id": kept["id"], "token": token}, headers={"Origin": room.url})
    assert stranger.get(f"{base}/index.atom").status_code == 404


def test_a_wrong_secret_is_not_here_and_soon_has_to_wait(room: Room) -> None:
    with room.client(enter=False) as stranger:
        codes = [stranger.get(f"/feeds/{'x' * 43}/index.atom").status_code for _ in range(12)]
    assert codes[0] == 404 and codes[-1] == 429


def test_no_page_from_elsewhere_makes_or_revokes_an_address(client: httpx.Client, room: Room) -> None:
    token = token_of(client)
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": room.url},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ):
        assert client.post("/feeds", data={"name": "x", "token": token}, headers=headers).status_code == 403
    for wrong in ({}, {"token": ""}, {"token": "x" * 43}, {"token": "é"}):
        for path in ("/feeds", "/feeds/revoke"):
            answer = client.post(path, data={"name": "x", **wrong}, headers={"Origin": room.url})
            assert answer.status_code == 403 and "Load the page again" in answer.text
    assert client.get("/feeds/revoke").status_code in (404, 405)
    assert not (room.home / "feeds.json").exists()


def test_odd_forms_and_a_broken_file_of_feeds_break_nothing(client: httpx.Client, room: Room) -> None:
    (room.home / "feeds.json").write_text('{"not": "a list"}')
    kind, token = {"Origin": room.url, "Content-Type": "application/x-www-form-urlencoded"}, token_of(client).encode()
    for body in (b"", b"\xff\xfe", b"&" * 1000, b"name=%00%ED%A0%80", b"a=1&" * 50, b"name=" + b"x" * 60_000):
        assert client.post("/feeds", content=body, headers=kind).status_code == 403
        assert client.post("/feeds", content=b"token=" + token + b"&" + body, headers=kind).status_code == 303
    assert client.post("/feeds", content=b"a=1&" * 5000, headers=kind).status_code == 400
    assert client.get("/feeds").status_code == 200
    assert client.post("/feeds", content=b"x" * 70_000, headers={"Origin": room.url}).status_code == 413
