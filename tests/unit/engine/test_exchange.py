"""Pull and push: what is asked for and no more, verified, proved, and nothing good ever replaced by nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError
from tests.support.pipelines import Workshop, decisions, finished

if TYPE_CHECKING:
    from pathlib import Path

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
OUTS = {"folder/x", "folder/y", "file"}


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, PIPELINE, {"seed": "1\n"})


def data(clone: Workshop) -> set[str]:
    return clone.names() - {".gitignore", "dvc.lock", "dvc.yaml", "seed", "m.json"}


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        ((), OUTS),
        (("file",), {"file"}),
        (("folder",), {"folder/x", "folder/y"}),
        (("folder/",), {"folder/x", "folder/y"}),
        (("folder", "file"), OUTS),
        (("dvc.yaml:file",), {"file"}),
        (("dvc.yaml",), OUTS),
        ((".",), OUTS),
    ],
)
def test_targets_are_stages_files_outs_and_folders(targets: tuple[str, ...], names: set[str], made: Workshop) -> None:
    clone = made.clone("clone")
    moved = clone.pull(*targets)
    assert data(clone) == names
    assert {failure.name for failure in moved.failed} <= set(made.objects("kept"))


def test_a_target_that_is_nothing_is_a_mistake(made: Workshop) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        made.pull("nowhere")


def test_pulling_again_moves_nothing(made: Workshop) -> None:
    clone = made.clone("clone")
    assert clone.pull("folder", "file").objects == 4
    assert clone.pull("folder", "file").objects == 0


def test_what_cannot_be_had_is_told_and_the_rest_is_put_in_place(made: Workshop) -> None:
    made.lose("file")
    clone = made.clone("clone")
    moved = clone.pull("file", "folder")
    assert data(clone) == {"folder/x", "folder/y"}
    assert [failure.name for failure in moved.failed] == made.objects("file")


def test_a_good_file_is_never_replaced_by_nothing(made: Workshop) -> None:
    clone = made.clone("clone")
    clone.pull("folder")
    clone.put({"folder/mine": "mine"})
    made.lose("folder")
    shutil.rmtree(clone.root / ".dvc" / "cache")
    assert clone.pull("folder").failed
    assert data(clone) == {"folder/x", "folder/y", "folder/mine"}


def test_an_edit_that_is_in_no_cache_is_left_alone_and_nothing_else_is_touched(made: Workshop) -> None:
    made.put({"file": "precious", "folder/mine": "mine", "folder/x": None})
    with pytest.raises(ConfigError, match="edited, and in no cache: file, folder"):
        made.pull("file", "folder")
    assert made.read("file") == "precious"
    assert made.read("folder/mine") == "mine"
    assert not (made.root / "folder" / "x").exists()


def test_what_is_missing_is_in_the_cache_though_an_edit_keeps_it_from_its_place(made: Workshop) -> None:
    clone = made.clone("clone")
    clone.put({"file": "precious"})
    with pytest.raises(ConfigError, match="edited, and in no cache: file"):
        clone.pull("file", "folder")
    assert all((clone.root / ".dvc" / "cache" / key).exists() for key in made.objects("folder"))


def test_force_replaces_what_was_edited_and_keeps_its_bytes(made: Workshop) -> None:
    made.put({"file": "precious"})
    made.pull("file", force=True)
    assert made.read("file") == "file\n1\n"
    cached = (made.root / ".dvc" / "cache" / "files").rglob("*")
    assert b"precious" in {place.read_bytes() for place in cached if place.is_file()}


def test_a_pull_fetches_anew_what_is_broken_in_the_cache(made: Workshop) -> None:
    for name in (*made.objects("file"), made.objects("folder")[1]):
        place = made.root / ".dvc" / "cache" / name
        place.chmod(0o644)
        place.write_text("broken")
    made.put({"file": None, "folder/x": None})
    assert made.pull("file", "folder").failed == ()
    assert made.read("file") == "file\n1\n"
    assert made.read("folder/x") == "1\n"


def test_what_two_outs_share_and_is_broken_everywhere_is_told_and_the_rest_is_put_in_place(tmp_path: Path) -> None:
    twice = PIPELINE.replace(
        "  file:", "  again:\n    cmd: cp -r folder again\n    deps: [folder]\n    outs: [again]\n  file:"
    )
    made = finished(tmp_path, twice, {"seed": "1\n"})
    clone = made.clone("clone")
    clone.pull()
    member = made.objects("folder")[1]
    for place in (made.remote / member, clone.root / ".dvc" / "cache" / member):
        place.chmod(0o644)
        place.write_bytes(bytes(byte ^ 1 for byte in place.read_bytes()))
    for path in ("folder", "again"):
        shutil.rmtree(clone.root / path)
    (clone.root / "file").unlink()
    moved = clone.pull()
    assert member in {failure.name for failure in moved.failed}
    assert (clone.root / "file").exists()


def test_a_broken_listing_of_the_remote_keeps_no_other_out_away(tmp_path: Path) -> None:
    made = finished(tmp_path, PIPELINE.replace("  file:", "  zfile:"), {"seed": "1\n"})
    clone = made.clone("clone")
    listing = made.remote / made.objects("folder")[0]
    listing.chmod(0o644)
    listing.write_bytes(b"[]")
    moved = clone.pull("folder", "zfile")
    assert [failure.name for failure in moved.failed] == [made.objects("folder")[0]]
    assert data(clone) == {"file"}


def test_executables_are_put_in_place_as_such(tmp_path: Path) -> None:
    tool = "stages:\n  tool:\n    cmd: echo '#!/bin/sh' > tool; chmod +x tool\n    outs: [tool]\n"
    made = finished(tmp_path, tool)
    clone = made.clone("clone")
    clone.pull()
    assert (clone.root / "tool").stat().st_mode & 0o100
    assert clone.plan() == {"tool": "fresh"}


# Push


def test_a_push_sends_outs_and_then_past_runs_and_not_what_is_to_stay(tmp_path: Path) -> None:
    made = finished(tmp_path, PIPELINE, {"seed": "1\n"})
    shutil.rmtree(made.remote)
    made.remote.mkdir()
    assert made.push().failed == ()
    sent = {str(place.relative_to(made.remote)) for place in made.remote.rglob("*") if place.is_file()}
    names = {key for path in ("folder", "file", "m.json") for key in made.objects(path)}
    assert {name for name in sent if name.startswith("files")} == names
    assert len([name for name in sent if name.startswith("runs")]) == 2, "of what is pushed whole"
    assert made.push().objects == 0


def test_a_push_of_one_stage_sends_no_other(made: Workshop) -> None:
    shutil.rmtree(made.remote)
    made.remote.mkdir()
    made.push("folder")
    sent = {str(place.relative_to(made.remote)) for place in made.remote.glob("files/**/*") if place.is_file()}
    assert sent == set(made.objects("folder"))


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_push_takes_from_the_workspace_what_the_cache_has_lost(lost: int, made: Workshop) -> None:
    names = made.objects("folder")
    shutil.rmtree(made.remote)
    made.remote.mkdir()
    (made.root / ".dvc" / "cache" / names[lost]).unlink()
    assert made.push("folder").failed == ()
    assert all((made.remote / name).exists() for name in names)


def test_a_push_sends_no_listing_whose_files_are_not_all_there(made: Workshop) -> None:
    listing, member, _ = made.objects("folder")
    shutil.rmtree(made.remote)
    made.remote.mkdir()
    (made.root / ".dvc" / "cache" / member).unlink()
    made.put({"folder/x": "changed"})
    moved = made.push("folder")
    assert moved.failed
    assert not (made.remote / listing).exists()
    assert not (made.remote / "runs").exists()


# After a run


def test_a_run_proves_what_it_left_alone(made: Workshop) -> None:
    clone = made.clone("clone")
    (made.remote / made.objects("file")[0]).unlink()
    clone.put({"dvc.yaml": PIPELINE.replace("echo y >", "echo z >")})
    report = clone.run(push="always")
    assert decisions(report)["folder"] == "ran"
    assert report.exit_code == 4
    assert report.error
    assert "file is named by the lock" in report.error.message
    assert report.push == ""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_run_proves_every_file_of_directories_that_it_left_alone(number: int, made: Workshop) -> None:
    clone = made.clone("clone")
    (made.remote / made.objects("folder")[number]).unlink()
    report = clone.run(push="always")
    assert decisions(report)["folder"] == "fresh"
    assert report.exit_code == 4
    assert report.error
    assert "folder is named by the lock" in report.error.message


@pytest.mark.parametrize("path", ["file", "folder"])
def test_a_run_does_not_take_what_was_cut_off_for_what_the_lock_names(path: str, made: Workshop) -> None:
    clone = made.clone("clone")
    cut = made.remote / made.objects(path)[-1]
    cut.chmod(0o644)
    cut.write_bytes(cut.read_bytes()[:-1])
    report = clone.run(push="always")
    assert report.exit_code == 4
    assert report.error
    assert path in report.error.message


def test_a_part_that_is_here_vouches_for_no_other(made: Workshop) -> None:
    clone = made.clone("clone")
    clone.pull("folder/x")
    shutil.rmtree(clone.root / "folder")
    cut = made.remote / made.objects("folder")[2]
    cut.chmod(0o644)
    cut.write_bytes(b"")
    assert [failure.name for failure in clone.push("folder").failed] == [made.objects("folder")[0]]
    report = clone.run(push="always")
    assert report.exit_code == 4
    assert report.error
    assert "folder" in report.error.message


@pytest.mark.parametrize(
    ("push", "gate", "sent"),
    [("passed", "0", True), ("passed", "2", False), ("always", "2", True), ("never", "0", False)],
)
def test_a_run_pushes_as_it_is_told(push: str, gate: str, sent: bool, made: Workshop) -> None:  # noqa: FBT001 - a column
    gates = f"gates:\n- metric: m.json:$.a\n  better: higher\n  at-least: {gate}\n"
    made.put({"retrain.yaml": gates, "dvc.yaml": PIPELINE.replace("echo y >", "echo z >")})
    before = {place.name for place in made.remote.rglob("*") if place.is_file()}
    report = made.run(push=push)
    after = {place.name for place in made.remote.rglob("*") if place.is_file()}
    assert (after > before) == sent
    assert (report.push == "pushed, and found in the remote by name and size") == sent
    assert report.exit_code == (0 if gate == "0" else 1)


def test_a_part_of_a_directory_pulled_before_the_whole_harms_neither(made: Workshop) -> None:
    clone = made.clone("clone")
    clone.pull("folder/x")
    assert data(clone) == {"folder/x"}
    clone.pull("folder/x")
    clone.pull()
    assert data(clone) == OUTS
