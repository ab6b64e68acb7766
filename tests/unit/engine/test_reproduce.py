"""The loop on real projects: what is pulled, restored, run, put back, and made again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import ConfigError
from runner.hashes import Hash, hash_bytes
from tests.support.pipelines import MAKE, Workshop, decisions, finished, row, workshop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support import environment

pytestmark = pytest.mark.slow

CHAIN = """\
stages:
  first:
    cmd: echo first >> ../journal; head -n 1 seed > first.o
    deps: [seed]
    outs: [first.o]
  second:
    cmd: echo second >> ../journal; (cat first.o; echo 2) > second.o
    deps: [first.o]
    outs: [second.o]
    meta: {owner: nobody}
  third:
    cmd: echo third >> ../journal; cat first.o second.o tail > third.o
    deps: [first.o, second.o, tail]
    outs: [third.o]
"""
SEEDS = {"seed": "1\nrest\n", "tail": "t\n"}

FOLDER = """\
stages:
  make:
    cmd: echo make >> ../journal; mkdir made; cp seed made/x; echo y > made/y
    deps: [seed]
    outs: [made]
  use:
    cmd: echo use >> ../journal; cat made/x tail > use.o
    deps: [made/x, tail]
    outs: [use.o]
"""


@pytest.fixture
def chain(tmp_path: Path) -> Workshop:
    made = finished(tmp_path, CHAIN, SEEDS)
    assert made.journal == ["first", "second", "third"]
    return made


# What is pulled


def test_a_fresh_clone_with_nothing_to_do_pulls_nothing(chain: Workshop) -> None:
    clone = chain.clone("clone")
    assert clone.planned_pull() == (0, 0)
    report = clone.repro()
    assert decisions(report) == dict.fromkeys(["first", "second", "third"], "fresh")
    assert (report.pulled.objects, report.left.objects) == (0, 3)
    assert clone.names() == {".gitignore", "dvc.lock", "dvc.yaml", "seed", "tail"}
    assert clone.journal == []


def test_a_fresh_clone_pulls_only_the_deps_of_what_runs(chain: Workshop) -> None:
    clone = chain.clone("clone")
    clone.put({"tail": "changed\n"})
    assert clone.planned_pull() == (2, len("1\n") + len("1\n2\n"))
    report = clone.repro()
    assert decisions(report) == {"first": "fresh", "second": "fresh", "third": "ran"}
    assert (report.pulled.objects, report.pulled.bytes) == (2, len("1\n") + len("1\n2\n"))
    assert clone.read("third.o") == "1\n1\n2\nchanged\n"
    assert clone.journal == ["third"]


def test_files_are_counted_as_left_behind_also_where_their_listing_is_here(tmp_path: Path) -> None:
    made = finished(
        tmp_path,
        "stages: {one: {cmd: 'mkdir d; cp seed d/a; echo bb > d/b', deps: [seed], outs: [d]}}",
        {"seed": "1\n"},
    )
    clone = made.clone("clone")
    assert clone.repro().left.bytes == len("1\nbb\n")
    for name in (made.recorded("d"), Hash(hash_bytes(b"1\n"))):
        (clone.root / ".dvc/cache" / name.key).parent.mkdir(parents=True)
        shutil.copy(made.remote / name.key, clone.root / ".dvc/cache" / name.key)
    left = clone.repro().left
    assert (left.objects, left.bytes) == (1, len("bb\n"))


def test_what_the_run_replaced_is_not_counted_as_left_behind(chain: Workshop) -> None:
    clone = chain.clone("clone")
    clone.put({"seed": "9\n", "tail": "changed\n"})
    assert clone.repro().left.objects == 0


def test_a_dep_inside_a_directory_brings_that_file_alone_and_leaves_nothing(tmp_path: Path) -> None:
    finished(tmp_path, FOLDER, SEEDS)
    clone = Workshop(tmp_path / "root").clone("clone")
    clone.put({"tail": "changed\n"})
    assert clone.planned_pull() == (1, len("1\nrest\n"))
    report = clone.repro()
    assert decisions(report) == {"make": "fresh", "use": "ran"}
    assert (report.pulled.objects, report.pulled.bytes) == (1, len("1\nrest\n"))
    assert clone.read("use.o") == "1\nrest\nchanged\n"
    assert not (clone.root / "made").exists()


def test_a_params_file_that_a_stage_writes_is_pulled_for_the_stage_that_reads_it(tmp_path: Path) -> None:
    pipeline = """\
