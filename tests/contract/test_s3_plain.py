"""What is told of a bucket without boto3 is what boto3 would do, and whatever is not plain is left to it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from runner.store import s3_asked, s3_client, s3_plain
from runner.store.s3 import S3
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.s3_obstore import Reach
    from tests.support.faulty import FaultyS3

KEYS: dict[str, object] = {"access_key_id": "key", "secret_access_key": "secret"}
VARIABLES = {"AWS_ACCESS_KEY_ID": "their key", "AWS_SECRET_ACCESS_KEY": "their secret"}
HERE = "http://127.0.0.1:9000"
PLAIN: list[tuple[dict[str, object], dict[str, str]]] = [
    (KEYS | {"region": "eu-west-1"}, {}),
    (KEYS | {"region": "us-east-1"}, VARIABLES),
    (KEYS | {"region": "eu-west-1", "session_token": "token"}, VARIABLES | {"AWS_SESSION_TOKEN": "their token"}),
    (KEYS, VARIABLES | {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}),
    ({}, VARIABLES | {"AWS_DEFAULT_REGION": "us-west-2"}),
    ({}, VARIABLES | {"AWS_REGION": "sa-east-1", "AWS_SESSION_TOKEN": "their token"}),
    ({}, VARIABLES | {"AWS_REGION": "sa-east-1", "AWS_SESSION_TOKEN": ""}),
    ({"endpointurl": HERE}, VARIABLES | {"AWS_REGION": "us-east-1"}),
    ({"endpointurl": f"{HERE}/"}, VARIABLES | {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://elsewhere"}),
    ({}, VARIABLES | {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://minio:9000"}),
    ({}, VARIABLES | {"AWS_REGION": "auto", "AWS_ENDPOINT_URL_S3": "https://id.eu.r2.cloudflarestorage.com"}),
    ({}, VARIABLES | {"AWS_REGION": "fsn1", "AWS_ENDPOINT_URL_S3": HERE, "AWS_ENDPOINT_URL": "http://elsewhere"}),
    ({"endpointurl": "http://localhost", "region": "fr-par", "read_timeout": 5, "connect_timeout": "2"}, VARIABLES),
    ({"endpointurl": "https://storage.example.com", "region": "us-west-004", "sse": "AES256"}, VARIABLES),
    ({"profile": None, "region": "eu-west-1"}, VARIABLES | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}),
]
ENDPOINTS = [
    None,
    HERE,
    "http://[::1]:9000",
    "http://minio",
    "HTTP://Minio:80",
    "https://minio:443",
    "https://host/path",
    "https://host?query",
    "https://s3.eu-west-1.amazonaws.com",
    "https://s3-accelerate.amazonaws.com",
    "https://user:word@host",
    "host:9000",
    "ftp://host",
]
BUCKETS = [
    "bucket",
    "a-bucket-1",
    "with.dots",
    "Upper",
    "under_score",
    "ab",
    "xn--bucket",
    "bucket--x-s3",
    "bucket-s3alias",
    "127.0.0.1",
    "-bucket",
    "arn:aws:s3:eu-west-1:123456789012:accesspoint/here",
    "b" * 63,
    "b" * 64,
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the process a home without settings, and no variables of boto3's."""
    for name in os.environ:
        if name.startswith(("AWS", "BOTO", "REQUESTS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def by_boto3(bucket: str, options: dict[str, object], environ: dict[str, str]) -> Reach | None:
    return s3_asked.reach(s3_client.connect(f"s3://{bucket}", options, environ), bucket)


def told(reach: Reach | None) -> dict[str, Any]:
    assert reach
    return {**vars(reach), "credentials": reach.credentials()}


@pytest.mark.parametrize(("options", "environ"), PLAIN)
@pytest.mark.parametrize("in_process", [False, True])
def test_what_is_plain_is_told_as_boto3_would_do_it(
    options: dict[str, object], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, in_process: bool
) -> None:
    for name, value in environ.items() if in_process else ():
        monkeypatch.setenv(name, value)
    plain = s3_plain.reach("bucket", options, environ)
    assert told(plain) == told(by_boto3("bucket", options, environ))


def test_each_region_is_told_as_boto3_would_do_it_or_left_to_it() -> None:
    session = botocore.session.Session()
    regions = [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition, allow_non_regional=True)
    ]
    answered = []
    for region, endpoint in itertools.product([*regions, "us-gov-iso-1", "eu-nowhere-9", "aws-global"], [None, HERE]):
        options = KEYS | {"region": region, "endpointurl": endpoint}
        plain = s3_plain.reach("bucket", options, {})
        if plain:
            answered.append(region)
            assert told(plain) == told(by_boto3("bucket", options, {})), region
    assert {"us-east-1", "eu-central-1", "ap-southeast-3"} <= set(answered)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_each_bucket_and_endpoint_is_told_as_boto3_would_do_it_or_left_to_it(bucket: str) -> None:
    for endpoint in ENDPOINTS:
        options = KEYS | {"region": "eu-west-1", "endpointurl": endpoint}
        plain = s3_plain.reach(bucket, options, {})
        if plain:
            assert told(plain) == told(by_boto3(bucket, options, {})), endpoint


@pytest.mark.parametrize(
    "options",
    [
        {"access_key_id": "key"},
        {"access_key_id": "key", "secret_access_key": "secret", "region": ""},
        *(
            KEYS | {"region": "eu-west-1"} | further
            for further in (
                {"profile": "team"},
                {"configpath": "config"},
                {"credentialpath": "credentials"},
                {"ssl_verify": False},
                {"use_ssl": False},
                {"allow_anonymous_login": True},
                {"acl": "private"},
                {"sse_customer_key": "a2V5"},
                {"read_timeout": "long"},
                {"unheard_of": True},
            )
        ),
    ],
)
def test_options_that_are_not_plain_are_left_to_boto3(options: dict[str, object]) -> None:
    assert s3_plain.reach("bucket", options, {}) is None


@pytest.mark.parametrize(
    "name",
    [
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_PROFILE",
        "AWS_SERVER_SIDE_ENCRYPTION",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
        "AWS_WHATEVER_COMES_NEXT",
        "BOTO_CONFIG",
        "REQUESTS_CA_BUNDLE",
    ],
)
@pytest.mark.parametrize("in_process", [False, True])
def test_a_variable_that_is_not_plain_leaves_it_to_boto3(
    name: str, monkeypatch: pytest.MonkeyPatch, *, in_process: bool
) -> None:
    environ = VARIABLES | {"AWS_REGION": "eu-west-1"}
    assert s3_plain.reach("bucket", {}, environ)
    if in_process:
        monkeypatch.setenv(name, "something")
    assert s3_plain.reach("bucket", {}, environ if in_process else environ | {name: "something"}) is None


def test_a_process_that_says_something_else_leaves_it_to_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = VARIABLES | {"AWS_REGION": "eu-west-1"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", HERE)
    assert s3_plain.reach("bucket", {}, environ) is None
    assert s3_plain.reach("bucket", {}, environ | {"AWS_ENDPOINT_URL": HERE})


@pytest.mark.parametrize("name", [".aws/config", ".aws/credentials", ".aws/models/s3/1.json", ".boto"])
def test_a_file_that_boto3_reads_leaves_it_to_boto3(tmp_path: Path, name: str) -> None:
    options = KEYS | {"region": "eu-west-1"}
    assert s3_plain.reach("bucket", options, {})
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("")
    assert s3_plain.reach("bucket", options, {}) is None


def test_where_it_is_plain_boto3_is_not_loaded_before_it_is_needed(server: FaultyS3) -> None:
    """Who reads, stores and lists small objects never waits for it; an error that has to be told loads its errors."""
    program = f"""
import sys
from runner.store.remote import open_remote
from tests.support.sinks import Collected
remote = open_remote("s3://bucket", {server.options!r}, environ={{}})
remote.get({"files/md5/ab/cdef"!r}, Collected())
remote.put("files/md5/ab/small", b"small")
assert remote.exists(["files/md5/ab/small"]) == {{"files/md5/ab/small": 5}}
assert len(remote.exists([f"files/md5/{{number:02x}}/cdef" for number in range(200)])) == 1
print(sorted({{"boto3", "botocore", "urllib3", "s3transfer"}} & sys.modules.keys()))
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (finished.stdout, finished.stderr) == ("[]\n", "")


def test_what_needs_boto3_gets_it_where_everything_else_is_plain(server: FaultyS3) -> None:
    remote = S3.open("s3://bucket", server.options, {})
    server.faults = ["301:PermanentRedirect"]
    sink = Collected()
    remote.get("files/md5/ab/cdef", sink)
    assert sink.content == b"content"
    assert server.agents == ["object_store", "Boto3"]


@pytest.fixture
def server(misbehaving: FaultyS3) -> FaultyS3:
    misbehaving.reset()
    misbehaving.objects["files/md5/ab/cdef"] = b"content"
    return misbehaving
