"""Garbage collection beside DVC's: of random histories the same objects stay, in the cache and in the remote."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from runner.hashes import LEGACY, MD5, Hash, Tree, hash_bytes
from runner.pipeline import yaml12
from tests.interop.projects import DVC_GITIGNORE, commit, git, put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.interop.oracle import Sides

DAY: Final = 86400
START: Final = 1_700_000_000
CONFIG: Final = "[core]\n    remote = storage\n    analytics = false\n['remote \"storage\"']\n    url = ../../remote\n"

SCOPES: Final = (
    ("-w",),
    ("-a",),
    ("-T",),
    ("-A",),
    ("-a", "-T"),
    ("-a", "-n", "2"),
    ("--rev", "HEAD~1", "-n", "3"),
    ("--rev", "v0"),
    ("--date", "2023-11-17"),
    ("--date", "2023-11-16", "-T"),
    ("--all-experiments",),
    ("-a", "-n", "-1"),
)


@dataclass
class History:
    """A git repository whose commits track what they say, drawn by chance; objects lie in cache and remote.

    Nothing is made by a command of either side: objects and DVC files are written as DVC writes them.
    """

    root: Path
    rng: Random
    day: int = 0
    tracked: dict[str, Hash] = field(default_factory=dict)

    def draw(self, commits: int) -> None:
        git(self.root.parent, "init", "--quiet", "-b", "main", self.root.name)
        self._write(".dvc/.gitignore", DVC_GITIGNORE)
        self._write(".dvc/config", CONFIG)
        for number in range(commits):
            for _ in range(self.rng.randint(1, 3)):
                self._change()
            self._commit()
            if not self.rng.randrange(3):
                git(self.root, "tag", *(["-a", "-m", "t"] if self.rng.random() < 0.5 else []), f"v{number}")
            if not self.rng.randrange(4):
                git(self.root, "branch", f"b{number}")
            if number and not self.rng.randrange(4):
                git(
                    self.root,
                    "checkout",
                    "--quiet",
                    self.rng.choice(git(self.root, "branch", "--format=%(refname:short)").split()),
                )
        git(self.root, "tag", "-f", "v0", "HEAD~1")
        self._lose_a_commit()
        self._experiment()
        self._change()
        for _ in range(4):
            self._object(self.rng.randbytes(8), self.rng.choice([MD5, LEGACY]))
        shutil.copytree(self.root / ".dvc" / "cache", self.root.parent / "remote")

    def _change(self) -> None:
        """Track something, or track nothing at a path any more."""
        path = self.rng.choice(["a", "b", "sub/c", "d"])
        kind = LEGACY if path == "d" else MD5
        if not self.rng.randrange(6):
            (self.root / f"{path}.dvc").unlink(missing_ok=True)
            return
        name = self._directory(kind) if self.rng.random() < 0.6 else self._file(kind)
        self._write(f"{path}.dvc", yaml12.render({"outs": [_entry(name, path.rpartition("/")[2])]}))
        if not self.rng.randrange(3):
            self._stage()

    def _stage(self) -> None:
        """Let a stage write a cached out and a metric that is in no cache."""
        outs = [_entry(self._directory(MD5), "made"), _entry(self._file(MD5), "metric")]
        self._write(
            "dvc.yaml",
            "stages:\n  make:\n    cmd: make\n    outs: [made]\n    metrics:\n    - metric: {cache: false}\n",
        )
        self._write("dvc.lock", yaml12.render({"schema": "2.0", "stages": {"make": {"cmd": "make", "outs": outs}}}))

    def _file(self, kind: str) -> Hash:
        return self._object(f"{self.rng.randrange(12)}\n".encode(), kind)

    def _directory(self, kind: str) -> Hash:
        files = {f"{number}": self._file(kind).value for number in range(self.rng.randint(0, 4))}
        return self._object(Tree.of(files.items()).render(), kind, ".dir")

    def _object(self, content: bytes, kind: str, suffix: str = "") -> Hash:
        name = Hash(hash_bytes(content) + suffix, kind)
        place = self.root / ".dvc" / "cache" / name.key
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            place.chmod(0o444)
        return name

    def _write(self, path: str, content: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(content, encoding="utf-8")

    def _commit(self) -> None:
        self.day += self.rng.randint(0, 1)
        when = f"{START + self.day * DAY} +0000"
        git(self.root, "add", "--all")
        environ = {**os.environ, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when}
        subprocess.run(["git", "commit", "-qm", "w", "--allow-empty"], cwd=self.root, check=True, env=environ)

    def _lose_a_commit(self) -> None:
        """Leave a commit that no ref leads to."""
        branch = git(self.root, "branch", "--show-current")
        git(self.root, "checkout", "--quiet", "--detach")
        self._write("gone.dvc", yaml12.render({"outs": [_entry(self._object(b"gone", MD5), "gone")]}))
        self._commit()
        git(self.root, "checkout", "--quiet", branch)

    def _experiment(self) -> None:
        """Leave an experiment on HEAD, as DVC does."""
        head, branch = git(self.root, "rev-parse", "HEAD"), git(self.root, "branch", "--show-current")
        git(self.root, "checkout", "--quiet", "--detach")
        self._write("tried.dvc", yaml12.render({"outs": [_entry(self._object(b"tried", MD5), "tried")]}))
        self._commit()
        git(self.root, "update-ref", f"refs/exps/{head[:2]}/{head[2:]}/odd-name", "HEAD")
        git(self.root, "checkout", "--quiet", branch)


def _entry(name: Hash, path: str) -> dict[str, str]:
    hashed = {"md5": name.value}
    return {**hashed, "path": path} if name.name == LEGACY else {**hashed, "hash": "md5", "path": path}


def objects(folder: Path) -> set[str]:
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return {name for name in found if Hash.of_key(name)}


def collected(tmp_path: Path, seed: int) -> tuple[Path, Path]:
    """Draw one history, twice: for DVC and for us, each with a remote beside it."""
    (tmp_path / "theirs").mkdir()
    History(tmp_path / "theirs" / "root", Random(seed)).draw(7)
    shutil.copytree(tmp_path / "theirs", tmp_path / "ours", symlinks=True)
    return tmp_path / "theirs" / "root", tmp_path / "ours" / "root"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("scope", SCOPES, ids=" ".join)
def test_the_same_objects_stay(scope: Sequence[str], seed: int, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = collected(tmp_path, seed)
    cloud = ("-c",) if seed % 2 else ()
    grace = ("--grace", "0")
    sides.dvc.run(theirs, "gc", "--force", "--quiet", *scope, *cloud)
    before = objects(ours / ".dvc" / "cache")
    told = json.loads(sides.retrain.run(ours, "gc", "--dry", "--json", *scope, *cloud, *grace))
    assert objects(ours / ".dvc" / "cache") == before
    sides.retrain.run(ours, "gc", "--force", *scope, *cloud, *grace)
    for place in (".dvc/cache", "../remote"):
        assert objects(ours / place) == objects(theirs / place), place
    assert told["cache"]["objects"] == len(before - objects(ours / ".dvc" / "cache"))
    assert told["cache"]["kept"] == len(objects(ours / ".dvc" / "cache"))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_objects_stay_of_those_that_the_remote_lacks(seed: int, sides: Sides, tmp_path: Path) -> None:
    theirs, ours = collected(tmp_path, seed)
    for name in sorted(objects(ours / "../remote"))[::3]:
        (theirs / "../remote" / name).unlink()
        (ours / "../remote" / name).unlink()
    sides.dvc.run(theirs, "gc", "--force", "--quiet", "-A", "--not-in-remote")
    sides.retrain.run(ours, "gc", "--force", "-A", "--not-in-remote")
    kept, there = objects(ours / ".dvc/cache"), objects(ours / "../remote")
    more = kept - objects(theirs / ".dvc/cache")
    assert kept > objects(theirs / ".dvc/cache") or not more
    # DVC takes an object for there if the remote has its like in the other layout, where nobody looks for it.
    assert all(key not in there and _in_the_other_layout(key) in there for key in more)
    assert there == objects(theirs / "../remote")


def _in_the_other_layout(key: str) -> str:
    name = Hash.of_key(key)
    assert name
    return Hash(name.value, LEGACY if name.name == MD5 else MD5).key


def test_what_another_project_names_stays_too(sides: Sides, tmp_path: Path) -> None:
    theirs, ours = collected(tmp_path, 1)
    for root in (theirs, ours):
        other = root.parent / "other"
        shutil.copytree(root, other)
        (other / "only.dvc").write_text(yaml12.render({"outs": [_entry(Hash(hash_bytes(b"gone")), "only")]}))
    sides.dvc.run(theirs, "gc", "--force", "--quiet", "-w", "-p", "../other")
    sides.retrain.run(ours, "gc", "--force", "-w", "-p", "../other")
    kept = objects(ours / ".dvc/cache")
    assert kept == objects(theirs / ".dvc/cache")
    assert Hash(hash_bytes(b"gone")).key in kept


def test_data_of_an_import_from_a_repository_stays_though_dvc_lets_it_go(sides: Sides, tmp_path: Path) -> None:
    theirs, ours = collected(tmp_path, 1)
    name = Hash(hash_bytes(b"imported"))
    repository = {"url": str(tmp_path / "never there"), "rev_lock": "a" * 40}
    for root in (theirs, ours):
        put(root, {f".dvc/cache/{name.key}": b"imported"})
        document = {"deps": [{"path": "data", "repo": repository}], "frozen": True, "outs": [_entry(name, "data")]}
        put(root, {"data.dvc": yaml12.render(document)})
    sides.dvc.run(theirs, "gc", "--force", "--quiet", "-w")
    sides.retrain.run(ours, "gc", "--force", "-w")
    assert objects(ours / ".dvc/cache") - objects(theirs / ".dvc/cache") == {name.key}


def test_an_object_that_any_out_names_stays_in_every_remote_though_dvc_parts_them(sides: Sides, tmp_path: Path) -> None:
    theirs, ours = collected(tmp_path, 1)
    name, twin = Hash(hash_bytes(b"one")), Hash(hash_bytes(b"two"))
    for root in (theirs, ours):
        both = {each.key: content for each, content in ((name, b"one"), (twin, b"two"))}
        put(root, {f".dvc/cache/{key}": content for key, content in both.items()})
        put(
            root.parent,
            {f"{remote}/{key}": content for key, content in both.items() for remote in ("remote", "second")},
        )
        put(root, {".dvc/config": CONFIG + "['remote \"second\"']\n    url = ../../second\n"})
        put(root, {"one.dvc": yaml12.render({"outs": [_entry(name, "one")]})})
        put(root, {"two.dvc": yaml12.render({"outs": [{**_entry(twin, "two"), "remote": "second"}]})})
        commit(root)
    sides.dvc.run(theirs, "gc", "--force", "--quiet", "-w", "-c")
    sides.retrain.run(ours, "gc", "--force", "-w", "-c", "--grace", "0")
    assert objects(ours.parent / "second") == {name.key, twin.key}
    assert objects(theirs.parent / "second") == {twin.key}
    assert objects(ours.parent / "remote") - objects(theirs.parent / "remote") == {twin.key}


def test_dvc_works_on_with_what_we_left(sides: Sides, tmp_path: Path) -> None:
    _, ours = collected(tmp_path, 3)
    commit(ours)
    sides.retrain.run(ours, "gc", "--force", "-w", "-c", "--grace", "0")
    sides.dvc.run(ours, "checkout", "--quiet", "--force", "--allow-missing")
    assert "missing" not in sides.dvc.run(ours, "status", "--cloud")