stages:
  tune:
    cmd: "echo tune >> ../journal; sed 's/^/best: /' seed > best.yaml"
    deps: [seed]
    outs: [best.yaml]
  fit:
    cmd: echo fit >> ../journal; cat best.yaml tail > fit.o
    deps: [tail]
    params: [{best.yaml: [best]}]
    outs: [fit.o]
"""
    made = finished(tmp_path, pipeline, {"seed": "1\n", "tail": "t\n"})
    clone = made.clone("clone")
    assert clone.plan() == {"tune": "fresh", "fit": "fresh"}
    clone.put({"tail": "changed\n"})
    assert decisions(made.clone("other").repro()) == {"tune": "fresh", "fit": "fresh"}
    assert made.journal == ["tune", "fit"]
    assert decisions(clone.repro())["fit"] == "ran"
    assert clone.read("fit.o") == "best: 1\nchanged\n"
    clone.put({"seed": "2\n"})
    assert clone.plan() == {"tune": "run", "fit": "wait"}
    clone.repro()
    assert clone.read("fit.o") == "best: 2\nchanged\n"
    assert clone.journal == ["fit", "tune", "fit"]


# Early cut-off and what is restored


def test_a_stage_waits_for_what_an_upstream_run_writes_and_is_fresh_if_that_is_the_same(chain: Workshop) -> None:
    chain.put({"seed": "1\nother rest\n"})
    assert chain.plan() == {"first": "run", "second": "wait", "third": "wait"}
    assert decisions(chain.repro()) == {"first": "ran", "second": "fresh", "third": "fresh"}
    assert chain.journal == ["first"]
    assert chain.plan() == dict.fromkeys(["first", "second", "third"], "fresh")


def test_a_past_run_is_restored_in_a_second_clone(chain: Workshop) -> None:
    clone = chain.clone("clone")
    clone.put({"seed": "2\n"})
    clone.run(push="always")
    assert clone.journal == ["first", "second", "third"]
    other = chain.clone("other")
    other.put({"seed": "2\n"})
    assert other.plan() == dict.fromkeys(["first", "second", "third"], "restore")
    report = other.repro()
    assert decisions(report) == dict.fromkeys(["first", "second", "third"], "restored")
    assert other.journal == []
    assert other.read("third.o") == clone.read("third.o")
    assert other.read("dvc.lock") == clone.read("dvc.lock")


def test_a_change_taken_back_is_restored_and_what_reads_inside_its_directory_too(tmp_path: Path) -> None:
    made = finished(tmp_path, FOLDER, SEEDS)
    made.put({"seed": "2\n"})
    made.repro()
    made.put(SEEDS)
    assert made.journal == ["make", "use", "make", "use"]
    assert made.plan() == {"make": "restore", "use": "restore"}
    assert decisions(made.repro()) == {"make": "restored", "use": "restored"}
    assert made.read("use.o") == "1\nrest\nt\n"
    assert made.journal == []


def test_an_absent_out_is_put_back_from_the_cache(chain: Workshop) -> None:
    chain.put({"second.o": None})
    assert chain.plan() == {"first": "fresh", "second": "restore", "third": "fresh"}
    assert decisions(chain.repro()) == {"first": "fresh", "second": "restored", "third": "fresh"}
    assert chain.read("second.o") == "1\n2\n"


def test_a_modified_out_is_replaced_and_its_bytes_are_kept(chain: Workshop) -> None:
    chain.put({"second.o": "precious\n"})
    assert decisions(chain.repro())["second"] == "restored"
    assert chain.read("second.o") == "1\n2\n"
    objects = (chain.root / ".dvc" / "cache" / "files").rglob("*")
    assert b"precious\n" in {place.read_bytes() for place in objects if place.is_file()}


def test_a_restore_needs_no_object_of_an_out_that_is_in_place(tmp_path: Path) -> None:
    pipeline = """\
