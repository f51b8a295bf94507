"""No address that a page names leads inwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.http import Response
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.task import Clock

from crawler import limits
from crawler.fetching import Addresses, Barred, Guard, GuardedResolver
from crawler.source import Source
from strategies import texts

PUBLIC = Addresses()
NOT_PUBLIC = "not a public address"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "HTTP://Example.com:80/",
        "http://example.com:443/",
        "http://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::808:808]/",
        "http://08.8.8.8/",
    ],
)
def test_public_addresses_pass(url):
    assert PUBLIC.refusal(url) == ""


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f.1",
        "0X7F000001",
        "017700000001",
        "0177.0.0.1",
        "１２７.0.0.1",
        "0",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[fc00::1]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[ff0e::1]",
        "[2001:0:7f00:1::]",
        "[::ffff:0.0.0.0]",
        "[0:0:0:0:0:ffff:a9fe:a9fe]",
        "198.18.0.1",
        "192.0.0.1",
    ],
)
def test_an_address_that_is_not_public_is_refused_in_every_notation(host):
    assert PUBLIC.refusal(f"http://{host}/") == NOT_PUBLIC
    assert not PUBLIC.may_connect("example.com", 80, host.strip("[]"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com:22/", "port 22 is not allowed"),
        ("http://example.com:8080/", "port 8080 is not allowed"),
        ("http://example.com:0/", "port 0 is not allowed"),
        ("http://user@example.com/", "a user name in the address"),
        ("http://user:secret@example.com/", "a user name in the address"),
        ("http://@example.com/", "a user name in the address"),
        ("file:///etc/passwd", "neither http nor https: file"),
        ("gopher://example.com/", "neither http nor https: gopher"),
        ("ftp://example.com/", "neither http nor https: ftp"),
        ("//example.com/", "neither http nor https: no scheme"),
        ("", "neither http nor https: no scheme"),
        ("http://", "no host in the address"),
        ("http:///x", "no host in the address"),
        ("http://[::1", "a broken address"),
        ("http://example.com:99999/", "a broken address"),
    ],
)
def test_a_refusal_says_why(url, why):
    assert PUBLIC.refusal(url) == why


ALLOWED = Addresses.parse(["LocalHost:8000", "[::1]:8001", "10.0.0.5:80"])


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/", "https://LOCALHOST:8000/", "http://[::1]:8001/", "http://10.0.0.5/"]
)
def test_an_allowed_host_and_port_pass(url):
    assert ALLOWED.refusal(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost:8001/", "port 8001 is not allowed"),
        ("http://other:8000/", "port 8000 is not allowed"),
        ("http://127.0.0.1:8000/", "port 8000 is not allowed"),
        ("http://[::1]/", NOT_PUBLIC),
        ("https://10.0.0.5/", NOT_PUBLIC),
        ("http://user@localhost:8000/", "a user name in the address"),
        ("ftp://localhost:8000/", "neither http nor https: ftp"),
    ],
)
def test_another_port_host_or_scheme_than_the_allowed_is_refused(url, why):
    assert ALLOWED.refusal(url) == why


def test_an_allowed_name_may_lead_inwards_at_its_port_only():
    assert ALLOWED.may_connect("localhost", 8000, "127.0.0.1")
    assert not ALLOWED.may_connect("localhost", 80, "127.0.0.1")
    assert not ALLOWED.may_connect("example.com", 8000, "127.0.0.1")
    assert ALLOWED.may_connect("example.com", 80, "8.8.8.8")


@pytest.mark.parametrize(
    "text", ["x", "x:", "x:0", "x:65536", ":80", ":", "x:٣", "x:-1", "http://x:80", "u@x:80", "x y:80"]
)
def test_what_is_not_host_and_port_is_named(text):
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        Addresses.parse([text])


@given(texts | st.text("0123456789abcdefx:.[]%@/_+-", max_size=30).map("http://".__add__))
def test_any_text_is_judged(url):
    assert isinstance(PUBLIC.refusal(url), str)


@given(st.ip_addresses(v=4))
def test_every_notation_of_an_address_is_judged_alike(ip):
    spellings = (str(ip), str(int(ip)), hex(int(ip)), f"0{int(ip):o}", f"[::ffff:{ip}]", f"[64:ff9b::{ip}]")
    assert len({PUBLIC.refusal(f"http://{host}/") for host in spellings}) == 1


@pytest.mark.parametrize(
    "host",
    ["127。0。0。1", "127．0．0．1", "①②⑦.0.0.1", "⑫⑦.⓪.0.1", "127.0.0.1。", "0x7f。1", "[::ffff:127.0.0.1%25eth0]"],
)
def test_an_address_in_other_characters_is_refused_as_a_request_spells_it(host):
    try:
        url = Request(f"http://{host}/").url
    except ValueError:
        return
    assert PUBLIC.refusal(url) in (NOT_PUBLIC, "a broken address")


class Names:
    """A reactor whose resolver answers from a list of lists, one for each lookup; never where there is None."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.nameResolver, self.clock = self, Clock()
        self.callLater = self.clock.callLater

    def resolveHostName(self, receiver, hostName, portNumber=0, *_):  # noqa: N802, N803
        receiver.resolutionBegan(self)
        answer = self.answers.pop(0)
        if answer is None:
            self.asking = receiver
            return
        for address in answer:
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()


