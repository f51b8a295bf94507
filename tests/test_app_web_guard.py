"""The wall round the pages: who may ask, what, how much; and what every answer carries."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.web import guard, serving
from app.web.guard import Guard, Key
from browser import HOST, PORT, ask


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads its body and forgets every precaution."""
    if scope["path"] == "/broken":
        raise RuntimeError("secret")
    body = (await receive()).get("body", b"") if scope["method"] == "POST" else b""
    headers = [(b"access-control-allow-origin", b"*"), (b"cache-control", b"public"), (b"X-Frame-Options", b"ALLOWALL")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello " + body})


@pytest.fixture
def key() -> Key:
    return Key(PORT)


@pytest.fixture
def wall(key: Key) -> Guard:
    return Guard(hello, key, PORT, methods=frozenset({"GET", "HEAD", "POST"}))


def let_in(wall: Guard, key: Key) -> dict[str, str]:
    cookie = ask(wall, f"/start?token={key.token}").headers["set-cookie"]
    return {"cookie": cookie.partition(";")[0]}


def test_the_token_opens_once_and_leaves_the_address(wall: Guard, key: Key) -> None:
    assert ask(wall, "/").status_code == 401 and "hello" not in ask(wall, "/").text
    assert ask(wall, f"/start?token={key.token}", method="HEAD").status_code == 401  # a program that looks at links
    opened = ask(wall, f"/start?token={key.token}")
    assert opened.status_code == 303 and opened.headers["location"] == "/" and key.token not in str(opened.headers)
    cookie = opened.headers["set-cookie"]
    assert cookie.startswith(f"watchfloor-{PORT}=") and cookie.endswith("; HttpOnly; SameSite=Strict; Path=/")
    assert ask(wall, f"/start?token={key.token}").status_code == 401
    seen = {"cookie": cookie.partition(";")[0]}
    assert ask(wall, "/", headers=seen).text == "hello "
    assert ask(wall, f"/start?token={key.token}", headers=seen).status_code == 303
    assert ask(Guard(hello, Key(PORT), PORT), "/", headers=seen).status_code == 401  # another start


def test_guesses_are_told_to_wait_and_do_not_lock_the_owner_out(wall: Guard, key: Key) -> None:
    assert [ask(wall, "/start?token=x").status_code for _ in range(guard.GUESSES + 1)] == [401] * guard.GUESSES + [429]
    assert ask(wall, "/", headers=let_in(wall, key)).status_code == 200
    assert ask(wall, "/").headers["retry-after"] == "60"


HOSTS = (
    "evil.example",
    f"evil.example:{PORT}",
    "localhost.evil.com",
    f"127.0.0.1.nip.io:{PORT}",
    "127.0.0.1",
    "127.0.0.1:1",
    "",
    f"[::1]:{PORT}.",
)


def test_only_exact_host_names_of_this_server_are_answered(wall: Guard, key: Key) -> None:
    seen = let_in(wall, key)
    for host in HOSTS:
        answer = ask(wall, "/", headers={**seen, "host": host})
        assert answer.status_code == 421 and answer.content == b"", host
        assert ask(wall, f"/start?token={key.token}", headers={"host": host}).status_code == 421
    for host in (HOST, f"LOCALHOST:{PORT}", f"[::1]:{PORT}"):
        assert ask(wall, "/", headers={**seen, "host": host}).status_code == 200, host


def test_pages_from_elsewhere_can_neither_change_nor_read_anything(wall: Guard, key: Key) -> None:
    seen = let_in(wall, key)
    own = f"http://{HOST}"
    refused: list[dict[str, str]] = [
        {},
        *({"origin": origin} for origin in ("http://evil.example", "null", "http://127.0.0.1:9")),
        *({"sec-fetch-site": site, "origin": own} for site in ("cross-site", "same-site")),
    ]
    for headers in refused:
        assert ask(wall, "/", method="POST", headers={**seen, **headers}).status_code == 403, headers
    for headers in ({"origin": own}, {"sec-fetch-site": "same-origin"}):
        assert ask(wall, "/", method="POST", headers={**seen, **headers}).status_code == 200, headers
    for site in ("cross-site", "same-site"):
        embedded = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}
        assert ask(wall, "/", headers={**seen, **embedded}).status_code == 403
        framed = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
        assert ask(wall, "/", headers={**seen, **framed}).status_code == 403
        followed = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert ask(wall, "/", headers={**seen, **followed}).status_code == 200


def test_every_answer_is_dressed_whatever_the_application_says(
    wall: Guard, key: Key, caplog: pytest.LogCaptureFixture
) -> None:
    seen = let_in(wall, key)
    answers = [
        ask(wall, "/", headers=seen),
        ask(wall, "/broken", headers=seen),
        ask(wall, "/"),
        ask(wall, "/", headers={"host": "x"}),
        ask(wall, "/", method="PUT", headers=seen),
        ask(wall, f"/start?token={key.token}", headers=seen),
    ]
    assert [answer.status_code for answer in answers] == [200, 500, 401, 421, 405, 303]
    for answer in answers:
        assert {name: answer.headers.get_list(name) for name in guard.HEADERS} == {
            n: [v] for n, v in guard.HEADERS.items()
        }
        assert answer.headers.get_list("content-security-policy") == [guard.STRICT]
        assert not [name for name in answer.headers if name.startswith("access-control")]
    name = re.search("error ([0-9a-f]{8})", answers[1].text)
    assert name and name[1] in caplog.text and "secret" in caplog.text and "secret" not in answers[1].text


def test_bodies_beyond_the_limit_are_refused_however_they_come(wall: Guard, key: Key) -> None:
    headers = {**let_in(wall, key), "origin": f"http://{HOST}"}
    assert ask(wall, "/", method="POST", headers=headers, content=b"x" * guard.BODY_BYTES).status_code == 200
    assert ask(wall, "/", method="POST", headers=headers, content=b"x" * (guard.BODY_BYTES + 1)).status_code == 413
    for length in ("-1", "1e9", "9" * 30, "²"):
        told = {**headers, "content-length": length.encode("latin-1")}
        assert ask(wall, "/", method="POST", headers=told).status_code == 413, length

    async def chunks() -> Any:
        yield b"x" * (guard.BODY_BYTES + 1)

    assert ask(wall, "/", method="POST", headers=headers, content=chunks()).status_code == 413


def test_a_request_that_does_not_arrive_whole_in_time_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "READ_SECONDS", 0.2)

    async def said(*parts: bytes) -> bytes:
        """What a server of ours says to parts that come a twentieth of a second after one another."""
        config = uvicorn.Config(hello, http=serving.Impatient, log_config=None, lifespan="off")
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: serving.Impatient(config, ServerState(), {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.05)
        server.close()
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(reader.read(), 10)
        return b""

    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n"
    assert asyncio.run(said(head, *[b"X: y\r\n"] * 10)) == b""  # a head without end
    assert b"hello abcd" in asyncio.run(said(head, b"\r\nabcd"))