stages:
  make:
    cmd: echo make >> ../journal; cat seed > o; echo '{"a":1}' > m.json
    deps: [seed]
    outs: [o]
    metrics: [{m.json: {cache: false}}]
"""
    made = finished(tmp_path, pipeline, SEEDS)
    made.lose("m.json")
    made.put({"o": "changed"})
    assert made.plan() == {"make": "restore"}
    assert decisions(made.repro()) == {"make": "restored"}
    assert made.journal == ["make"]


# Objects that are lost


@pytest.mark.parametrize(
    ("lost", "ran"),
    [
        (["first.o"], ["first", "third"]),
        (["second.o"], ["second", "third"]),
        (["first.o", "second.o"], ["first", "second", "third"]),
        (["third.o"], ["third"]),
    ],
)
def test_what_nobody_has_any_more_is_made_again_once(lost: list[str], ran: list[str], chain: Workshop) -> None:
    assert chain.journal == []
    chain.lose(*lost)
    clone = chain.clone("clone")
    clone.put({"tail": "changed\n"})
    assert {stage for stage, word in clone.plan().items() if word == "run"} >= set(ran) - {"third"}
    report = clone.run(push="always")
    assert report.exit_code == 0, report.error
    assert clone.journal == ran
    assert {stage for stage, word in decisions(report).items() if word == "ran"} == set(ran)
    assert clone.read("third.o") == "1\n1\n2\nchanged\n"


def test_a_stage_that_only_might_run_finds_its_dep_lost_and_has_it_made(tmp_path: Path) -> None:
    pipeline = """\
stages:
  big:
    cmd: echo big >> ../journal; cat seed > big.o
    deps: [seed]
    outs: [big.o]
  early:
    cmd: echo early >> ../journal; cat tail > early.o
    deps: [tail]
    outs: [early.o]
  late:
    cmd: echo late >> ../journal; cat big.o early.o > late.o
    deps: [big.o, early.o]
    outs: [late.o]
