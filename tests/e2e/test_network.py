"""The code host elsewhere: an Enterprise server, behind a proxy, with a certificate of one's own authority."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.github import FakeGitHub, serving
from tests.support.job import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.job import Job

    PullRequest = Callable[..., Job]

BETTER = {"params.yaml": "strength: 95\n"}


@contextmanager
def forwarding(to: int, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Listen on loopback and hand every connection on to a port; give ours, and the first bytes of each connection."""
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pipe(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
        except OSError:
            pass
        finally:
            sink.close()

    def serve(client: socket.socket) -> None:
        try:
            plain = context.wrap_socket(client, server_side=True) if context else client
        except OSError:  # who does not trust us hangs up
            return
        first = plain.recv(1 << 16)
        seen.append(first)
        there = socket.create_connection(("127.0.0.1", to))
        there.sendall(first)
        threading.Thread(target=pipe, args=(there, plain), daemon=True).start()
        pipe(plain, there)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        listener.close()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Give a certificate for loopback that nobody else knows, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of one's own")])
    now = dt.datetime.now(dt.UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(loopback, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = tmp_path / "ca.pem", tmp_path / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return public, private


def test_an_enterprise_server_is_spoken_to_at_its_own_address(pull_request: PullRequest, retrain: Program) -> None:
    job = pull_request(BETTER)
    with serving(FakeGitHub(), "/api/v3") as enterprise:
        enterprise.token(TOKEN)
        job.github = enterprise
        job.environ = {"GITHUB_SERVER_URL": "https://github.example"}
        job.step(retrain)
        (comment,) = enterprise.bodies()
        assert "Passed" in comment
        paths = {one.path.removeprefix("/api/v3").split("/")[1] for one in enterprise.received}
    assert paths <= {"repos", "api", "graphql"}


def test_a_proxy_is_used_for_what_is_posted(pull_request: PullRequest, retrain: Program, github: FakeGitHub) -> None:
    job = pull_request(BETTER)
    port = int(github.url.rpartition(":")[2])
    with forwarding(port) as (proxy, seen):
        here, github.url = github.url, "http://github.invalid"
        job.environ = {"HTTP_PROXY": f"http://127.0.0.1:{proxy}", "http_proxy": f"http://127.0.0.1:{proxy}"}
        job.step(retrain)
        github.url = here
    assert len(github.bodies()) == 1
    assert any(b" http://github.invalid/" in first for first in seen)


def test_an_authority_of_ones_own_is_believed_where_it_is_named_and_nowhere_else(
    pull_request: PullRequest, retrain: Program, github: FakeGitHub, certificate: tuple[Path, Path]
) -> None:
    job = pull_request(BETTER)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with forwarding(int(github.url.rpartition(":")[2]), context) as (port, _):
        here, github.url = github.url, f"https://127.0.0.1:{port}"
        refused = job.step(retrain)
        assert github.bodies() == []
        assert "SSLError" in refused.stderr
        job.environ = {"REQUESTS_CA_BUNDLE": str(certificate[0])}
        job.step(retrain)
        github.url = here
    assert len(github.bodies()) == 1
