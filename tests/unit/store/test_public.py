"""Only public addresses are connected to for somebody who is not trusted, however an address is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import Denied, RunnerError
from runner.store import public
from runner.store.source import open_source
from runner.store.source_http import Http, public_session
from tests.support import web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.web import Site


@pytest.fixture
def site() -> Iterator[Site]:
    with web.serve() as found:
        found.files["/x"] = b"x"
        yield found


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not public.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert public.is_public(address)


def test_one_address_inside_among_several_is_enough_to_refuse() -> None:
    with pytest.raises(Denied, match=r"h is at 127\.0\.0\.1, which is no public address"):
        public.public_address("h", 80, lambda _host, _port: ["93.184.216.34", "127.0.0.1"])


def test_the_address_that_was_checked_is_the_one_to_connect_to() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    assert public.public_address("h", 80, lambda _host, _port: next(answers)) == "93.184.216.34"
    assert next(answers) == ["127.0.0.1"], "the name was resolved twice"


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "localhost", "[::1]", "0"])
def test_no_spelling_of_this_machine_is_reached(host: str, site: Site) -> None:
    url = f"http://{host}:{site.url.rpartition(':')[2]}/x"
    with pytest.raises(RunnerError, match="no public address"):
        open_source(url, {}, environ={}, guarded=True).find(url, folder=False, versioned=False)
    assert site.asked == []


def test_a_trusted_source_may_be_on_this_machine(site: Site) -> None:
    url = f"{site.url}/x"
    assert open_source(url, {}, environ={}).find(url, folder=False, versioned=False)


def guarded(site: Site) -> Http:
    """Give a guarded source that may reach the test's server: everything behind it is checked as always."""
    port = int(site.url.rpartition(":")[2])

    def through(host: str, asked: int) -> str:
        return host if (host, asked) == ("127.0.0.1", port) else public.public_address(host, asked)

    return Http(lambda: public_session(through), (5, 5))


@pytest.mark.parametrize(
    "inside", ["http://169.254.169.254/latest/meta-data", "http://localhost:1/x", "http://[::ffff:10.0.0.1]/x"]
)
def test_a_redirect_inside_is_not_followed(inside: str, site: Site) -> None:
    site.redirects["/away"] = inside
    with pytest.raises(Denied, match="no public address"):
        guarded(site).find(f"{site.url}/away", folder=False, versioned=False)


def test_a_guarded_request_shows_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for store in (guarded(site), open_source(site.url, {}, environ={})):
        store.find(f"{site.url}/x", folder=False, versioned=False)
    assert ["Authorization" in headers for headers in site.headers] == [False, True]


@pytest.mark.parametrize("url", ["/etc/passwd", "s3://bucket/key"])
def test_what_is_no_web_server_is_not_opened_for_somebody_who_is_not_trusted(url: str) -> None:
    with pytest.raises(RunnerError, match="not trusted"):
        open_source(url, {}, environ={}, guarded=True)
