"""Fetch: into the cache what is asked for and no more; the workspace stays as it is."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from runner.engine import fetching
from runner.engine.tracked import Scope
from runner.errors import ObjectMissing, RemoteError
from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.moved import Moved
    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  folder:
    cmd: mkdir folder; cp seed folder/x; echo y > folder/y
    deps: [seed]
    outs: [folder]
  file:
    cmd: echo file > file; cat seed >> file; echo '{"a":1}' > m.json
    deps: [seed]
    outs: [file]
    metrics: [{m.json: {cache: false}}]
  kept:
    cmd: echo kept > kept; cat seed >> kept
    deps: [seed]
    outs: [{kept: {push: false}}]
"""


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, PIPELINE, {"seed": "1\n"})


def fetched(made: Workshop, *targets: str, **wish: Any) -> Moved:
    with made.opened() as opened:
        moved, _ = fetching.fetch(opened.project, fetching.Wish(targets, **wish))
    return moved


def cached(made: Workshop) -> set[str]:
    cache = made.root / ".dvc" / "cache"
    return {str(place.relative_to(cache)) for place in (cache / "files").rglob("*") if place.is_file()}


def test_fetch_fills_the_cache_and_leaves_the_workspace(made: Workshop) -> None:
    clone = made.clone("clone")
    assert fetched(clone, "folder").objects == 3
    assert cached(clone) == set(made.objects("folder"))
    assert clone.names() & {"folder/x", "folder/y", "file"} == set()
    assert fetched(clone, "folder").objects == 0


def test_fetch_of_a_part_of_a_directory_brings_that_part_and_the_listing(made: Workshop) -> None:
    clone = made.clone("clone")
    fetched(clone, "folder/x")
    listing, one, _ = made.objects("folder")
    assert cached(clone) == {listing, one}


def test_fetch_brings_only_metrics_or_plots_if_asked(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("m.json: {cache: false}", "m.json: {}")})
    made.run(push="always")
    made.commit("cached metrics")
    clone = made.clone("clone")
    fetched(clone, kinds=frozenset({"metrics"}))
    assert cached(clone) == set(made.objects("m.json"))
    assert fetched(clone, kinds=frozenset({"plots"})).objects == 0


def test_fetch_brings_what_other_commits_name(made: Workshop) -> None:
    old = set(made.objects("file"))
    made.put({"seed": "2\n"})
    made.run(push="always")
    made.commit("second")
    clone = made.clone("clone")
    fetched(clone, "file")
    assert cached(clone) == set(made.objects("file"))
    fetched(clone, "file", scope=Scope(commits=True))
    assert cached(clone) == set(made.objects("file")) | old


def test_fetch_of_the_run_cache_lets_a_clone_restore_without_the_remote(made: Workshop) -> None:
    made.put({"seed": "2\n"})
    made.run(push="always")
    made.git("checkout", "--", "dvc.lock", "m.json")
    clone = made.clone("clone")
    clone.put({"seed": "2\n"})
    fetched(clone, "file", run_cache=True)
    made.remote.rename(made.remote.with_name("away"))
    assert decisions(clone.repro("file"))["file"] == "restored"


def test_fetch_without_a_remote_says_how_to_add_one_unless_nothing_is_missing(made: Workshop) -> None:
    clone = made.clone("clone")
    for workshop in (made, clone):
        workshop.put({".dvc/config": ""})
    assert fetched(made).objects == 0
    with pytest.raises(RemoteError) as caught:
        fetched(clone)
    assert "dvc remote add -d storage URL" in caught.value.hint


@pytest.mark.parametrize("lost", [True, False])
def test_a_part_that_is_nowhere_is_said_to_be(lost: bool, made: Workshop) -> None:  # noqa: FBT001 - a column
    clone = made.clone("clone")
    if lost:
        (made.remote / made.objects("folder")[0]).unlink()
    with pytest.raises(ObjectMissing, match="is not in the directory"):
        fetched(clone, "folder/x" if lost else "folder/nothing")


def test_a_commit_that_cannot_be_read_hides_no_other_and_is_no_success(made: Workshop, retrain: Program) -> None:
    made.put({"dvc.yaml": "stages: [\n"})
    made.commit("Broken")
    made.put({"dvc.yaml": PIPELINE})
    made.commit("Mended")
    clone = made.clone("clone")
    done = retrain("fetch", "-A", "folder", "file", cwd=clone.root, exits=2)
    assert "the DVC files cannot be read: dvc.yaml:2" in done.stderr
    assert "what only that commit names is left out" in done.stderr
    assert cached(clone) >= set(made.objects("folder"))
    assert (
        retrain("status", "-c", "-A", "folder", "file", cwd=clone.root, exits=2).stdout.strip()
        == "Cache and remote are in sync."
    )


@pytest.mark.parametrize("size", ["-5", "0", "much"])
def test_a_size_that_is_none_is_refused(made: Workshop, retrain: Program, size: str) -> None:
    assert "--max-size" in retrain("fetch", "--max-size", size, cwd=made.root, exits=2).stderr


def test_what_has_no_room_is_refused_before_anything_moves(made: Workshop, retrain: Program) -> None:
    huge = made.remote / made.objects("folder")[1]
    huge.chmod(0o644)
    os.truncate(huge, 1 << 43)
    made.put({"dvc.lock": re.sub(r"size: 4$", f"size: {1 << 43}", made.read("dvc.lock"), flags=re.MULTILINE)})
    made.commit("Huge")
    clone = made.clone("clone")
    for verb in ("fetch", "pull"):
        done = retrain(verb, cwd=clone.root, exits=4)
        assert re.search(r"8,796,093,02\d,\d{3} bytes are to be fetched, and .*cache has room for", done.stderr)
        assert {name for name in cached(clone) if not name.endswith(".dir")} == set()
    assert clone.names() & {"folder/y", "file"} == set()


def test_what_is_recorded_as_too_much_is_fetched_if_it_is_not(made: Workshop) -> None:
    made.put({"dvc.lock": re.sub(r"size: 4$", f"size: {1 << 60}", made.read("dvc.lock"), flags=re.MULTILINE)})
    made.commit("Wrong")
    assert fetched(made.clone("clone"), "folder").objects == 3