class Connecting:
    """Whoever wants to connect."""

    def __init__(self):
        self.to, self.complete = [], 0

    def resolutionBegan(self, _):  # noqa: N802
        """Nothing to do."""

    def addressResolved(self, address):  # noqa: N802
        self.to.append(address.host)

    def resolutionComplete(self):  # noqa: N802
        self.complete += 1


def lookups(resolver, *names, port=80):
    for name in names:
        connecting = Connecting()
        resolver.resolveHostName(connecting, name, port)
        yield connecting.to


def test_a_name_is_judged_at_each_connection_by_what_it_leads_to_then():
    resolver = GuardedResolver(Names(["8.8.8.8"], ["127.0.0.1"], ["8.8.8.8", "10.0.0.1", "fe80::1%eth0"]), PUBLIC)
    assert list(lookups(resolver, "a.example", "a.example", "b.example")) == [["8.8.8.8"], [], ["8.8.8.8"]]
    assert resolver.refused == {"a.example", "b.example"}


def test_a_name_that_is_not_answered_for_leads_nowhere_and_what_comes_later_is_not_heard():
    reactor, connecting = Names(None, ["8.8.8.8"]), Connecting()
    resolver = GuardedResolver(reactor, PUBLIC)
    resolver.resolveHostName(connecting, "a.example", 80)
    reactor.clock.advance(limits.NAME_SECONDS - 0.1)
    assert not connecting.complete
    reactor.clock.advance(0.2)
    reactor.asking.addressResolved(IPv4Address("TCP", "8.8.8.8", 80))
    reactor.asking.resolutionComplete()
    assert (connecting.to, connecting.complete) == ([], 1)
    assert list(lookups(resolver, "a.example")) == [["8.8.8.8"]]
    assert not reactor.clock.getDelayedCalls()


def test_a_number_is_judged_when_it_is_connected_to_as_well():
    resolver = GuardedResolver(Names(["127.0.0.1"], ["0.0.0.0"], ["::1"]), PUBLIC)
    assert list(lookups(resolver, "2130706433", "0", "[::1]")) == [[], [], []]


def test_an_allowed_name_may_lead_inwards_at_its_port_alone():
    resolver = GuardedResolver(Names(["127.0.0.1"], ["127.0.0.1"]), ALLOWED)
    assert list(lookups(resolver, "LocalHost", port=8000)) == [["127.0.0.1"]]
    assert list(lookups(resolver, "localhost.", port=8000)) == [[]]


@pytest.mark.parametrize(
    "url", ["https://other.example/", "https://example.com:80/", "http://example.com.evil.example/"]
)
def test_a_request_leaves_only_for_the_hosts_of_its_source(url):
    source = Source(id="s", name="s", home="https://example.com/")
    with pytest.raises(Barred, match="address refused: leads to another host"):
        Guard(PUBLIC).process_request(Request(url, meta={"source": source}))
    Guard(PUBLIC).process_request(Request("https://www.example.com/a", meta={"source": source}))


def answer_in(coding):
    response = Response("https://example.com/", headers={"Content-Encoding": coding} if coding else {})
    return Guard(PUBLIC).process_response(Request("https://example.com/"), response)


@pytest.mark.parametrize("coding", ["", "identity", "UTF-8"])
def test_an_answer_that_is_not_packed_passes(coding):
    assert answer_in(coding).status == 200


def test_an_answer_in_a_coding_that_nobody_knows_is_no_page():
    with pytest.raises(Barred) as barred:
        answer_in("squeezed")
    why = barred.value.why
    assert (why.outcome, why.reason, why.detail) == ("failed", "unknown coding", "Content-Encoding: squeezed")
