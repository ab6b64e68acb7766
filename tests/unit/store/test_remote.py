"""Opening remotes, and trying again."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError, Corrupt, Denied, ObjectMissing, RemoteError, Unavailable
from runner.store.meter import Tally, unheard
from runner.store.patience import BUDGET, LONGEST_WAIT
from runner.store.remote import Retrying, checked, open_remote
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from runner.store.meter import Report
    from runner.store.protocols import Sink, Source

S3 = {"region": "us-east-1"}


class Failing:
    """A remote that raises its errors one call after the other, then works."""

    url = "failing://"

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.stored: list[tuple[str, Source]] = []

    def _fail(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)

    def exists(self, names: Iterable[str]) -> Mapping[str, int]:
        asked = dict.fromkeys(names, 1)
        self._fail()
        return asked

    def get(self, name: str, sink: Sink) -> None:
        sink.write(name[:1].encode())
        self._fail()
        sink.write(name[1:].encode())

    def put(self, name: str, source: Source, report: Report = unheard) -> None:
        report(5)
        self._fail()
        self.stored.append((name, source))

    def names(self, prefix: str) -> Iterator[str]:
        yield f"{prefix}1"
        self._fail()
        yield f"{prefix}2"


def retrying(*errors: Exception, budget: float = 10) -> tuple[Retrying, Failing, list[float]]:
    waits: list[float] = []
    failing = Failing(*errors)
    return Retrying(failing, budget=budget, sleep=waits.append), failing, waits


def passing(count: int) -> list[Exception]:
    return [Unavailable("busy") for _ in range(count)]


def test_every_call_is_tried_again_until_it_works(tmp_path: Path) -> None:
    remote, _, waits = retrying(*passing(2))
    assert remote.exists(iter(["a", "b"])) == {"a": 1, "b": 1}
    assert (remote.retries, len(waits)) == (2, 2)
    remote, failing, _ = retrying(*passing(1))
    remote.put("name", tmp_path)
    assert (failing.calls, failing.stored) == (2, [("name", tmp_path)])
    remote, _, _ = retrying(*passing(3))
    assert list(remote.names("n")) == ["n1", "n2"]
    assert remote.url == "failing://"


def test_a_further_try_starts_the_sink_anew() -> None:
    remote, _, _ = retrying(*passing(3))
    sink = Collected()
    remote.get("name", sink)
    assert sink.content == b"name"


@pytest.mark.parametrize(
    "error",
    [
        ObjectMissing("x"),
        Denied("x"),
        Corrupt("x"),
        RemoteError("x"),
        OSError(28, "No space left on device"),
        ValueError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_else_is_tried_again(error: Exception) -> None:
    remote, failing, waits = retrying(error)
    with pytest.raises(type(error)):
        remote.get("name", Collected())
    assert (failing.calls, remote.retries, waits) == (1, 0, [])


def test_the_last_error_is_raised_when_the_budget_is_spent() -> None:
    remote, failing, waits = retrying(*passing(100), budget=0)
    with pytest.raises(Unavailable, match="busy"):
        remote.get("name", Collected())
    assert (failing.calls, waits) == (1, [])


def test_waits_are_random_and_bounded() -> None:
    remote, _, waits = retrying(*passing(60), budget=3600)
    remote.put("name", None)  # type: ignore[arg-type]
    assert len(set(waits)) > 50
    assert 0 <= min(waits) <= max(waits) <= LONGEST_WAIT
    assert max(waits[:3]) <= 4


def test_a_directory_is_opened_with_retries_within_the_stated_budget(tmp_path: Path) -> None:
    remote = open_remote(str(tmp_path), {}, environ={})
    assert isinstance(remote, Retrying)
    assert remote.url == str(tmp_path)
    assert open_remote(f"file://{tmp_path}", {}, environ={}).url == str(tmp_path)
    assert BUDGET == 60


@pytest.mark.parametrize("option", ["url", "jobs", "verify", "no_traverse", "listobjects", "type", "protected"])
def test_options_of_dvc_that_change_nothing_here_are_taken(tmp_path: Path, option: str) -> None:
    open_remote(str(tmp_path), {option: True}, environ={})


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("azure://container", {}, "azure://"),
        ("azure://container/a//b", {"account_name": "a", "account_key": "a2V5"}, "parts of its path that are empty"),
        ("s3://", S3, "names no bucket"),
        ("gs:///path", {}, "names no bucket"),
        ("ssh://host", {}, "write ssh://HOST:PORT/PATH"),
        ("webdav://host/path", {}, "webdav://"),
        ("relative/path", {}, "relative"),
        ("/path", {"version_aware": True}, "'version_aware'"),
        ("https://host/x", {"worktree": True}, "'worktree'"),
        ("s3://bucket", S3 | {"endpoint_url": "http://x"}, "did you mean 'endpointurl'"),
        ("s3://bucket", S3 | {"endpointurl": "not a url"}, "not a url"),
        ("s3://bucket", S3 | {"profile": "nobody"}, "nobody"),
        ("s3://bucket", S3 | {"sse_customer_key": "not base64!"}, "base64"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(url: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        open_remote(url, options, environ={"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"})


def test_opening_a_directory_does_not_wait_for_boto3(tmp_path: Path) -> None:
    code = (
        "import sys; from runner.store.remote import open_remote; "
        "open_remote(sys.argv[1], {}, environ={}); print('boto3' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("name", ["a", "a/b", "files/md5/ab/cd.dir", "..a/b..", "a b", ".hidden"])
def test_a_plain_relative_path_is_a_name(name: str) -> None:
    assert checked(name) == name


def test_a_remote_that_is_down_costs_one_budget_and_not_one_for_each_object(tmp_path: Path) -> None:
    remote, failing, waits = retrying(*passing(4), budget=-1)
    with pytest.raises(Unavailable):
        remote.put("first", tmp_path)
    remote._budget = 10
    with pytest.raises(Unavailable):
        remote.put("second", tmp_path)
    assert (failing.calls, waits) == (2, [])
    failing.errors.clear()
    remote.put("third", tmp_path)
    failing.errors.extend(passing(1))
    remote.put("fourth", tmp_path)
    assert [name for name, _ in failing.stored] == ["third", "fourth"]
    assert len(waits) == 1


def test_bytes_of_a_try_that_failed_are_taken_back_and_those_of_the_last_one_stay(tmp_path: Path) -> None:
    remote, _, _ = retrying(Unavailable("1"), Unavailable("2"))
    tally = Tally()
    remote.put("a", tmp_path / "a", tally.report)
    assert tally.bytes == 5
