"""SFTP: ways to sign in, hosts that are not believed, lines that are cut, and in which words all that is told."""

from __future__ import annotations

import asyncio
import gc
import getpass
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh
import pytest

from runner.errors import ConfigError, Corrupt, Denied, ObjectMissing, RemoteError, Unavailable
from runner.hashes import Hash, Tree, hash_bytes
from runner.store.protocols import Changed
from runner.store.remote import Retrying, open_remote
from runner.store.source import Found, Part, open_source
from runner.store.ssh import SSH
from runner.store.ssh_client import KEY, KNOWN_HOSTS
from tests.support.asking import NAME, calls, content_of
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sshd import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    return source


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty `~/.ssh`: the process's own, which is where asyncssh looks."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home


def test_a_host_whose_key_is_not_known_is_not_believed(sshd: Server, source: Path, home: Path) -> None:
    remote = open_remote(sshd.url("unknown"), sshd.options, environ={})
    for call in calls(remote, source):
        with pytest.raises(Denied, match="the key of the host is not known") as caught:
            call()
        assert KNOWN_HOSTS in caught.value.hint
    assert isinstance(remote, Retrying)
    assert remote.retries == 0
    assert list((home / ".ssh").iterdir()) == []


def test_a_host_with_another_key_than_the_known_one_is_not_believed(sshd: Server, home: Path) -> None:
    kind, key, *_ = (sshd.folder / "user.pub").read_text().split()
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {kind} {key}\n")
    with pytest.raises(Denied, match="the key of the host is not known"):
        content_of(SSH.open(sshd.url("changed"), sshd.options, {}))


@pytest.mark.parametrize("files", ["none", "/dev/null"])
def test_a_configuration_that_knows_no_hosts_does_not_mean_that_all_are_known(
    sshd: Server, home: Path, files: str
) -> None:
    text = f"Host *\n  UserKnownHostsFile {files}\n  StrictHostKeyChecking no\n"
    (home / ".ssh" / "config").write_text(text)
    with pytest.raises(Denied, match="the key of the host is not known"):
        content_of(SSH.open(sshd.url("blind"), sshd.options, {}))


def test_host_port_user_key_and_known_hosts_come_from_the_users_configuration(
    sshd: Server, home: Path, source: Path
) -> None:
    (home / "hosts").write_text(sshd.known_hosts)
    lines = [
        "Host storage",
        "  HostName 127.0.0.1",
        f"  Port {sshd.port}",
        f"  User {getpass.getuser()}",
        f"  IdentityFile {sshd.folder}/user",
        f"  UserKnownHostsFile {home}/hosts",
    ]
    (home / ".ssh" / "config").write_text("\n".join(lines))
    remote = SSH.open(f"ssh://storage{sshd.stored('configured')}", {}, {})
    remote.put(NAME, source)
    assert (sshd.stored("configured") / NAME).read_bytes() == b"content"


def test_a_host_behind_another_is_reached_through_it(sshd: Server, home: Path, source: Path) -> None:
    (home / ".ssh" / "known_hosts").write_text(sshd.known_hosts)
    here = f"  User {getpass.getuser()}\n  IdentityFile {sshd.folder}/user\n"
    jump = f"Host jump\n  HostName 127.0.0.1\n  Port {sshd.port}\n{here}"
    behind = f"Host 127.0.0.1\n  ProxyJump jump\n{here}"
    (home / ".ssh" / "config").write_text(jump + behind)
    remote = SSH.open(sshd.url("behind"), {}, {})
    remote.put(NAME, source)
    assert content_of(remote) == b"content"


def test_keys_of_the_users_folder_are_tried(sshd: Server, home: Path, source: Path) -> None:
    (home / ".ssh" / "id_ed25519").write_text((sshd.folder / "user").read_text())
    (home / ".ssh" / "id_ed25519").chmod(0o600)
    remote = SSH.open(sshd.url("usual"), {"user": getpass.getuser()}, sshd.environ)
    remote.put(NAME, source)
    assert content_of(remote) == b"content"


