"""Fetch: into the cache what is asked for and no more; the workspace stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.engine import fetching
from runner.engine.tracked import Scope
from runner.errors import ObjectMissing, RemoteError
from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from pathlib import Path

    from runner.store.transfer import Moved

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
        return fetching.fetch(opened.project, fetching.Wish(targets, **wish))


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
