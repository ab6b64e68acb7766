"""Whole projects between us and real DVC through Azure, SFTP and Google's storage: old layouts and past runs too."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.support import legacy
from tests.support.sinks import Collected

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.remote import Remote
    from tests.support import azure, gs, sshd
    from tests.support.environment import Program

    Server = azure.Server | gs.Server | sshd.Server

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  first:
    cmd: echo first >> ../journal; cat seed > first
    deps: [seed]
    outs: [first]
  second:
    cmd: echo second >> ../journal; mkdir second; cp first second/a; cp seed 'second/ü b'
    deps: [first, seed]
    outs: [second]
"""


@pytest.fixture(params=["azurite", "sshd", "gs"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def config(server: Server, prefix: str) -> str:
    options = "".join(f"    {name} = {value}\n" for name, value in server.options.items())
    return f"[core]\n    remote = storage\n['remote \"storage\"']\n    url = {server.url(prefix)}\n{options}"


def without_data(root: Path, name: str) -> Path:
    """Give a copy of a project as another machine would clone it: what git knows, and nothing else."""
    git(root.parent, "clone", "--quiet", str(root), name)
    return root.parent / name


def files(root: Path) -> dict[str, bytes]:
    """Give the files of a workspace, without git's and DVC's own."""
    paths = [path for path in root.rglob("*") if path.is_file() and not {".git", ".dvc"} & {*path.parts}]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def test_a_project_of_dvc_2_goes_both_ways_in_its_old_layout(
    server: Server, dvc: Program, retrain: Program, tmp_path: Path
) -> None:
    root = tmp_path / "made"
    legacy.lay_out(root, "pipeline", legacy.RAN)
    git(root, "init", "--quiet", "-b", "main")
    put(root, {".dvc/config": config(server, "old")})
    commit(root)
    remote = server.remote("old")

    dvc("push", "-q", cwd=root, env=server.environ)
    names = sorted(remote.names(""))
    assert names
    assert not any(name.startswith("files/") for name in names)
    ours = without_data(root, "ours")
    retrain("pull", cwd=ours, env=server.environ)
    assert files(ours) == files(root)

    remote.remove(names)
    retrain("push", cwd=ours, env=server.environ)
    assert [name for name in sorted(remote.names("")) if not name.startswith("runs/")] == names
    theirs = without_data(root, "theirs")
    dvc("pull", "-q", cwd=theirs, env={**server.environ, "DVC_SITE_CACHE_DIR": str(tmp_path / "fresh")})
    assert files(theirs) == files(root)


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Path:
    """Give a project whose stages have not run, and say in `journal` beside it when they do."""
    root = tmp_path / "made"
    root.mkdir()
    git(root, "init", "--quiet", "-b", "main")
    prefix = tmp_path.name  # no other test's
    put(
        root,
        {"dvc.yaml": PIPELINE, "seed": "s", ".dvc/.gitignore": DVC_GITIGNORE, ".dvc/config": config(server, prefix)},
    )
    commit(root)
    return root


def test_what_dvc_ran_we_restore_on_another_machine(
    server: Server, dvc: Program, retrain: Program, project: Path
) -> None:
    other = without_data(project, "other")
    dvc("repro", "-q", cwd=project, env=server.environ)
    dvc("push", "-q", "--run-cache", cwd=project, env=server.environ)
    retrain("repro", cwd=other, env=server.environ)
    assert files(other) == files(project)
    assert (project.parent / "journal").read_text().split() == ["first", "second"]


def test_what_we_ran_dvc_restores_on_another_machine(
    server: Server, dvc: Program, retrain: Program, project: Path
) -> None:
    other = without_data(project, "other")
    retrain("repro", cwd=project, env=server.environ)
    retrain("push", cwd=project, env=server.environ)
    dvc("repro", "-q", "--pull", cwd=other, env={**server.environ, "DVC_SITE_CACHE_DIR": str(other.parent / "fresh")})
    assert files(other) == files(project)
    assert (project.parent / "journal").read_text().split() == ["first", "second"]


@pytest.fixture
def imports(server: Server, dvc: Program, tmp_path: Path) -> Path:
    """Give a project into which DVC imported a file and a folder of the server, through a remote."""
    root = tmp_path / "importing"
    root.mkdir()
    change(server, tmp_path, {"one.txt": b"one", "folder/a": b"a", "folder/in/b": b"b"})
    git(root, "init", "--quiet", "-b", "main")
    put(root, {".dvc/.gitignore": DVC_GITIGNORE, ".dvc/config": config(server, f"goods-{tmp_path.name}")})
    for name in ("one.txt", "folder"):
        dvc("import-url", "-q", f"remote://storage/{name}", cwd=root, env=server.environ)
    commit(root)
    return root


def change(server: Server, tmp_path: Path, goods: dict[str, bytes]) -> None:
    remote = server.remote(f"goods-{tmp_path.name}")
    for name, content in goods.items():
        (tmp_path / "source").write_bytes(content)
        remote.put(name, tmp_path / "source")


def test_what_dvc_imported_we_bring_up_to_date_as_dvc_does(
    server: Server, dvc: Program, retrain: Program, imports: Path, tmp_path: Path
) -> None:
    said = json.loads(retrain("update", "--json", cwd=imports, env=server.environ).stdout)
    assert [(row["file"], row["changed"], row["error"]) for row in said] == [
        ("folder.dvc", False, None),
        ("one.txt.dvc", False, None),
    ]
    change(server, tmp_path, {"one.txt": b"one now", "folder/in/c": b"c"})
    theirs = shutil.copytree(imports, tmp_path / "theirs", symlinks=True)
    retrain("update", cwd=imports, env=server.environ)
    dvc("update", "-q", "one.txt.dvc", "folder.dvc", cwd=theirs, env=server.environ)
    assert files(imports) == files(theirs)
    assert files(imports)["folder/in/c"] == b"c"
    assert json.loads(dvc("status", "--json", cwd=imports, env=server.environ).stdout) == {}


def test_what_is_broken_or_gone_there_is_found_and_mended(server: Server, retrain: Program, project: Path) -> None:
    retrain("repro", cwd=project, env=server.environ)
    retrain("push", cwd=project, env=server.environ)
    remote = server.remote(project.parent.name)
    objects = {name: content_of(remote, name) for name in sorted(remote.names("files/"))}
    broken, gone, *_ = sorted(objects, key=lambda name: name.endswith(".dir"), reverse=True)
    remote.put(broken, objects[broken][:-1])
    remote.remove([gone])

    found = json.loads(retrain("verify", "--cloud", "--json", cwd=project, env=server.environ, exits=4).stdout)
    assert {(row["name"], row["state"]) for row in found["findings"]} == {(broken, "corrupt"), (gone, "missing")}
    retrain("verify", "--cloud", "--repair", cwd=project, env=server.environ)
    assert {name: content_of(remote, name) for name in sorted(remote.names("files/"))} == objects
    assert "nothing is wrong" in retrain("verify", "--cloud", cwd=project, env=server.environ).stdout


def content_of(remote: Remote, name: str) -> bytes:
    sink = Collected()
    remote.get(name, sink)
    return bytes(sink.content)


def test_a_project_is_pushed_and_pulled_by_who_may_not_list(
    azurite: azure.Server, retrain: Program, tmp_path: Path
) -> None:
    root, prefix = tmp_path / "made", tmp_path.name
    root.mkdir()
    git(root, "init", "--quiet", "-b", "main")
    signed = azurite.with_credential(f"SharedAccessSignature={azurite.signature('rcw')}")
    remote = f"['remote \"storage\"']\n    url = {azurite.url(prefix)}\n    connection_string = {signed}\n"
    put(root, {"dvc.yaml": PIPELINE, "seed": "s", ".dvc/.gitignore": DVC_GITIGNORE})
    put(root, {".dvc/config": f"[core]\n    remote = storage\n{remote}"})
    retrain("repro", cwd=root)
    retrain("push", cwd=root)
    commit(root)
    there = {name.partition("/")[0] for name in azurite.remote(prefix).names("")}
    assert there == {"files", "runs", "retrain"}
    other = without_data(root, "other")
    retrain("pull", cwd=other)
    assert files(other) == files(root)
