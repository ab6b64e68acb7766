"""`status` in DVC's words: what is there is compared, not what could be put there; the remote is asked only by `-c`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.engine import status, tracked
from runner.errors import RemoteError
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PIPELINE = """\
stages:
  make:
    cmd: mkdir many && cp seed many/one && echo 2 > many/two
    deps: [seed]
    params: [rate, deep]
    outs: [many]
  use:
    cmd: cat many/one > used
    deps: [many]
    outs: [used]
    metrics: [{m.json: {cache: false}}]
""".replace("> used", "> used; echo 1 > m.json")
FILES = {"seed": "s", "params.yaml": "rate: 1\ndeep: {er: {a: 1}}\n", "sub/dvc.yaml": "stages: {}\n"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return finished(tmp_path_factory.mktemp("status"), PIPELINE, FILES)


@pytest.fixture
def made(kept: Workshop, tmp_path: Path) -> Workshop:
    return Workshop(shutil.copytree(kept.root.parent, tmp_path / "place", symlinks=True) / "root", kept.environ)


def local(made: Workshop, *targets: str, cwd: str = ".", **how: bool) -> dict[str, list[Any]]:
    with made.opened(working_directory=str(made.root / cwd)) as opened:
        return status.local(opened.project, targets, **how)


def remote(made: Workshop, *targets: str, **scope: bool) -> Mapping[str, str]:
    with made.opened() as opened:
        pipelines, _ = tracked.pipelines(opened.project, tracked.Scope(**scope))
        return status.remote(opened.project, pipelines, targets)


def test_what_is_as_the_lock_says_is_not_named(made: Workshop) -> None:
    assert local(made) == {}


def test_every_kind_of_change_has_dvc_s_word(made: Workshop) -> None:
    made.put({"seed": "t", "params.yaml": "rate: 1\ndeep: {er: {a: 2}}\n", "used": "edited", "m.json": None})
    made.put({"dvc.yaml": PIPELINE.replace("cmd: cat", "always_changed: true\n    cmd: cat  ")})
    assert local(made) == {
        "make": [{"changed deps": {"seed": "modified", "params.yaml": {"deep": "modified"}}}],
        "use": [{"changed outs": {"used": "modified", "m.json": "deleted"}}, "always changed", "changed command"],
    }


def test_a_fresh_clone_is_not_in_cache_and_needs_no_remote(made: Workshop) -> None:
    shutil.rmtree(made.remote)
    clone = made.clone("clone")
    assert local(clone) == {
        "make": [{"changed outs": {"many": "not in cache"}}],
        "use": [{"changed deps": {"many": "deleted"}}, {"changed outs": {"used": "not in cache"}}],
    }


def test_of_a_stage_that_never_ran_params_are_new_and_files_modified(made: Workshop) -> None:
    made.put({"dvc.lock": None})
    shutil.rmtree(made.root / "many")
    assert local(made)["make"] == [
        {"changed deps": {"seed": "modified", "params.yaml": "new"}},
        {"changed outs": {"many": "deleted"}},
    ]
    made.put({"params.yaml": None})
    assert local(made, "make")["make"][0]["changed deps"]["params.yaml"] == "deleted"
    assert local(made, "used")["use"][1] == {"changed outs": {"used": "modified"}}


def test_addresses_and_paths_are_shown_from_the_folder_one_is_in(made: Workshop) -> None:
    made.put({"seed": "t"})
    assert local(made, cwd="sub") == {"../dvc.yaml:make": [{"changed deps": {"../seed": "modified"}}]}


def test_targets_are_stages_with_what_they_need_or_outs(made: Workshop) -> None:
    made.put({"seed": "t", "used": "edited", "m.json": "2"})
    assert list(local(made, "use")) == ["use"]
    assert list(local(made, "use", with_deps=True)) == ["make", "use"]
    assert local(made, "used") == {"use": [{"changed outs": {"used": "modified"}}]}


def test_the_cache_is_compared_with_the_remote_file_by_file(made: Workshop) -> None:
    assert remote(made) == {}
    listing, one, two = made.objects("many")
    (made.remote / listing).unlink()
    (made.remote / one).unlink()
    (made.root / ".dvc" / "cache" / two).unlink()
    used = made.objects("used")[0]
    for place in (made.remote / used, made.root / ".dvc" / "cache" / used):
        place.unlink(missing_ok=True)
    assert remote(made) == {"many": "new", "many/one": "missing", "many/two": "deleted", "used": "missing"}


def test_other_commits_count_if_asked_for(made: Workshop) -> None:
    (made.remote / made.objects("many")[1]).unlink()
    made.put({"seed": "t"})
    made.repro()
    made.push()
    made.commit("second")
    assert remote(made) == {}
    assert set(remote(made, commits=True).values()) == {"new"}


def test_without_a_remote_it_says_how_to_add_one(made: Workshop) -> None:
    made.put({".dvc/config": ""})
    with pytest.raises(RemoteError) as caught:
        remote(made)
    assert "dvc remote add -d" in caught.value.hint


def test_a_part_whose_listing_is_nowhere_is_not_in_sync(made: Workshop) -> None:
    clone = made.clone("clone")
    (made.remote / made.objects("many")[0]).unlink()
    assert remote(clone, "many/one") == {"many": "missing"}
