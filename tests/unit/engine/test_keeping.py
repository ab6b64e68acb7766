"""What stages wrote, kept: links undone where a command may write, lines in .gitignore, one writer at a time."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from runner.engine.keeping import Keeping
from runner.engine.workspace import Workspace
from runner.pipeline.model import Out, Stage
from runner.store.cache import Cache
from runner.store.state import State
from tests.support.pipelines import CONFIG, Workshop, decisions, finished, row, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

STAGE = Stage("make", "dvc.yaml", "make", "make", ".")


def keeping(root: Path) -> Keeping:
    return Keeping(Workspace(root, State()), Cache(root / "cache"), (), ("hidden",))


# .gitignore

NAMES = ("plain", "with space", "ends in space ", "st*r", "q?", "[x]", "!not", "#hash", "dir/inner", "é", "a.b", "**")


@pytest.mark.parametrize("name", NAMES)
def test_the_line_is_dvcs(name: str, tmp_path: Path, dvc: Program) -> None:
    made = workshop(tmp_path, "", {"x": ""})
    made.put({name: "content"})
    if name.endswith(" "):
        (tmp_path / "root" / ".gitignore").write_text("/ends in space\\ \n")
    else:
        dvc("add", "-q", "--", name, cwd=made.root)
    theirs = (made.root / name).parent / ".gitignore"
    line = theirs.read_bytes()
    theirs.unlink()
    keeping(made.root).recording.ignore(STAGE, Out(name, name))
    assert theirs.read_bytes() == line
    assert name in made.git("-c", "core.quotePath=off", "ls-files", "-z", "--others", "--ignored", "--exclude-standard")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b"/o\n"),
        (b"", b"/o\n"),
        (b"x\n", b"x\n/o\n"),
        (b"x", b"x\n/o\n"),
        (b"/o\n", b"/o\n"),
        (b"/o", b"/o"),
        (b"x\r\n/o\r\ny\r\n", b"x\r\n/o\r\ny\r\n"),
        (b"x\r\ny\r\n", b"x\r\ny\r\n/o\n"),
        (b"\xff\xfe\n", b"\xff\xfe\n/o\n"),
        (b"/other\n#/o\n", b"/other\n#/o\n/o\n"),
    ],
)
def test_a_line_is_added_and_nothing_else_changes(before: bytes | None, after: bytes, tmp_path: Path) -> None:
    if before is not None:
        (tmp_path / ".gitignore").write_bytes(before)
    keeper = keeping(tmp_path)
    for _ in range(2):
        keeper.recording.ignore(STAGE, Out("o", "o"))
    assert (tmp_path / ".gitignore").read_bytes() == after


def test_what_git_ignores_already_needs_no_line(tmp_path: Path) -> None:
    keeping(tmp_path).recording.ignore(STAGE, Out("hidden", "hidden"))
    assert not (tmp_path / ".gitignore").exists()


# Outs that stay where they are

PERSIST = """\
stages:
  grow:
    cmd: cat seed >> log; mkdir -p kept; cat seed >> kept/log; FAIL
    deps: [seed]
    outs:
    - log: {persist: true}
    - kept: {persist: true}
