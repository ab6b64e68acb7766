"""The workspace from the cache alone: what was edited is never lost, what the cache lacks stays as it is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from runner.engine import checkout
from runner.errors import ConfigError, ObjectMissing
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from pathlib import Path

    from runner.engine.checkout import Placed

PIPELINE = """\
stages:
  make:
    cmd: mkdir -p many/deep && echo 1 > many/one && echo 2 > many/deep/two && echo m > model
    deps: [seed]
    outs: [many, model]
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return finished(tmp_path_factory.mktemp("checkout"), PIPELINE, {"seed": "s"})


@pytest.fixture
def made(kept: Workshop, tmp_path: Path) -> Workshop:
    return Workshop(shutil.copytree(kept.root.parent, tmp_path / "place", symlinks=True) / "root", kept.environ)


def checked_out(made: Workshop, *targets: str, **how: bool) -> Placed:
    with made.opened() as opened:
        return checkout.checkout(opened.project, targets, **how)


def pruned(made: Workshop) -> tuple[str, ...]:
    with made.opened() as opened:
        return checkout.prune(opened.project)


def cached(made: Workshop) -> set[bytes]:
    found = (made.root / ".dvc" / "cache" / "files").rglob("*")
    return {place.read_bytes() for place in found if place.is_file()}


def test_what_is_absent_is_added_and_what_is_right_is_left(made: Workshop) -> None:
    (made.root / "model").unlink()
    assert checked_out(made).added == ("model",)
    assert made.read("model") == "m\n"
    assert checked_out(made) == checkout.Placed()


def test_an_edited_out_that_is_in_no_cache_stops_everything_and_nothing_is_touched(made: Workshop) -> None:
    made.put({"model": "edited"})
    shutil.rmtree(made.root / "many")
    with pytest.raises(ConfigError, match="edited, and in no cache: model") as caught:
        checked_out(made)
    assert "--force" in caught.value.hint
    assert made.read("model") == "edited"
    assert not (made.root / "many").exists()


def test_force_replaces_it_and_keeps_its_bytes(made: Workshop) -> None:
    made.put({"model": "edited", "many/extra": "extra"})
    assert checked_out(made, force=True).modified == ("many", "model")
    assert made.read("model") == "m\n"
    assert made.names("many") == {"one", "deep/two"}
    assert {b"edited", b"extra"} <= cached(made)


def test_what_another_version_left_is_replaced_without_being_asked(made: Workshop) -> None:
    made.put({"seed": "t", "dvc.yaml": PIPELINE.replace("echo m", "echo n")})
    made.repro()
    made.git("stash", "--quiet")
    assert checked_out(made).modified == ("model",)
    assert made.read("model") == "m\n"


def test_a_directory_that_lacks_an_object_stays_whole_and_the_rest_is_put_in_place(made: Workshop) -> None:
    (made.root / "model").unlink()
    (made.root / "many" / "one").unlink()
    for key in made.objects("many")[1:2]:
        (made.root / ".dvc" / "cache" / key).unlink()
    placed = checked_out(made, force=True)
    assert (placed.added, placed.failed) == (("model",), ("many",))
    assert made.names("many") == {"deep/two"}


def test_a_directory_that_lacks_files_is_completed_and_not_kept_as_an_edit(made: Workshop) -> None:
    before = cached(made)
    (made.root / "many" / "deep" / "two").unlink()
    assert checked_out(made).modified == ("many",)
    assert made.read("many/deep/two") == "2\n"
    assert cached(made) == before


def test_a_part_of_a_directory_is_put_in_place_alone(made: Workshop) -> None:
    shutil.rmtree(made.root / "many")
    assert checked_out(made, "many/deep").added == ("many/deep/two",)
    assert made.names("many") == {"deep/two"}
    with pytest.raises(ObjectMissing, match="many/nothing is not in the directory"):
        checked_out(made, "many/nothing")
    assert checked_out(made).modified == ("many",)
    assert made.names("many") == {"one", "deep/two"}


def test_relinking_follows_the_configured_type_and_changes_no_byte(made: Workshop) -> None:
    with (made.root / ".dvc" / "config").open("a") as config:
        config.write("[cache]\n    type = symlink\n")
    assert checked_out(made) == checkout.Placed()
    assert not (made.root / "model").is_symlink()
    checked_out(made, relink=True)
    assert (made.root / "model").is_symlink()
    assert made.read("model") == "m\n"


RENAMED = PIPELINE.replace("model", "renamed")


def test_only_pruning_removes_what_was_an_out_once(made: Workshop) -> None:
    made.put({"dvc.yaml": RENAMED})
    made.repro()
    made.commit("renamed")
    checked_out(made)
    assert made.read("model") == "m\n"
    assert pruned(made) == ("model",)
    assert not (made.root / "model").exists()
    assert made.read("renamed") == "m\n"
    assert pruned(made) == ()


CASES: dict[str, dict[str, Any]] = {
    "it was edited": {"model": "edited"},
    "a stage reads it": {"dvc.yaml": RENAMED.replace("deps: [seed]", "deps: [seed, model]")},
    "the cache lacks it": {},
}


@pytest.mark.parametrize("case", CASES)
def test_pruning_leaves_what_could_not_be_had_again_or_is_needed(case: str, made: Workshop) -> None:
    made.put({"dvc.yaml": RENAMED.replace("echo m", "echo n"), **CASES[case]})
    made.repro()
    made.commit("renamed")
    if case == "the cache lacks it":
        (made.root / ".dvc" / "cache" / "files" / "md5" / "6f" / "5902ac237024bdd0c176cb93063dc4").unlink(
            missing_ok=True
        )
        shutil.rmtree(made.root / ".dvc" / "cache" / "files")
    assert pruned(made) == ()
    assert (made.root / "model").exists()


def test_pruning_leaves_what_dvc_does_not_see_as_it_is_in_no_cache(made: Workshop) -> None:
    made.put({"dvc.yaml": RENAMED.replace("many", "more"), ".dvcignore": "*.log\n"})
    made.repro()
    made.commit("renamed")
    made.put({"many/deep/x.log": "log"})
    (made.root / "many" / "deep" / "mine" / ".git" / "refs").mkdir(parents=True)
    assert pruned(made) == ("many", "model")
    assert made.names("many") == {"deep/x.log"}
    assert (made.root / "many" / "deep" / "mine" / ".git" / "refs").is_dir()
    assert not (made.root / "model").exists()


def test_pruning_leaves_what_the_cache_holds_only_broken(made: Workshop) -> None:
    place = made.root / ".dvc" / "cache" / made.objects("model")[0]
    made.put({"dvc.yaml": RENAMED.replace("echo m", "echo n")})
    made.repro()
    made.commit("renamed")
    model = made.root / "model"
    model.unlink()  # no link to the object that is broken now
    model.write_text("m\n")
    place.chmod(0o644)
    place.write_text("broken")
    assert pruned(made) == ()
    assert made.read("model") == "m\n"


def test_pruning_leaves_what_git_tracks_now(made: Workshop) -> None:
    made.put({"dvc.yaml": RENAMED})
    made.repro()
    made.git("add", "--force", "model")
    made.commit("now in git")
    assert pruned(made) == ()