"""
    made = finished(tmp_path, pipeline, SEEDS)
    assert made.journal == ["big", "early", "late"]
    made.lose("big.o")
    clone = made.clone("clone")
    clone.put({"tail": "changed\n"})
    assert clone.plan()["late"] == "wait"
    report = clone.repro()
    assert decisions(report) == {"big": "ran", "early": "ran", "late": "ran"}
    assert clone.journal == ["early", "big", "late"]
    assert row(report, "big").reasons[0].change == "missing object"


def test_if_a_stage_that_is_made_again_writes_something_else_all_that_reads_it_follows(tmp_path: Path) -> None:
    counted = CHAIN.replace("head -n 1 seed > first.o", "wc -l < ../journal > first.o")
    made = finished(tmp_path, counted, SEEDS)
    made.lose("first.o")
    (tmp_path / "journal").write_text("one\ntwo\n")
    clone = made.clone("clone")
    clone.put({"tail": "changed\n"})
    report = clone.run(push="always")
    assert report.exit_code == 0, report.error
    assert decisions(report) == dict.fromkeys(["first", "second", "third"], "ran")
    assert clone.read("third.o") == "3\n3\n2\nchanged\n"
    assert clone.plan() == dict.fromkeys(["first", "second", "third"], "fresh")


def test_data_that_is_in_no_remote_ends_the_walk_as_a_remote_error(tmp_path: Path) -> None:
    pipeline = "stages:\n  use:\n    cmd: cat data > use.o\n    deps: [data]\n    outs: [use.o]\n"
    data = "outs:\n- md5: 00112233445566778899aabbccddeeff\n  size: 4\n  hash: md5\n  path: data\n"
    made = workshop(tmp_path, pipeline, {"data.dvc": data, ".gitignore": "/data\n"})
    report = made.repro()
    assert report.exit_code == 4
    assert report.error
    assert "data (data.dvc), which stage use needs, is in no remote" in report.error.message
    assert "dvc push data.dvc" in report.error.hint
    assert made.names() == {".gitignore", "data.dvc", "dvc.yaml"}


def test_a_frozen_stage_that_was_never_run_and_has_no_out_is_stale_and_fails(tmp_path: Path) -> None:
    made = workshop(tmp_path, f"{MAKE}    frozen: true\n")
    assert made.reasons("make") == [("not in lock", "", None, None)]
    report = made.repro()
    assert report.exit_code == 3
    assert row(report, "make").why.startswith("it is frozen and was never run, and an out is missing")
    made.put({"o": "by hand\n"})
    assert decisions(made.repro()) == {"make": "frozen"}


def test_a_frozen_stage_whose_out_is_lost_ends_the_walk_too(chain: Workshop) -> None:
    chain.lose("first.o")
    chain.put({"dvc.yaml": CHAIN.replace("  first:\n", "  first:\n    frozen: true\n")})
    chain.commit()
    clone = chain.clone("clone")
    clone.put({"tail": "changed\n"})
    report = clone.repro()
    assert report.exit_code == 4
    assert report.error
    assert "first.o (first)" in report.error.message


# Objects that are broken in the cache


def damage(made: Workshop, name: str) -> None:
    place = made.root / ".dvc" / "cache" / name
    place.chmod(0o644)
    place.write_text("[]")


def test_a_broken_object_is_fetched_anew(chain: Workshop) -> None:
    damage(chain, chain.objects("first.o")[0])
    chain.put({"tail": "changed\n", "first.o": None})
    report = chain.repro()
    assert report.exit_code == 0, report.error
    assert decisions(report) == {"first": "restored", "second": "fresh", "third": "ran"}
    assert chain.read("first.o") == "1\n"
    assert chain.journal == ["third"]


def test_a_broken_object_that_no_remote_has_is_made_again(chain: Workshop) -> None:
    name = chain.objects("first.o")[0]
    damage(chain, name)
    (chain.remote / name).unlink()
    chain.put({"first.o": None})
    assert decisions(chain.repro()) == {"first": "ran", "second": "fresh", "third": "fresh"}
    assert chain.read("first.o") == "1\n"
    assert len(list((chain.root / ".dvc" / "cache" / "quarantine").iterdir())) == 1


@pytest.mark.parametrize("member", [0, 1, 2])
def test_a_directory_with_a_broken_listing_or_file_is_fetched_anew(member: int, tmp_path: Path) -> None:
    made = finished(tmp_path, FOLDER, SEEDS)
    damage(made, made.objects("made")[member])
    shutil.rmtree(made.root / "made")
    made.put({"tail": "changed\n"})
    report = made.repro()
    assert report.exit_code == 0, report.error
    assert made.read("made/x") == "1\nrest\n"
    assert made.read("made/y") == "y\n"
    assert made.journal == ["make", "use", "use"]


# Stages that fail


FAILING = """\
stages:
  make:
    cmd: mkdir -p folder; cat seed > o; cat seed > folder/p; FAIL
    deps: [seed]
    outs: [o, folder/p]
    metrics: [{m.json: {cache: false}}]
  after:
    cmd: cat o > after.o
    deps: [o]
    outs: [after.o]
