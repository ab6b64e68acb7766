"""Which requests obstore takes over from boto3, and that they are those that boto3 would have sent."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from runner.errors import Denied
from runner.store import s3_client, s3_obstore, s3_ways
from runner.store.remote import open_remote
from runner.store.s3 import S3
from tests.support import rgw
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.remote import Remote
    from tests.support.faulty import FaultyS3
    from tests.support.s3 import Server

BOTO3, OBSTORE = "Boto3", "object_store"
NAME = "files/md5/ab/cdef"
_PROGRAM = """
import datetime, json
with open({count!r}, "a") as file:
    file.write("x")
    number = file.tell()
soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)).isoformat()
print(json.dumps(dict(Version=1, AccessKeyId=f"key{{number}}", SecretAccessKey="s", Expiration=soon)))
"""
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    return source


@pytest.fixture
def server(misbehaving: FaultyS3) -> FaultyS3:
    misbehaving.reset()
    misbehaving.objects[NAME] = b"content"
    return misbehaving


def opened(server: FaultyS3, options: dict[str, object], environ: dict[str, str] | None = None) -> S3:
    return S3.open("s3://bucket", server.options | options, environ or {})


def content_of(remote: Remote, name: str) -> bytes:
    sink = Collected()
    remote.get(name, sink)
    return bytes(sink.content)


def ask_everything(remote: S3, source: Path) -> None:
    assert content_of(remote, NAME) == b"content"
    assert remote.exists([NAME]) == {NAME: 7}
    remote.put("files/md5/ab/small", source)


def test_single_objects_are_asked_for_by_obstore(server: FaultyS3, source: Path) -> None:
    ask_everything(opened(server, {}), source)
    assert server.agents == [OBSTORE] * 3


@pytest.mark.parametrize("options", [{"allow_anonymous_login": True}, {"sse_customer_key": KEY}])
def test_what_only_boto3_can_do_is_left_to_it(server: FaultyS3, source: Path, options: dict[str, object]) -> None:
    ask_everything(opened(server, options), source)
    assert server.agents == [BOTO3] * 3


@pytest.mark.parametrize("options", [{"acl": "private"}, {"grant_read": "id=1"}])
def test_grants_are_left_to_boto3(server: FaultyS3, source: Path, options: dict[str, object]) -> None:
    opened(server, options).put("files/md5/ab/small", source)
    assert server.agents == [BOTO3]


def test_an_authority_of_one_s_own_is_left_to_boto3(tmp_path: Path) -> None:
    keys: dict[str, object] = {"access_key_id": "key", "secret_access_key": "secret", "region": "eu-west-1"}
    for options, environ in (
        ({"ssl_verify": False}, {}),
        ({"ssl_verify": str(tmp_path)}, {}),
        ({}, {"AWS_CA_BUNDLE": str(tmp_path)}),
    ):
        connection = s3_client.connect("s3://bucket", keys | options, environ)
        assert s3_ways.beside(connection, "bucket", {}) is None


def test_a_variable_that_only_obstore_knows_has_no_effect(
    server: FaultyS3, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ask_everything(opened(server, {}), source)
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms")
    ask_everything(opened(server, {}), source)
    assert server.agents == [OBSTORE] * 3 + [BOTO3] * 3


def test_a_large_object_goes_up_through_boto3(server: FaultyS3, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(s3_obstore.LARGEST_PUT + 1))
    opened(server, {}).put(NAME, large)
    assert server.agents == [BOTO3]
    assert len(server.objects[NAME]) == s3_obstore.LARGEST_PUT + 1


def test_a_bucket_that_is_elsewhere_is_left_to_boto3_from_then_on(server: FaultyS3) -> None:
    remote = opened(server, {})
    server.faults = ["301:PermanentRedirect"]
    assert content_of(remote, NAME) == b"content"
    assert content_of(remote, NAME) == b"content"
    assert server.agents == [OBSTORE, BOTO3, BOTO3]


def test_an_object_of_several_chunks_arrives_in_them(server: FaultyS3) -> None:
    server.objects[NAME] = bytes(range(256)) * 12_000
    sizes: list[int] = []

    class Counting(Collected):
        def write(self, chunk: bytes, /) -> None:
            sizes.append(len(chunk))
            super().write(chunk)

    sink = Counting()
    opened(server, {}).get(NAME, sink)
    assert sink.content == server.objects[NAME]
    assert len(sizes) > 1


@pytest.mark.parametrize(
    ("bucket", "region", "endpoint"),
    [
        ("bucket", "eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com"),
        ("with.dots", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/with.dots"),
        ("bucket", "cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_address_is_the_one_that_boto3_would_use(
    monkeypatch: pytest.MonkeyPatch, bucket: str, region: str, endpoint: str
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    keys: dict[str, object] = {"access_key_id": "key", "secret_access_key": "secret", "region": region}
    found = s3_ways.beside(s3_client.connect(f"s3://{bucket}", keys, {}), bucket, {})
    assert found
    assert (found._store.config["endpoint"], found._store.config["region"]) == (endpoint, region)


@pytest.mark.skipif(rgw.ASKED, reason="Ceph's gateway encrypts only with a key server beside it")
def test_encryption_is_asked_for(moto: Server, source: Path) -> None:
    remote = moto.remote("encrypted", sse="aws:kms", sse_kms_key_id="a-key")
    assert remote._obstore
    remote.put(NAME, source)
    stored = moto.client.head_object(Bucket="bucket", Key=f"encrypted/{NAME}")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", "a-key")
    assert content_of(remote, NAME) == b"content"


def test_credentials_that_expire_are_renewed_through_boto3(server: FaultyS3, tmp_path: Path) -> None:
    """A program gives keys that are used up when they come, and other ones each time."""
    program, count, config = tmp_path / "program.py", tmp_path / "count", tmp_path / "config"
    program.write_text(_PROGRAM.format(count=str(count)))
    config.write_text(f"[profile team]\ncredential_process = {sys.executable} {program}\n")
    options = {"profile": "team", "configpath": str(config), "endpointurl": server.endpoint, "region": "us-east-1"}
    remote = S3.open("s3://bucket", options, {})
    assert content_of(remote, NAME) == b"content"
    time.sleep(0.3)  # obstore asks boto3 at most ten times a second
    assert content_of(remote, NAME) == b"content"
    assert server.agents == [OBSTORE, OBSTORE]
    first, second = (header.split("/")[0] for header in server.signatures)
    assert first != second


def test_without_credentials_boto3_says_so(server: FaultyS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    options = {"endpointurl": server.endpoint, "region": "us-east-1", "credentialpath": str(tmp_path / "none")}
    remote = open_remote("s3://bucket", options, environ={"AWS_CONFIG_FILE": str(tmp_path / "none")})
    with pytest.raises(Denied, match="no usable credentials"):
        content_of(remote, NAME)
