"""`retrain gc` as a process: it says what would go, and removes nothing unless somebody says so."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import Workshop, workshop
from tests.support.terminal import on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = "stages:\n  one:\n    cmd: cp seed out\n    deps: [seed]\n    outs: [out]\n"
COMMAND = (sys.executable, "-I", "-m", "runner", "gc")


@pytest.fixture
def made(tmp_path: Path, retrain: Program) -> Workshop:
    """Give a project with one object that is needed and one that is not, in the cache and in the remote."""
    shop = workshop(tmp_path, PIPELINE, {"seed": "1\n"})
    for seed in ("1\n", "22\n"):
        shop.put({"seed": seed})
        retrain("repro", cwd=shop.root)
        retrain("push", cwd=shop.root)
        shop.commit()
    return shop


def stored(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "files").rglob("*"))


def test_without_a_terminal_and_without_force_nothing_is_removed_and_that_is_no_success(
    made: Workshop, retrain: Program
) -> None:
    done = retrain("gc", "-w", "-c", "--grace", "0", cwd=made.root, exits=2)
    assert done.stdout.splitlines() == [
        f"{made.root}/.dvc/cache: 1 object to remove, 2 B; 1 kept",
        f"{made.remote}: 1 object to remove, 2 B; 1 kept",
    ]
    assert "nothing was removed; --force removes it" in done.stderr
    assert (stored(made.root / ".dvc/cache"), stored(made.remote)) == (2, 2)


def test_a_dry_run_names_every_object_if_more_is_to_be_said_and_is_a_success(made: Workshop, retrain: Program) -> None:
    done = retrain("gc", "-w", "--dry", "-v", cwd=made.root)
    assert "1 object to remove" in done.stdout
    assert "would remove files/md5/" in done.stderr
    assert stored(made.root / ".dvc/cache") == 2


def test_force_removes_here_and_with_cloud_there(made: Workshop, retrain: Program) -> None:
    told = json.loads(retrain("gc", "-w", "-f", "--json", cwd=made.root).stdout)
    cache = {"place": f"{made.root}/.dvc/cache", "objects": 1, "bytes": 2, "kept": 1, "late": 0}
    assert told == {"removed": True, "cache": cache, "remotes": [], "quarantined": 0, "leftovers": 0}
    assert (stored(made.root / ".dvc/cache"), stored(made.remote)) == (1, 2)
    late = f"{made.remote}: 0 objects to remove, 0 B; 2 kept, 1 of them because they came lately (--grace)"
    assert retrain("gc", "-w", "--dry", "-c", cwd=made.root).stdout.splitlines()[1] == late
    lines = retrain("gc", "-w", "-f", "-c", "--grace", "0", cwd=made.root).stdout.splitlines()
    assert lines[1] == f"{made.remote}: 1 object removed, 2 B; 1 kept"
    assert stored(made.remote) == 1
    assert "to remove" not in retrain("gc", "-w", "-c", cwd=made.root).stdout


@pytest.mark.parametrize(("answer", "left", "code"), [("y\n", 1, 0), ("n\n", 2, 2), ("\n", 2, 2)])
def test_on_a_terminal_it_asks(made: Workshop, environ: dict[str, str], answer: str, left: int, code: int) -> None:
    shown = on_terminal([*COMMAND, "-w"], made.root, environ, answer)
    assert "1 object to remove, 2 B; 1 kept" in shown.text
    assert "Remove it for good? [y/N]:" in shown.text
    assert (stored(made.root / ".dvc/cache"), shown.code) == (left, code)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), "what is to be kept has to be said"),
        (("-w", "-r", "storage"), "--remote needs --cloud or --not-in-remote"),
        (("-w", "-c", "--not-in-remote"), "exclude each other"),
        (("-w", "-c", "--grace", "soon"), "--grace 'soon' is not a duration above 0"),
        (("-w", "-n", "2"), "--num counts commits"),
        (("--date", "yesterday"), "is no day"),
        (("-w", "-p", "nowhere"), "nowhere is not a folder"),
    ],
)
def test_wrong_flags_are_told(flags: tuple[str, ...], words: str, made: Workshop, retrain: Program) -> None:
    assert words in retrain("gc", "--force", *flags, cwd=made.root, exits=2).stderr
    assert stored(made.root / ".dvc/cache") == 2


def test_a_remote_that_cannot_remove_is_refused_before_anything_is_done(made: Workshop, retrain: Program) -> None:
    made.put({".dvc/config": "[core]\n    remote = web\n['remote \"web\"']\n    url = https://127.0.0.1:1/data\n"})
    done = retrain("gc", "-w", "-c", "--force", cwd=made.root, exits=2)
    assert "https://127.0.0.1:1/data: objects cannot be removed from this kind of remote" in done.stderr
    assert stored(made.root / ".dvc/cache") == 2


def test_a_remote_that_cannot_remove_and_that_only_an_out_names_is_left_as_it_is(
    made: Workshop, retrain: Program
) -> None:
    web = "['remote \"web\"']\n    url = https://127.0.0.1:1/data\n"
    made.put({".dvc/config": f"{made.read('.dvc/config')}{web}", "tracked": "tracked"})
    made.put(
        {"tracked.dvc": "outs:\n- md5: 80f2b1d7b2bcfa2ecfa8d3bdf3b5ef9c\n  hash: md5\n  path: tracked\n  remote: web\n"}
    )
    done = retrain("gc", "-w", "-c", "--grace", "0", "--force", cwd=made.root)
    assert "remote 'web' is left as it is: https://127.0.0.1:1/data: objects cannot be removed" in done.stderr
    assert (stored(made.root / ".dvc/cache"), stored(made.remote)) == (1, 1)


def test_a_remote_is_collected_once_though_it_is_the_default_one_and_an_out_names_it(
    made: Workshop, retrain: Program
) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("[out]", "[out: {remote: storage}]")})
    done = retrain("gc", "-w", "-c", "--grace", "0", "--force", cwd=made.root)
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        f"{made.root}/.dvc/cache",
        str(made.remote),
    ]


def test_without_commits_and_without_a_cache_there_is_nothing_to_remove(
    tmp_path: Path, retrain: Program, git: Program
) -> None:
    git("init", "--quiet", cwd=tmp_path)
    (tmp_path / ".dvc").mkdir()
    assert retrain("gc", "-w", "-A", "-f", cwd=tmp_path).stdout.endswith("0 objects removed, 0 B; 0 kept\n")