"""
OUTS = {"o": "1\nrest\n", "folder/p": "1\nrest\n", "m.json": "{}\n", "after.o": "1\nrest\n"}


def failing(tmp_path: Path, how: str) -> Workshop:
    """Give a project that ran well once, and whose first stage will now fail."""
    made = finished(tmp_path, FAILING.replace("FAIL", "echo '{}' > m.json"), SEEDS)
    made.put({"dvc.yaml": FAILING.replace("FAIL", how)})
    return made


@pytest.mark.parametrize(
    ("how", "code", "why"),
    [
        ("exit 3", 3, "the command ended with exit code 3"),
        ("echo '[]' > m.json; false", 1, "the command ended with exit code 1"),
        ("kill -9 $$", -9, "the command was ended by signal 9"),
        ("rm -r folder; exit 1", 1, "the command ended with exit code 1"),
        ("true", None, "output 'm.json' does not exist after the command"),
        ("rm o; mkfifo o; echo 1 > m.json", None, "o is neither a file nor a directory"),
        ("rm o; ln -s o o; echo 1 > m.json", None, "o cannot be read: Too many levels of symbolic links"),
        ("rm o; ln -s /etc/passwd o; echo 1 > m.json", None, "o is a link to a place outside the project"),
        ("no-such-command-anywhere", 127, "the command ended with exit code 127"),
    ],
)
def test_a_stage_that_fails_leaves_its_outs_and_the_lock_as_they_were(
    how: str, code: int | None, why: str, tmp_path: Path
) -> None:
    made = failing(tmp_path, how)
    before = made.read("dvc.lock")
    report = made.run()
    assert report.exit_code == 3, report.error
    assert decisions(report) == {"make": "failed", "after": "skipped"}
    assert row(report, "make").why == why
    assert row(report, "make").exit_code == code
    assert {path: made.read(path) for path in OUTS} == OUTS
    assert made.read("dvc.lock") == before
    assert list((made.root / ".dvc" / "tmp" / "retrain").glob("aside-*")) == []
    assert report.push == "not pushed: a stage failed"


def test_the_last_lines_of_a_failed_command_are_in_the_report(tmp_path: Path) -> None:
    made = failing(tmp_path, "echo to stdout; echo to stderr >&2; exit 1")
    assert row(made.repro(), "make").tail[-2:] == ("to stdout", "to stderr")


def test_outs_that_cannot_come_back_are_kept_and_their_place_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = failing(tmp_path, "rm -r folder; echo in the way > folder; exit 1")
    report = made.repro()
    assert report.exit_code == 3
    kept = list((made.root / ".dvc" / "tmp" / "retrain").glob("aside-*/[0-9]"))
    assert [place.read_text() for place in kept] == ["1\nrest\n"]
    assert made.read("o") == "1\nrest\n"
    assert f"it is kept as {kept[0]}" in caplog.text


@pytest.mark.parametrize(
    ("pipeline", "why"),
    [
        ("deps: [seed, nowhere]", "dependency 'nowhere' does not exist"),
        ("deps: [seed]\n    params: [absent]", "params absent are missing from params.yaml"),
        ("deps: [seed]\n    params: [{p.yaml: [a, b, c]}]", "params b, c are missing from p.yaml"),
    ],
)
def test_a_missing_dep_or_param_is_said_before_anything_is_touched(pipeline: str, why: str, tmp_path: Path) -> None:
    text = "stages:\n  make:\n    cmd: echo make >> ../journal; cat seed > o\n    deps: [seed]\n    outs: [o]\n"
    made = finished(tmp_path, text, {**SEEDS, "p.yaml": "a: 1\n"})
    made.put({"dvc.yaml": text.replace("deps: [seed]", pipeline), "seed": "changed\n"})
    inode = (made.root / "o").stat().st_ino
    report = made.repro()
    assert decisions(report) == {"make": "failed"}
    assert row(report, "make").why == why
    assert (made.root / "o").stat().st_ino == inode
    assert made.journal == ["make"]


def test_a_stage_that_changes_its_own_dep_fails_and_the_file_inside_is_named(tmp_path: Path) -> None:
    pipeline = "stages:\n  make:\n    cmd: cat data/x > o; echo 2 > data/deep/y\n    deps: [data]\n    outs: [o]\n"
    made = workshop(tmp_path, pipeline, {"data/x": "1", "data/deep/y": "1"})
    report = made.repro()
    why = row(report, "make").why
    assert why
    assert why.startswith("dependency 'data' was changed while the command ran (deep/y)")
    assert not (made.root / "o").exists() or not (made.root / "dvc.lock").exists()
    assert made.plan() == {"make": "run"}


def test_an_out_that_git_tracks_is_refused_before_the_command_runs(tmp_path: Path) -> None:
    pipeline = "stages:\n  make:\n    cmd: echo make >> ../journal; echo 2 > o\n    outs: [o]\n"
    made = workshop(tmp_path, pipeline, {"o": "mine\n"})
    report = made.repro()
    why = row(report, "make").why
    assert why
    assert "output 'o' is tracked by git" in why
    assert "git rm --cached o" in why
    assert made.read("o") == "mine\n"
    assert made.journal == []


def test_what_finished_before_a_failure_is_kept(chain: Workshop) -> None:
    chain.put({"dvc.yaml": CHAIN.replace("cat first.o second.o tail > third.o", "false"), "seed": "2\n"})
    assert decisions(chain.repro()) == {"first": "ran", "second": "ran", "third": "failed"}
    chain.put({"dvc.yaml": CHAIN})
    assert chain.journal == ["first", "second", "third"]
    assert decisions(chain.repro()) == {"first": "fresh", "second": "fresh", "third": "ran"}


# Data sources


@pytest.mark.parametrize("change", [{"data": "changed\n"}, {"folder/new": "n\n"}, {"folder/x": None}])
def test_changed_data_is_recorded_as_dvc_does(
    change: dict[str, str | None], tmp_path: Path, dvc: environment.Program
) -> None:
    made = workshop(tmp_path, "", {"data": "one\n", "folder/x": "x\n", "folder/y": "y\n"})
    made.git("rm", "-q", "-r", "--cached", "data", "folder")
    dvc("add", "-q", "data", "folder", cwd=made.root)
    made.commit()
    made.put(change)
    theirs = made.root.parent / "theirs"
    shutil.copytree(made.root, theirs, symlinks=True)
    dvc("repro", "-q", "-P", cwd=theirs)
    report = made.repro()
    assert sorted(decisions(report).values()) == ["fresh", "recorded"]
    for name in ("data.dvc", "folder.dvc"):
        assert (made.root / name).read_bytes() == (theirs / name).read_bytes()
    ours = {place.name for place in (made.root / ".dvc/cache/files").rglob("*")}
    assert {place.name for place in (theirs / ".dvc/cache/files").rglob("*")} == ours
    assert decisions(made.repro()) == {"data.dvc": "fresh", "folder.dvc": "fresh"}


def test_data_that_is_tracked_and_recorded_nowhere_is_missed(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"data.dvc": "outs:\n- path: data\n"})
    report = made.repro()
    assert row(report, "data.dvc").why == "data that data.dvc tracks is missing: data"


# Paths that lead elsewhere


def test_nothing_is_written_through_a_link_out_of_the_project(tmp_path: Path) -> None:
    pipeline = "stages:\n  make:\n    cmd: mkdir -p link; echo evil > link/o\n    outs: [link/o]\n"
    made = finished(tmp_path, pipeline)
    made.put({"link/.gitignore": None})
    shutil.rmtree(made.root / "link")
    (tmp_path / "victim").mkdir()
    (made.root / "link").symlink_to("../victim")
    report = made.repro()
    assert report.exit_code != 0
    assert list((tmp_path / "victim").iterdir()) == []


PARAMS = """\
stages:
  tune:
    cmd: CMD
    deps: [seed]
    params: [lr]
    outs: [tuned]
  use:
    cmd: cat params.yaml > used
    deps: [tuned]
    params: [other]
    outs: [used]
