"""Files of which a remote keeps every version: asked for by path and version, on S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError, ObjectMissing, RemoteError
from runner.store.place import Place
from runner.store.versioned import Versioned, open_versioned
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import s3

pytestmark = pytest.mark.slow
OLD, NEW, LOST = "files/md5/aa/old", "files/md5/bb/new", "files/md5/cc/lost"


def received(remote: Versioned, name: str) -> bytes:
    sink = Collected()
    remote.get(name, sink)
    return bytes(sink.content)


@pytest.fixture(scope="module")
def versions(moto: s3.Server) -> list[str]:
    """Write two versions of one file; give their ids."""
    moto.client.create_bucket(Bucket="versions")
    moto.client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    bodies = (b"first", b"second!")
    return [moto.client.put_object(Bucket="versions", Key="p/a b/é", Body=body)["VersionId"] for body in bodies]


@pytest.fixture
def remote(moto: s3.Server, versions: list[str]) -> Versioned:
    places = {
        OLD: Place("a b/é", versions[0]),
        NEW: Place("a b/é", ""),
        LOST: Place("a b/é", versions[0].replace(versions[0][0], "0" if versions[0][0] != "0" else "1")),
    }
    options = moto.options | {"version_aware": True}
    return open_versioned("s3://versions/p", options, places.get, environ={})  # type: ignore[return-value]


def test_each_version_is_had_under_the_name_of_its_object(remote: Versioned) -> None:
    assert remote.exists([OLD, NEW, LOST, "files/md5/dd/unknown"]) == {OLD: 5, NEW: 7}
    assert (received(remote, OLD), received(remote, NEW)) == (b"first", b"second!")


def test_a_version_that_is_gone_or_unknown_is_missing(remote: Versioned) -> None:
    with pytest.raises(ObjectMissing, match="a b/é is not in s3://versions/p"):
        received(remote, LOST)
    with pytest.raises(ObjectMissing, match="name no version of files/md5/dd/unknown"):
        received(remote, "files/md5/dd/unknown")


def test_nothing_is_written_and_nothing_is_listed(remote: Versioned, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(RemoteError, match="only read"):
        remote.put(OLD, tmp_path / "x")
    assert list(remote.names("")) == []


def test_other_storage_is_refused_by_the_option_s_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'worktree' is not supported there"):
        open_versioned(str(tmp_path), {"worktree": True}, lambda _: None, environ={})