"""


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
def test_what_persists_may_be_written_to_and_the_cache_is_not(kind: str, tmp_path: Path) -> None:
    made = workshop(
        tmp_path,
        PERSIST.replace("FAIL", "true"),
        {"seed": "1\n", ".dvc/config": f"[cache]\n    type = {kind}\n{CONFIG}"},
    )
    made.repro()
    old = (made.root / ".dvc" / "cache" / made.objects("log")[0]).read_bytes()
    name = made.objects("log")[0]
    assert (made.root / "log").is_symlink() == (kind == "symlink")
    assert ((made.root / "log").stat().st_nlink > 1) == (kind == "hardlink")
    made.put({"seed": "2\n"})
    assert decisions(made.repro()) == {"grow": "ran"}
    assert made.read("log") == made.read("kept/log") == "1\n2\n"
    assert (made.root / ".dvc" / "cache" / name).read_bytes() == old == b"1\n"


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
def test_what_persists_comes_back_when_the_command_fails(kind: str, tmp_path: Path) -> None:
    made = workshop(
        tmp_path,
        PERSIST.replace("FAIL", "true"),
        {"seed": "1\n", ".dvc/config": f"[cache]\n    type = {kind}\n{CONFIG}"},
    )
    made.repro()
    made.put({"seed": "2\n", "dvc.yaml": PERSIST.replace("FAIL", "false")})
    assert decisions(made.repro()) == {"grow": "failed"}
    assert made.read("log") == made.read("kept/log") == "1\n"
    made.put({"seed": "1\n", "dvc.yaml": PERSIST.replace("FAIL", "true")})
    assert decisions(made.repro()) == {"grow": "fresh"}


def test_what_persists_is_never_restored_from_a_past_run(tmp_path: Path) -> None:
    made = finished(tmp_path, PERSIST.replace("FAIL", "true"), {"seed": "1\n"})
    made.put({"seed": "2\n"})
    made.repro()
    made.put({"seed": "1\n"})
    assert made.plan() == {"grow": "run"}
    assert not (made.root / ".dvc" / "cache" / "runs").exists()


# Links


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_a_command_that_writes_to_its_out_again_does_not_write_to_the_cache(kind: str, tmp_path: Path) -> None:
    pipeline = "stages:\n  make:\n    cmd: cat seed >> o\n    deps: [seed]\n    outs: [o]\n"
    made = workshop(tmp_path, pipeline, {"seed": "1\n", ".dvc/config": f"[cache]\n    type = {kind}\n{CONFIG}"})
    made.repro()
    name = made.objects("o")[0]
    made.put({"seed": "2\n"})
    made.repro()
    assert made.read("o") == "2\n"
    assert (made.root / ".dvc" / "cache" / name).read_bytes() == b"1\n"


@pytest.mark.parametrize("kind", ["symlink", "hardlink", "copy"])
def test_a_cache_outside_of_the_project_is_linked_to_from_files_and_directories(kind: str, tmp_path: Path) -> None:
    pipeline = "stages:\n  make: {cmd: mkdir d; cat seed > d/x; cat seed > f, deps: [seed], outs: [d, f]}\n"
    pipeline += "  use: {cmd: cat d/x f > u, deps: [d, f], outs: [u]}\n"
    config = f"[cache]\n    dir = ../../shared\n    type = {kind}\n{CONFIG}"
    made = finished(tmp_path, pipeline, {"seed": "1\n", ".dvc/config": config})
    shutil.rmtree(made.root / "d")
    made.put({"f": None, "u": None})
    assert made.plan() == {"make": "restore", "use": "restore"}
    assert decisions(made.repro()) == {"make": "restored", "use": "restored"}
    assert (made.root / "d/x").is_symlink() == (kind == "symlink")
    made.put({"seed": "2\n"})
    assert decisions(made.run(push="always")) == {"make": "ran", "use": "ran"}
    assert made.read("u") == "2\n2\n"
    assert made.plan() == {"make": "fresh", "use": "fresh"}


def test_what_git_tracks_is_a_file_of_its_own_never_a_link(tmp_path: Path) -> None:
    pipeline = (
        "stages:\n  make:\n    cmd: cat seed > m.json\n    deps: [seed]\n    metrics: [{m.json: {cache: false}}]\n"
    )
    made = finished(tmp_path, pipeline, {"seed": "1\n", ".dvc/config": f"[cache]\n    type = symlink\n{CONFIG}"})
    made.put({"m.json": None})
    assert decisions(made.repro()) == {"make": "restored"}
    place = made.root / "m.json"
    assert not place.is_symlink()
    assert place.stat().st_mode & stat.S_IWUSR


def test_an_out_behind_a_link_that_leads_out_is_refused_before_anything_runs(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages:\n  make: {cmd: echo 1 > link/o, deps: [seed], outs: [link/o]}\n", {"seed": "1"})
    (tmp_path / "outside").mkdir()
    (made.root / "link").symlink_to(tmp_path / "outside")
    report = made.repro()
    assert report.exit_code == 2
    assert "link is a link to a place outside the project" in str(report.error)
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("mkdir o; ln -s /etc/passwd o/x", "o/x is a link to a place outside the project"),
        ("mkdir o; ln -s ../../secret o/x", "o/x is a link to a place outside the project"),
        ("ln -s ../secret o", "o is a link to a place outside the project"),
        ("mkdir o; ln -s nowhere o/x", "o/x is a broken link"),
        ("mkdir o; ln -s x o/x", "o/x is a broken link"),
        ("mkdir o; mkfifo o/x", "o/x is not a regular file"),
        ("mkdir o; printf x > \"o/$(printf '\\377')\"", "is not UTF-8"),
    ],
)
def test_an_out_that_is_no_file_or_leads_elsewhere_fails_the_stage(how: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    made = workshop(tmp_path, f"stages:\n  make:\n    cmd:\n    - |-\n      {how}\n    outs: [o]\n")
    report = made.run(push="always")
    assert decisions(report) == {"make": "failed"}
    told = row(report, "make").why
    assert told
    assert why in told
    everything = [place.read_bytes() for place in (*made.remote.rglob("*"), *made.root.rglob(".dvc/cache/files/**/*"))
                  if place.is_file()]  # fmt: skip
    assert b"canary" not in everything


def test_a_link_inside_the_project_is_taken_as_the_file(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages:\n  make:\n    cmd: mkdir o; ln -s ../seed o/x\n    outs: [o]\n", {"seed": "1\n"})
    assert decisions(made.repro()) == {"make": "ran"}
    assert len(made.objects("o")) == 2


# What is replaced

MAKE = """\
stages:
  make:
    cmd: mkdir d; cat seed > d/x; cat seed > m.json
    deps: [seed]
    outs: [d]
    metrics: [{m.json: {cache: false}}]
