"""Sources: known by what their storage says of them, read whole or not at all."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import ConfigError, Denied, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Hash, Tree
from runner.store.source import Found, Part, SourceStore, open_source
from runner.store.source_gs import GSSource
from runner.store.source_s3 import S3Source
from tests.support import gs, s3, web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.s3 import Server
    from tests.support.web import Site


class Sink(io.BytesIO):
    """Takes what arrives."""

    def restart(self) -> None:
        self.seek(0)
        self.truncate()


def look(store: SourceStore, url: str, *, folder: bool = False, versioned: bool = False) -> Found | None:
    return store.find(url, folder=folder, versioned=versioned)


def read(store: SourceStore, url: str, part: Part) -> bytes:
    sink = Sink()
    store.get(url, part, sink)
    return sink.getvalue()


@pytest.fixture
def site() -> Iterator[Site]:
    with web.serve() as found:
        yield found


def http(**options: Any) -> SourceStore:
    return open_source("http://h", options, environ={})


# Web servers


def test_a_file_of_a_server_is_known_by_its_etag_for_one_request(site: Site) -> None:
    site.files["/a"] = b"abc"
    found = look(http(), f"{site.url}/a")
    assert found
    assert found == Found(found.hash, (Part("", found.hash, 3),))
    assert found.hash == Hash('"900150983cd24fb0d6963f7d28e17f72"', "checksum")
    assert site.asked == [("HEAD", "/a")]
    assert read(http(), f"{site.url}/a", found.parts[0]) == b"abc"


@pytest.mark.parametrize("size", ["many", "-3", "", "9" * 5000, "1.5"])
def test_a_size_that_is_no_number_is_not_known(size: str, site: Site) -> None:
    site.files["/a"] = b"abc"
    site.sizes["/a"] = size
    found = look(http(), f"{site.url}/a")
    assert found
    assert found.size is None


def test_a_file_that_is_not_there_is_no_error(site: Site) -> None:
    assert look(http(), f"{site.url}/none") is None
    assert site.asked == [("HEAD", "/none")]


def test_a_file_that_changed_since_it_was_found_is_not_read(site: Site) -> None:
    site.files["/a"] = b"abc"
    found = look(http(), f"{site.url}/a")
    site.files["/a"] = b"other"
    assert found
    with pytest.raises(ObjectMissing, match="does not hold what was found there"):
        read(http(), f"{site.url}/a", found.parts[0])


def test_a_file_that_breaks_off_may_be_tried_again(site: Site) -> None:
    site.files["/a"] = b"abc" * 1000
    found = look(http(), f"{site.url}/a")
    site.truncated.add("/a")
    assert found
    with pytest.raises(Unavailable):
        read(http(), f"{site.url}/a", found.parts[0])


def test_no_header_of_ours_follows_a_redirect_to_another_host(site: Site) -> None:
    with web.serve("127.0.0.2") as other:
        site.redirects["/a"] = f"{other.url}/a"
        other.files["/a"] = b"abc"
        store = http(auth="custom", custom_auth_header="X-Key", password="secret")  # noqa: S106 - a test's
        assert look(store, f"{site.url}/a")
        assert ["X-Key" in one for one in (*site.headers, *other.headers)] == [True, False]


def test_a_server_that_cannot_be_reached_may_be_tried_again() -> None:
    with pytest.raises(Unavailable, match="check the network and the url"):
        look(http(), "http://127.0.0.1:1/x")


@pytest.mark.parametrize("url", ["ftp://h/x", "sftp://h/x"])
def test_what_is_not_supported_is_said_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match=f"{url.partition('/')[0]}// is not supported as a source"):
        open_source(url, {}, environ={})


# Buckets


@pytest.fixture(scope="module")
def shop() -> Iterator[Server]:
    with s3.moto() as server:
        server.client.create_bucket(Bucket="kept")
        server.client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        for key in ("d/a", "d/in/b", "d.more", "d/empty/"):
            server.client.put_object(Bucket=s3.BUCKET, Key=key, Body=key.encode())
            server.client.put_object(Bucket="kept", Key=key, Body=b"old")
        server.client.put_object(Bucket="kept", Key="d/a", Body=b"new")
        yield server


def bucket(shop: Server, name: str = s3.BUCKET) -> tuple[S3Source, list[str]]:
    """Give a source, and the operations that it will have asked for."""
    asked: list[str] = []
    client = type(shop)(shop.endpoint).client
    client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    return S3Source(name, client), asked


def test_an_object_is_known_by_its_etag_for_one_request(shop: Server) -> None:
    store, asked = bucket(shop)
    found = look(store, f"s3://{s3.BUCKET}/d/a")
    assert found
    assert (found.hash.name, found.size, found.is_dir) == ("etag", 3, False)
    assert asked == ["HeadObject"]
    assert read(store, f"s3://{s3.BUCKET}/d/a", found.parts[0]) == b"d/a"


def test_a_directory_that_was_one_before_costs_one_request(shop: Server) -> None:
    store, asked = bucket(shop)
    found = look(store, f"s3://{s3.BUCKET}/d", folder=True)
    assert found
    assert [part.relpath for part in found.parts] == ["a", "in/b"]
    assert (found.hash.is_dir, found.size) == (True, 9)
    assert asked == ["ListObjectsV2"]
    assert read(store, f"s3://{s3.BUCKET}/d", found.parts[1]) == b"d/in/b"
    assert look(store, f"s3://{s3.BUCKET}/d") == found, "it is found as well by whoever does not know what it is"


def test_an_object_that_changed_since_it_was_found_is_not_read(shop: Server) -> None:
    shop.client.create_bucket(Bucket="unversioned")  # other tests make the usual one keep versions
    store, _ = bucket(shop, "unversioned")
    shop.client.put_object(Bucket="unversioned", Key="moving", Body=b"1")
    found = look(store, "s3://unversioned/moving")
    shop.client.put_object(Bucket="unversioned", Key="moving", Body=b"2")
    assert found
    with pytest.raises(ObjectMissing, match="does not hold what was found there"):
        read(store, "s3://unversioned/moving", found.parts[0])


def test_a_version_can_be_read_when_there_are_newer_ones(shop: Server) -> None:
    store, _ = bucket(shop, "kept")
    newest = look(store, "s3://kept/d/a", versioned=True)
    assert newest
    shop.client.put_object(Bucket="kept", Key="d/a", Body=b"newest")
    assert read(store, "s3://kept/d/a", newest.parts[0]) == b"new"
    folder = look(store, "s3://kept/d", folder=True, versioned=True)
    assert folder
    assert [(part.relpath, bool(part.version)) for part in folder.parts] == [("a", True), ("in/b", True)]


def test_nothing_and_no_bucket_are_told_apart(shop: Server) -> None:
    assert look(bucket(shop)[0], f"s3://{s3.BUCKET}/none") is None
    with pytest.raises(RemoteError, match="no such bucket"):
        look(bucket(shop, "elsewhere")[0], "s3://elsewhere/none", folder=True)


def test_google_objects_are_known_by_etag_and_generation() -> None:
    with gs.emulator() as server:
        holder = server.client.bucket(gs.BUCKET)
        for key in ("d/a", "d/in/b"):
            holder.blob(key).upload_from_string(key.encode())
        store = GSSource(gs.BUCKET, server.client)
        found, folder = look(store, f"gs://{gs.BUCKET}/d/a"), look(store, f"gs://{gs.BUCKET}/d")
        assert found
        assert folder
        blob = holder.get_blob("d/a")
        assert found.hash == Hash(base64.b64decode(blob.etag).hex(), "etag")
        assert (found.size, found.parts[0].version) == (3, str(blob.generation))
        assert ([part.relpath for part in folder.parts], folder.is_dir) == (["a", "in/b"], True)
        assert read(store, f"gs://{gs.BUCKET}/d", folder.parts[1]) == b"d/in/b"
        assert look(store, f"gs://{gs.BUCKET}/none") is None


# Folders


def test_a_folder_outside_is_known_by_md5(tmp_path: Path) -> None:
    (tmp_path / "d" / ".git").mkdir(parents=True)
    (tmp_path / "d" / "a").write_bytes(b"abc")
    (tmp_path / "d" / ".git" / "x").write_bytes(b"no data")
    store = open_source(str(tmp_path), {}, environ={})
    found = look(store, str(tmp_path / "d"))
    assert found
    assert found.hash == Tree.of([("a", "900150983cd24fb0d6963f7d28e17f72")]).hash
    assert read(store, str(tmp_path / "d"), found.parts[0]) == b"abc"
    assert look(store, str(tmp_path / "d" / "a")) == Found(found.parts[0].hash, (Part("", found.parts[0].hash, 3),))
    assert look(store, str(tmp_path / "none")) is None


def test_a_folder_that_may_not_be_read_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        read(open_source(str(tmp_path), {}, environ={}), str(tmp_path / "gone"), Part("", Hash("0" * 32)))


def test_a_denied_server_is_not_an_absent_file(site: Site) -> None:
    site.refused = 403
    with pytest.raises(Denied, match="403"):
        look(http(), f"{site.url}/a")
    site.refused = 503
    with pytest.raises(Unavailable, match="503"):
        look(http(), f"{site.url}/a")