def test_a_job_brings_its_key_in_a_variable_which_counts_before_a_file(sshd: Server, home: Path, source: Path) -> None:
    environ = sshd.environ | {KEY: (sshd.folder / "user").read_text().rstrip()}
    remote = SSH.open(sshd.url("variable"), {"user": getpass.getuser(), "keyfile": "/home/somebody/.ssh/id"}, environ)
    remote.put(NAME, source)
    assert content_of(remote) == b"content"
    assert list((home / ".ssh").iterdir()) == []


class _Doorkeeper(asyncssh.SSHServer):
    """Lets in whoever knows the password; sshd itself would ask for that of the machine's own users."""

    def begin_auth(self, _: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("somebody", "testing")


@pytest.fixture
def doorkeeper(sshd: Server) -> Iterator[int]:
    """Give the port of asyncssh's own server, with the key of the other host."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        keys = [str(sshd.folder / "host")]
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=_Doorkeeper, server_host_keys=keys, sftp_factory=True
        )

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    yield server.get_port()

    async def close() -> None:
        server.close()
        await server.wait_closed()

    asyncio.run_coroutine_threadsafe(close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("password", ["testing", "wrong", ""])
def test_a_password_lets_in_and_a_wrong_one_or_none_does_not(
    sshd: Server, doorkeeper: int, source: Path, home: Path, password: str
) -> None:
    kind, key, *_ = (sshd.folder / "host.pub").read_text().split()
    environ = {KNOWN_HOSTS: f"[127.0.0.1]:{doorkeeper} {kind} {key}\n"}
    options = {"user": "somebody", "password": password}
    remote = SSH.open(f"ssh://127.0.0.1:{doorkeeper}{home}/objects", options, environ)
    if password == "testing":  # noqa: S105 - no secret
        remote.put(NAME, source)
        assert content_of(remote) == b"content"
        return
    with pytest.raises(Denied, match="lets nobody in with these credentials"):
        content_of(remote)


def test_a_key_with_a_passphrase_opens_with_it_alone(sshd: Server, source: Path) -> None:
    guarded = {"keyfile": str(sshd.folder / "guarded")}
    remote = sshd.remote("guarded", **guarded, passphrase="testing")  # noqa: S106 - no secret
    remote.put(NAME, source)
    assert content_of(remote) == b"content"
    for passphrase in ("", "wrong"):
        with pytest.raises(ConfigError, match="holds no private key that can be used"):
            sshd.remote("guarded", **guarded, passphrase=passphrase)


def test_a_key_that_the_server_does_not_know_is_a_refusal(sshd: Server, source: Path) -> None:
    remote = Retrying(sshd.remote("denied", keyfile=str(sshd.folder / "host")), budget=5)
    for call in calls(remote, source):
        with pytest.raises(Denied, match="lets nobody in with these credentials"):
            call()
    assert remote.retries == 0


def test_user_and_port_of_the_options_count_before_those_of_the_url(sshd: Server, source: Path) -> None:
    url = f"ssh://nobody-like-that@127.0.0.1:9{sshd.stored('options')}"
    remote = SSH.open(url, sshd.options | {"port": sshd.port}, sshd.environ)
    remote.put(NAME, source)
    assert content_of(remote) == b"content"
    assert remote.url == f"ssh://{getpass.getuser()}@127.0.0.1:{sshd.port}{sshd.stored('options')}"


def test_a_password_in_a_url_is_not_shown() -> None:
    remote = SSH.open("ssh://me:secret@127.0.0.1:9/x", {}, {})
    assert remote.url == "ssh://me@127.0.0.1:9/x"
    with pytest.raises(Unavailable) as caught:
        content_of(remote)
    assert "secret" not in str(caught.value)


def test_an_unreachable_host_is_unavailable_within_the_budget(source: Path) -> None:
    waits: list[float] = []
    remote = Retrying(SSH.open("ssh://127.0.0.1:9/x", {}, {}), budget=1, sleep=waits.append)
    for call in calls(remote, source):
        with pytest.raises(Unavailable, match=r"ssh://127\.0\.0\.1:9/x"):
            call()
    assert waits


@pytest.mark.parametrize("large", [False, True])
def test_a_line_that_was_cut_is_made_anew(sshd: Server, tmp_path: Path, large: bool) -> None:  # noqa: FBT001 - pytest's way
    content = os.urandom(30_000_000 if large else 10)
    (tmp_path / "source").write_bytes(content)
    remote = Retrying(sshd.remote(f"cut-{large}"), budget=20, sleep=lambda _: None)
    remote.put(NAME, tmp_path / "source")
    sink = _Cutting(sshd)
    if not large:
        sshd.cut()
    remote.get(NAME, sink)
    assert bytes(sink.content) == content
    assert remote.retries > 0


def test_a_session_whose_thread_does_not_come_to_it_at_once_is_hung_up_all_the_same(sshd: Server, source: Path) -> None:
    before = threading.enumerate()
    remote = sshd.remote("farewell")
    remote.put(NAME, source)
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "ssh" and thread not in before)
    remote._session._loop.call_soon_threadsafe(time.sleep, 2.2)  # as a machine with too much to do may hold it
    del remote
    gc.collect()  # what is raised meanwhile, pytest makes a failure of whatever test is at work
    assert not thread.is_alive()


def test_a_part_is_of_the_version_that_was_asked_for(sshd: Server, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "source").write_bytes(content)
    remote = sshd.remote("ranged")
    remote.put(NAME, tmp_path / "source")
    version, arriving = remote.begin(NAME)
    assert version.size == len(content)
    assert b"".join(arriving) == content
    assert b"".join(remote.read(NAME, version, 10, 2_000_000)) == content[10:2_000_000]
    (tmp_path / "source").write_bytes(b"another")
    remote.put(NAME, tmp_path / "source")
    for _ in range(2):
        with pytest.raises(Changed, match="is another than before"):
            remote.read(NAME, version, 10, 20)
        (sshd.stored("ranged") / NAME).unlink(missing_ok=True)


def test_what_is_not_read_to_its_end_is_let_go_of(sshd: Server, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(5_000_000))
    remote = sshd.remote("left")
    remote.put(NAME, tmp_path / "source")
    for _ in range(300):  # more than a server keeps open
        _, arriving = remote.begin(NAME)
        next(arriving)
        arriving.close()
    assert content_of(remote) == bytes(5_000_000)


class _Cutting(Collected):
    """A sink that has the line cut after the first chunk."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._cut = False

    def write(self, chunk: bytes, /) -> None:
        if not self._cut:
            self._cut = True
            self._server.cut()
        super().write(chunk)


def test_a_write_that_fails_leaves_nothing_and_says_what_the_server_said(sshd: Server, source: Path) -> None:
    sshd.stored("failing").mkdir(parents=True)
    (sshd.stored("failing") / "files").write_text("a file where a folder should be")
    with pytest.raises(RemoteError, match=NAME):
        sshd.remote("failing").put(NAME, source)
    sshd.stored("taken").joinpath(NAME).mkdir(parents=True)
    with pytest.raises(RemoteError, match=f"write {NAME}"):
        sshd.remote("taken").put(NAME, source)
    assert [path.name for path in sshd.stored("taken").rglob("*")] == ["files", "md5", "ab", "c"]


def test_a_file_that_changes_while_it_is_sent_is_never_made_an_object(sshd: Server, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(3_000_000))
    remote = sshd.remote("changing")

    def change(_: int) -> None:
        os.truncate(tmp_path / "source", 2_500_000)

    with pytest.raises(Corrupt, match="changed while it was sent"):
        remote.put(NAME, tmp_path / "source", change)
    assert [path for path in sshd.stored("changing").rglob("*") if path.is_file()] == []


def test_a_folder_is_no_object_and_half_written_neighbours_are_not_listed(sshd: Server, source: Path) -> None:
    remote = sshd.remote("neighbours")
    remote.put(NAME, source)
    (sshd.stored("neighbours") / "files/md5/ab/.c.1234.tmp").write_bytes(b"half")
    assert remote.exists(["files/md5", "files/md5/ab", NAME, f"{NAME}/below"]) == {NAME: 7}
    assert list(remote.names("")) == [NAME]


def test_a_push_removes_what_killed_ones_left_a_week_ago(sshd: Server, source: Path) -> None:
    folder = sshd.stored("swept") / "files/md5/ab"
    folder.mkdir(parents=True)
    lately = source.stat().st_mtime - 6 * 86_400
    long_ago = lately - 2 * 86_400
    for name, written in ((".1-a-0.tmp", long_ago), (".2-b-0.tmp", lately), ("object", long_ago)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (written, written))
    with Retrying(sshd.remote("swept"), budget=5).together() as put:
        put(NAME, source, lambda _: None)
    assert sorted(path.name for path in folder.iterdir()) == [".2-b-0.tmp", "c", "object"]


def test_threads_share_one_connection(sshd: Server, tmp_path: Path) -> None:
    remote = sshd.remote("shared")
    (tmp_path / "one").write_bytes(b"1")
    before = len(Path(f"/proc/{sshd.pid}/task/{sshd.pid}/children").read_text().split())
    start = threading.Barrier(8)

    def put(number: int) -> None:
        start.wait()
        remote.put(f"files/md5/{number:02}/x", tmp_path / "one")

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(remote.names(""))) == 8
    assert len(Path(f"/proc/{sshd.pid}/task/{sshd.pid}/children").read_text().split()) <= before + 1


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("ssh://host/x", {"ask_password": True}, "nobody can be asked for a password here"),
        ("ssh://host/x", {"ask_passphrase": True}, "nobody can be asked for a passphrase here"),
        ("ssh://host/x", {"keyfil": "x"}, "unknown option 'keyfil'"),
        ("ssh://host/x", {"keyfile": "/not/there"}, "/not/there holds no private key"),
        ("ssh://host/x", {"version_aware": True}, "'version_aware' is not supported"),
        ("ssh://host/x", {"gss_auth": True}, "gssapi"),
        ("ssh://host", {}, "names no host and path"),
        ("ssh:///x", {}, "names no host and path"),
        ("ssh://host:port/x", {}, "port"),
        ("sftp://host/x", {}, "sftp:// is not supported"),
    ],
)
def test_what_cannot_work_is_said_before_anybody_is_called(url: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_remote(url, options, environ={})


def test_a_missing_folder_holds_nothing(sshd: Server) -> None:
    remote = sshd.remote("never/made")
    assert remote.exists([NAME]) == {}
    assert list(remote.names("")) == []
    with pytest.raises(ObjectMissing, match=rf"{NAME} is not in ssh://"):
        content_of(remote)


def test_files_of_a_machine_are_sources_that_are_known_by_md5(sshd: Server) -> None:
    folder = sshd.stored("goods")
    (folder / "in").mkdir(parents=True)
    (folder / "a").write_bytes(b"abc")
    (folder / "in" / ".b.tmp").write_bytes(b"not ours, and no half-written object")
    (folder / "link").symlink_to("in")
    store = open_source(sshd.url("goods"), sshd.options, environ=sshd.environ)
    found = store.find(sshd.url("goods"), folder=False, versioned=False)
    assert found
    assert [part.relpath for part in found.parts] == ["a", "in/.b.tmp"]
    assert found.parts[0] == Part("a", Hash(hash_bytes(b"abc")), 3)
    assert found.hash == Tree.of((part.relpath, part.hash.value) for part in found.parts).hash
    assert store.find(sshd.url("goods/a"), folder=True, versioned=False) == Found(
        found.parts[0].hash, (Part("", found.parts[0].hash, 3),)
    )
    assert store.find(sshd.url("none"), folder=False, versioned=False) is None
    sink = Collected()
    store.get(sshd.url("goods"), found.parts[0], sink)
    assert bytes(sink.content) == b"abc"
    with pytest.raises(ObjectMissing, match="does not hold what was found there any more"):
        store.get(sshd.url("goods"), Part("gone", Hash("0" * 32)), sink)


def test_versions_of_files_and_strangers_are_refused_by_name(sshd: Server) -> None:
    with pytest.raises(ConfigError, match="a folder keeps no versions"):
        open_source(sshd.url("x"), sshd.options, environ=sshd.environ).find(sshd.url("x"), folder=False, versioned=True)
    with pytest.raises(RemoteError, match="somebody who is not trusted"):
        open_source(sshd.url("x"), sshd.options, environ={}, guarded=True)