"""


def cached(made: Workshop) -> list[bytes]:
    return [place.read_bytes() for place in made.root.glob(".dvc/cache/files/md5/??/*")]


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, MAKE, {"seed": "1\n", ".gitignore": "m.json\n"})


def test_an_edited_metric_that_git_ignores_is_kept_before_it_is_restored(made: Workshop) -> None:
    made.put({"m.json": "edited"})
    assert decisions(made.repro()) == {"make": "restored"}
    assert made.read("m.json") == "1\n"
    assert b"edited" in cached(made)


@pytest.mark.parametrize("damage", ["broken", "gone"])
def test_good_bytes_are_kept_where_the_cache_only_seems_to_hold_them(damage: str, made: Workshop) -> None:
    made.put({"d/x": "other\n"})
    made.put({"seed": "2\n"})
    made.repro()
    place = next(path for path in made.root.glob(".dvc/cache/files/md5/??/*") if path.read_bytes() == b"other\n")
    place.chmod(0o644)
    if damage == "broken":
        place.write_bytes(b"damaged")
    else:
        place.unlink()
    made.put({"d/x": "other\n", "seed": "3\n"})
    assert decisions(made.repro()) == {"make": "ran"}
    assert b"other\n" in cached(made)


@pytest.mark.parametrize("seed", ["1\n", "2\n"])
def test_a_folder_that_a_link_leads_to_keeps_its_files(seed: str, made: Workshop, tmp_path: Path) -> None:
    made.put({".dvcignore": "*.own\n", "seed": seed})
    shutil.rmtree(made.root / "d")
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "a.own").write_text("theirs")
    (made.root / "d").symlink_to("../victim")
    made.repro()
    assert (tmp_path / "victim" / "a.own").read_text() == "theirs"
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["a.own"]


@pytest.mark.parametrize("seed", ["1\n", "2\n"])
def test_an_out_that_cannot_be_tracked_does_not_stand_in_the_way_of_its_repair(seed: str, made: Workshop) -> None:
    made.put({"seed": seed, "d/precious": "kept"})
    os.mkfifo(made.root / "d" / "f")
    assert decisions(made.repro()) == {"make": "restored" if seed == "1\n" else "ran"}
    assert made.names("d") == {"x"}
    assert not (made.root / "d" / "f").exists()
    left = [path.read_text() for path in made.root.glob(".dvc/tmp/retrain/left-*/d/precious")]
    assert left == (["kept"] if seed == "1\n" else [])


def test_a_first_run_that_made_a_pipe_can_be_mended(tmp_path: Path) -> None:
    made = workshop(tmp_path, MAKE.replace("mkdir d;", "mkdir d; mkfifo d/f;"), {"seed": "1\n"})
    assert decisions(made.repro()) == {"make": "failed"}
    made.put({"dvc.yaml": MAKE})
    assert decisions(made.repro()) == {"make": "ran"}
    assert made.names("d") == {"x"}


# One writer


def test_two_runs_do_not_write_in_one_folder(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages:\n  make:\n    cmd: echo 1 > o\n    outs: [o]\n")
    place = made.root / ".dvc" / "tmp" / "retrain" / "lock"
    place.parent.mkdir(parents=True)
    with FileLock(place, is_singleton=False):
        report = made.repro()
        assert made.plan() == {"make": "run"}
    assert report.exit_code == 2
    assert report.error
    assert "another retrain is at work" in report.error.message
    assert decisions(made.repro()) == {"make": "ran"}
