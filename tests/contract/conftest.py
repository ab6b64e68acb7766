"""The servers of the contract suite: one of each a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.loaders
import botocore.session
import pytest

from tests.support import azure as microsoft
from tests.support import faulty, s3
from tests.support import gs as google
from tests.support import nginx as http_server
from tests.support import rgw as ceph
from tests.support import sshd as open_ssh

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def loader() -> Iterator[None]:
    """Have boto3 read once how to speak S3, and not for each client: that is most of what making one takes."""
    shared = botocore.loaders.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda _: shared)
        yield


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Server]:
    """Give a server with S3's semantics: moto, or, with `make rgw`, Ceph's gateway in its place."""
    with ceph.rgw(tmp_path_factory.mktemp("rgw")) if ceph.ASKED else s3.moto() as server:
        yield server


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Server]:
    with s3.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[http_server.Server]:
    with http_server.nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture(scope="session")
def gs() -> Iterator[google.Server]:
    with google.emulator() as server:
        yield server


@pytest.fixture(scope="session")
def azurite() -> Iterator[microsoft.Server]:
    with microsoft.azurite() as server:
        yield server


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[open_ssh.Server]:
    with open_ssh.sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def misbehaving() -> Iterator[faulty.FaultyS3]:
    with faulty.faulty_s3() as server:
        yield server


@pytest.fixture(params=["obstore", "boto3"])
def faulty_s3(request: pytest.FixtureRequest, misbehaving: faulty.FaultyS3) -> Iterator[faulty.FaultyS3]:
    """Give the server to remotes that use obstore where they can, and to those that have boto3 only."""
    misbehaving.boto3_only = request.param == "boto3"
    yield misbehaving
    misbehaving.reset()
