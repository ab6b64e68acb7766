"""Objects between us and real DVC: what one wrote the other reads, byte for byte, in the same places and modes."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
import yaml

from runner.hashes import Hash, Tree, hash_file
from runner.store import transfer
from runner.store.cache import Cache
from runner.store.directory import Directory
from runner.store.protocols import Erasable
from tests.support import gs, s3

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.remote import Remote
    from tests.support.environment import Program

pytestmark = pytest.mark.slow

FILES = {"a": b"one", "b.txt": b"two\r\n", "empty": b"", "sub/c d": b"\xff\0", "sub/ü 漢": b"five", "twin": b"one"}


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Everything below a folder: bytes and mode by path."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.is_file()
    }


def write(folder: Path) -> Tree:
    for relpath, content in FILES.items():
        (folder / relpath).parent.mkdir(parents=True, exist_ok=True)
        (folder / relpath).write_bytes(content)
    return Tree.of((relpath, hash_file(folder / relpath)) for relpath in FILES)


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(dvc: Program, tmp_path: Path) -> Path:
    """Give a DVC project with one tracked directory, made by DVC."""
    project = tmp_path / "project"
    project.mkdir()
    dvc("init", "--no-scm", "-q", cwd=project)
    write(project / "data")
    dvc("add", "-q", "data", cwd=project)
    return project


def tracked(project: Path) -> Hash:
    return Hash(yaml.safe_load((project / "data.dvc").read_text())["outs"][0]["md5"])


def test_our_cache_is_the_one_that_dvc_writes(project: Path, tmp_path: Path) -> None:
    ours = Cache(tmp_path / "ours")
    tree = write(tmp_path / "data")
    ours.add(tmp_path / "data", tree.hash, tree)
    assert tree.hash == tracked(project)
    assert snapshot(tmp_path / "ours") == snapshot(project / ".dvc" / "cache")


def test_we_check_out_what_dvc_added(project: Path, tmp_path: Path) -> None:
    theirs = Cache(project / ".dvc" / "cache")
    assert theirs.checkout(tracked(project), tmp_path / "out") == len(FILES)
    assert read(tmp_path / "out") == FILES


@pytest.mark.parametrize("place", ["directory", "moto", "nginx", "azurite", "sshd", "gs"])
def test_pushes_and_fetches_are_understood_both_ways(
    request: pytest.FixtureRequest, project: Path, dvc: Program, tmp_path: Path, place: str
) -> None:
    remote, url, options = opened(request, tmp_path, place)
    dvc("remote", "add", "-q", "-d", "storage", url, cwd=project)
    for option, value in options.items():
        dvc("remote", "modify", "-q", "storage", option, str(value), cwd=project)
    dvc("push", "-q", cwd=project, env=gs.PLAIN)
    theirs = stored(request, remote, place)

    ours = Cache(tmp_path / "ours")
    moved = transfer.fetch(remote, ours, [tracked(project)], 4)
    assert (moved.objects, moved.failed) == (6, ())
    assert snapshot(tmp_path / "ours") == snapshot(project / ".dvc" / "cache")
    assert transfer.push(remote, ours, [tracked(project)], 4).objects == 0

    empty(request, remote, place)
    assert transfer.push(remote, ours, [tracked(project)], 4).objects == 6
    assert stored(request, remote, place) == theirs
    for path in (project / ".dvc" / "cache" / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    (project / "data").rename(tmp_path / "moved away")
    dvc("pull", "-q", cwd=project, env={"DVC_SITE_CACHE_DIR": str(tmp_path / "fresh"), **gs.PLAIN})
    assert read(project / "data") == FILES
    assert json.loads(dvc("status", "--json", cwd=project).stdout) == {}


def opened(request: pytest.FixtureRequest, tmp_path: Path, place: str) -> tuple[Remote, str, dict[str, object]]:
    """Give our remote, and DVC's url and options for the same place."""
    if place == "directory":
        return Directory(tmp_path / "storage"), str(tmp_path / "storage"), {}
    server = request.getfixturevalue(place)
    if place == "nginx":
        return server.remote("exchange"), f"{server.url}/exchange", {"method": "PUT"}
    url = f"s3://{s3.BUCKET}/exchange" if place == "moto" else server.url("exchange")
    return server.remote("exchange"), url, server.options


def stored(request: pytest.FixtureRequest, remote: Remote, place: str) -> list[str]:
    """Give the names of what the remote holds, from its server's disk where it cannot list."""
    if place == "nginx":
        names: list[str] = request.getfixturevalue(place).stored("exchange")
        return names
    return sorted(remote.names(""))


def empty(request: pytest.FixtureRequest, remote: Remote, place: str) -> None:
    """Remove every object of that place."""
    if isinstance(remote, Erasable):
        remote.remove(list(remote.names("")))
    else:
        shutil.rmtree(request.getfixturevalue(place).folder / "root" / "exchange")