"""


def test_a_stage_that_changes_its_own_params_fails(tmp_path: Path) -> None:
    cmd = "cat seed > tuned; echo 'lr: 2' > params.yaml"
    made = workshop(tmp_path, PARAMS.replace("CMD", f'"{cmd}"'), {"seed": "1\n", "params.yaml": "lr: 1\nother: 1\n"})
    report = made.repro()
    assert decisions(report) == {"tune": "failed", "use": "skipped"}
    assert "params in 'params.yaml' were changed while the command ran" in str(row(report, "tune").why)
    assert not (made.root / "dvc.lock").exists()


def test_params_that_a_stage_writes_undeclared_are_recorded_by_the_next_as_it_reads_them(tmp_path: Path) -> None:
    cmd = "cat seed > tuned; (echo 'other: 2'; echo 'lr: .nan') > params.yaml"
    files = {"seed": "1\n", "params.yaml": "lr: .nan\nother: 1\n"}
    made = workshop(tmp_path, PARAMS.replace("CMD", f'"{cmd}"'), files)
    assert decisions(made.repro()) == {"tune": "ran", "use": "ran"}
    assert "other: 2" in made.read("dvc.lock")


@pytest.mark.parametrize(("out", "writer"), [("first.o", "first"), ("data", "data.dvc")])
def test_a_stage_that_changes_an_out_that_is_not_its_own_fails_or_fails_the_other(
    out: str, writer: str, tmp_path: Path, dvc: environment.Program
) -> None:
    other = f"  other:\n    cmd: cat tail > other.o; echo evil > {out}\n    deps: [tail]\n    outs: [other.o]\n"
    made = workshop(tmp_path, CHAIN + other, SEEDS)
    made.put({"data": "1\n"})
    dvc("add", "-q", "data", cwd=made.root)
    report = made.run(push="always")
    assert report.exit_code == 3
    why = f"{out}, written by {writer}, was changed by the command of another stage"
    assert row(report, writer).why == why, "it may have been any of three"
    made.put({"dvc.yaml": CHAIN + other.replace("evil", "worse"), out: None})
    report = made.run(push="always")
    assert row(report, "other").why == why, "it was no other"


# What cannot be read or written

SHAPES: dict[str, Callable[[Path], None]] = {
    "is not a regular file": os.mkfifo,
    "is not a regular file (folder)": Path.mkdir,
    "cannot be read: Too many levels of symbolic links": lambda place: place.symlink_to(place.name),
}


@pytest.mark.parametrize("name", ["params.yaml", "dvc.lock"])
@pytest.mark.parametrize("why", SHAPES)
def test_a_file_that_is_no_file_is_told_and_not_waited_for(why: str, name: str, tmp_path: Path) -> None:
    made = workshop(tmp_path, PARAMS.replace("CMD", "cat seed > tuned"), {"seed": "1\n", "params.yaml": "lr: 1\n"})
    (made.root / name).unlink(missing_ok=True)
    SHAPES[why](made.root / name)
    with pytest.raises(ConfigError, match=f"{name} {why.removesuffix(' (folder)')}"):
        made.plan()


def test_a_stage_with_an_empty_cmd_is_not_recorded_as_dvc_does_not_either(
    tmp_path: Path, dvc: environment.Program
) -> None:
    made = workshop(tmp_path, 'stages:\n  make:\n    cmd: ""\n    outs: [o]\n')
    made.put({"o": "1\n"})
    dvc("repro", cwd=made.root, exits=255)
    report = made.repro()
    assert decisions(report) == {"make": "failed"}
    assert "its cmd is empty" in str(row(report, "make").why)
    assert not (made.root / "dvc.lock").exists()


def test_a_gitignore_that_cannot_be_written_ends_the_walk_in_words(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages:\n  make:\n    cmd: mkdir .gitignore; echo 1 > o\n    outs: [o]\n")
    report = made.repro()
    assert decisions(report) == {"make": "failed"}
    assert row(report, "make").why == ".gitignore cannot be read: Is a directory"
