"""Stage files of DVC 0.x, which DVC 3 refuses: `retrain` leaves behind what DVC 2.58 left behind, byte for byte."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.support import legacy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow

CONFIG = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../remote\n"
STAGES = {"prepare.dvc", "copy.dvc", "folder.dvc", "Dvcfile"}


def project(tmp_path: Path, step: str) -> Path:
    root = tmp_path / "project"
    legacy.lay_out(root, "stages", step)
    git(root, "init", "--quiet", "-b", "main")
    put(root, {".dvc/config": CONFIG, ".dvc/.gitignore": DVC_GITIGNORE})
    commit(root)
    return root


def left(root: Path) -> dict[str, bytes]:
    """Give what a run leaves behind: every file but those that git, DVC and we keep for ourselves, and .gitignore."""
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if is_left(name)}


def is_left(name: str) -> bool:
    times = ".dvc/cache/retrain/"  # how long commands took
    mine = (".git/", ".dvc/tmp", ".dvc/.git", ".dvc/config", times)
    return not (name.startswith(mine) or name.endswith("ignore"))


def expected(step: str) -> dict[str, bytes]:
    return {name: content for name, content in legacy.files("stages", step).items() if is_left(name)}


def test_a_first_run_writes_what_dvc_wrote(tmp_path: Path, sides: Sides) -> None:
    root = project(tmp_path, legacy.WRITTEN)
    words = legacy.files("stages", legacy.RAN)["words.dvc"]
    put(root, {"words.dvc": words})
    sides.retrain.run(root, "repro")
    assert left(root) == expected(legacy.RAN)
    assert {row["decision"] for row in sides.retrain.plan(root).values()} == {"fresh"}


def test_what_changes_is_written_as_dvc_wrote_it(tmp_path: Path, sides: Sides) -> None:
    root = project(tmp_path, legacy.RAN)
    assert {row["decision"] for row in sides.retrain.plan(root).values()} == {"fresh"}
    put(root, {"words": legacy.files("stages", legacy.RAN_AGAIN)["words"]})
    sides.retrain.run(root, "repro")
    assert left(root) == expected(legacy.RAN_AGAIN)


def test_a_changed_cmd_is_told_by_the_checksum_of_the_file(tmp_path: Path, sides: Sides) -> None:
    root = project(tmp_path, legacy.RAN)
    text = (root / "prepare.dvc").read_text()
    put(root, {"prepare.dvc": text.replace("sh count.sh", "sh  count.sh")})
    rows = sides.retrain.plan(root)
    assert rows["prepare.dvc"]["decision"] == "run"
    assert [reason["change"] for reason in rows["prepare.dvc"]["reasons"]] == ["changed checksum"]
    assert rows["words.dvc"]["decision"] == "fresh"


def test_a_clone_is_planned_pulled_and_run_from_the_old_layout(tmp_path: Path, sides: Sides) -> None:
    root = project(tmp_path, legacy.RAN)
    sides.retrain.run(root, "push")
    stored = {path.relative_to(tmp_path / "remote").as_posix() for path in (tmp_path / "remote").rglob("*")}
    assert not any(name.startswith("files") for name in stored)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    assert {row["decision"] for row in sides.retrain.plan(clone).values()} == {"fresh"}
    put(clone, {"count.sh": "wc -c < $1\n"})
    sides.retrain.run(clone, "repro", "folder.dvc")
    assert (clone / "made" / "a").read_bytes() == b"10\n"
    shutil.rmtree(clone)
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    sides.retrain.run(clone, "pull")
    assert left(clone).keys() >= {"words", "counted", "made/a", "made/b", "work/kept", "work/log"}


def test_a_broken_object_in_the_old_layout_is_not_taken_in(tmp_path: Path, sides: Sides) -> None:
    root = project(tmp_path, legacy.RAN)
    sides.retrain.run(root, "push")
    name = "20/94b601daac3d68f5aed51d3c20f7cd"
    place = tmp_path / "remote" / name
    place.chmod(0o644)
    place.write_bytes(b"one\ntwo!\n")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(root), str(clone))
    done = sides.retrain.ask(clone, "pull", "words.dvc")
    assert done.code == 4
    assert name in done.err
    place.write_bytes(b"one\ntwo\n")  # the same text with other line ends has the same name
    sides.retrain.run(clone, "pull", "words.dvc")
    assert (clone / "words").read_bytes() == b"one\ntwo\n"


def test_the_metric_that_a_stage_file_picks_is_shown_and_the_whole_file_can_be_judged(
    tmp_path: Path, sides: Sides
) -> None:
    root = project(tmp_path, legacy.RAN)
    gates = "gates:\n- {metric: 'score.json:$.score', better: higher, at-least: 2, missing-baseline: pass}\n"
    put(root, {"retrain.yaml": gates})
    assert sides.retrain.ask(root, "gate", "--json").json["gates"][0]["status"] == "passed"
    put(root, {"score.json": '{"score": 3, "time": 9}'})
    done = sides.retrain.ask(root, "gate")
    assert (done.code, "out modified score.json" in done.out) == (1, True)
    shown = sides.retrain.ask(root, "metrics", "show", "--json").json
    assert shown[""]["data"]["score.json"]["data"] == {"score": 3}
