"""Files of directories that are not here: put in place for the stages that read them, and taken back."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from runner.engine.bringing import Bringing
from runner.errors import Exit
from tests.support.lending import FILES, PIPELINE, RAW, drawn, edited, end, journals
from tests.support.pipelines import Workshop, decisions, finished, row

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def clone(tmp_path: Path) -> Workshop:
    """Give a fresh clone, with no data, in which the stages that read single files are stale."""
    made = finished(tmp_path, PIPELINE, FILES).clone("clone")
    made.put({"tail": "changed\n"})
    return made


def assert_as_before(made: Workshop, folder: str = "raw") -> None:
    """See that nothing of a directory is here, and nothing says that it was."""
    assert not os.path.lexists(made.root / folder)
    assert journals(made) == []
    assert f'"pid": {os.getpid()}' not in (made.root / ".dvc/tmp/rwlock").read_text()


def test_the_files_that_stages_name_are_fetched_and_no_other(clone: Workshop) -> None:
    assert clone.planned_pull() == (3, 6)
    report = clone.repro()
    assert decisions(report)["one"] == decisions(report)["inner"] == "ran"
    assert decisions(report)["whole"] == decisions(report)["raw.dvc"] == "fresh"
    assert (report.pulled.objects, report.pulled.bytes) == (3, 6)
    assert (clone.read("one.o"), clone.read("inner.o")) == ("a\nchanged\n", "c\nd\nchanged\n")
    assert_as_before(clone)
    assert set(clone.plan().values()) == {"fresh"}


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_a_stage_that_takes_the_directory_completes_it(clone: Workshop, jobs: str) -> None:
    clone.put({"rest": "more\n"})
    report = clone.repro(jobs=jobs)
    assert decisions(report)["whole"] == "ran"
    assert {f"raw/{name}": clone.read(f"raw/{name}") for name in clone.names("raw")} == RAW
    assert_as_before(clone, "made")
    assert clone.git("status", "--short").split() == ["M", "dvc.lock", "M", "rest", "M", "tail"]
    assert set(clone.plan().values()) == {"fresh"}


def test_the_producing_stage_runs_no_second_time_because_its_out_was_lent(clone: Workshop) -> None:
    text = clone.read("dvc.yaml") + "  z: {cmd: cat made/sub/z > z.o, deps: [made/sub/z], outs: [z.o]}\n"
    clone.put({"dvc.yaml": text})
    for _ in range(2):
        assert decisions(clone.repro())["make"] == "fresh"
        assert_as_before(clone, "made")


def test_a_file_that_nobody_has_is_made_again_by_its_stage(tmp_path: Path) -> None:
    made = finished(tmp_path, PIPELINE, FILES)
    gone = made.objects("made")[1:]
    clone = made.clone("clone")
    text = clone.read("dvc.yaml") + "  z: {cmd: cat made/sub/z > z.o, deps: [made/sub/z], outs: [z.o]}\n"
    clone.put({"dvc.yaml": text, "tail": "changed\n"})
    for key in gone:
        (made.remote / key).unlink()
    assert clone.plan()["make"] == "run"
    report = clone.repro()
    assert decisions(report)["make"] == "ran"
    assert clone.read("z.o") == "z\n"
    assert_as_before(clone)


@pytest.mark.parametrize(
    ("command", "said", "kept"),
    [
        ("echo more >> raw/a", "dependency 'raw/a' was changed while the command ran", ["a"]),
        ("rm raw/a", "dependency 'raw/a' was changed while the command ran", []),
        ("echo new > raw/new", "raw, of which stages read files, was changed", ["new"]),
    ],
)
def test_a_command_that_changes_what_it_was_lent_fails_and_nothing_of_it_is_lost(
    clone: Workshop, command: str, said: str, kept: list[str]
) -> None:
    clone.put({"dvc.yaml": clone.read("dvc.yaml").replace("cat raw/a", f"{command}; cat seed")})
    before = clone.read("raw.dvc")
    report = clone.repro("one")
    assert report.exit_code == Exit.STAGE
    assert said in "".join(row.why for row in report.stages)
    assert clone.read("raw.dvc") == before
    assert_as_before(clone)
    assert [place.name for place in (clone.root / ".dvc/tmp/retrain").glob("left-*/raw/*")] == kept


def test_what_dvc_does_not_see_there_is_kept_elsewhere_and_fails_nobody(clone: Workshop) -> None:
    clone.put(
        {
            ".dvcignore": "*.log\n",
            "dvc.yaml": clone.read("dvc.yaml").replace("cat raw/a", "echo l > raw/x.log; cat raw/a"),
        }
    )
    assert clone.repro("one").exit_code == 0
    assert_as_before(clone)
    assert [place.read_text() for place in (clone.root / ".dvc/tmp/retrain").glob("left-*/raw/x.log")] == ["l\n"]


@pytest.mark.parametrize("kind", ["hardlink", "symlink", "copy"])
def test_whatever_is_shared_with_the_cache_stays_there(clone: Workshop, kind: str) -> None:
    clone.put({".dvc/config.local": f"[cache]\n    type = {kind}\n"})
    assert clone.repro().exit_code == 0
    assert (clone.read("one.o"), clone.read("inner.o")) == ("a\nchanged\n", "c\nd\nchanged\n")
    assert_as_before(clone)
    clone.pull("raw")
    assert clone.names("raw") == {"a", "b", "sub/c", "sub/d"}


def test_a_failed_stage_leaves_nothing_of_what_it_was_lent(clone: Workshop) -> None:
    clone.put({"dvc.yaml": clone.read("dvc.yaml").replace("cat raw/a", "false; exit 3; cat raw/a")})
    assert clone.repro().exit_code == Exit.STAGE
    assert_as_before(clone)


def test_a_broken_object_is_fetched_anew(clone: Workshop) -> None:
    clone.repro("one")
    key = clone.objects("raw")[1]
    place = clone.root / ".dvc/cache" / key
    place.chmod(0o644)
    place.write_text("wrong\n")
    clone.put({"tail": "again\n"})
    assert clone.repro("one").exit_code == 0
    assert clone.read("one.o") == "a\nagain\n"
    assert_as_before(clone)


def killed_while_lent(clone: Workshop) -> None:
    """Kill a run while its command reads a file that was lent."""
    text = clone.read("dvc.yaml")
    clone.put({"dvc.yaml": text.replace("cat raw/a", "touch ../started; sleep 30; cat raw/a")})
    command = [sys.executable, "-I", "-m", "runner", "repro", "one"]
    with subprocess.Popen(command, cwd=clone.root, env=clone.environ, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and not (clone.root.parent / "started").exists():
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
    clone.put({"dvc.yaml": text})
    assert clone.read("raw/a") == "a\n"
    assert len(journals(clone)) == 1


def test_a_part_that_a_killed_run_left_counts_for_nothing_and_is_taken_back(clone: Workshop) -> None:
    killed_while_lent(clone)
    assert clone.plan()["raw.dvc"] == "fresh"
    report = clone.repro()
    assert decisions(report)["raw.dvc"] == "fresh"
    assert decisions(report)["one"] == "ran"
    assert_as_before(clone)


def test_it_is_taken_back_by_a_run_that_has_nothing_to_do(clone: Workshop) -> None:
    killed_while_lent(clone)
    clone.put({"tail": "t\n"})
    assert set(decisions(clone.repro()).values()) == {"fresh"}
    assert_as_before(clone)


def test_a_directory_that_was_brought_whole_meanwhile_is_not_lent(clone: Workshop) -> None:
    with clone.opened() as opened:
        project, keeping = opened.project, opened.project.keeping()
        bringing = Bringing(project.known(), project.workspace, project.objects, lambda: keeping)
        one, whole = (bringing.inputs(project.pipeline.stage(name), lends=True) for name in ("one", "whole"))
        bringing.bring(whole)
        bringing.bring(one)
        assert project.workspace.lent("raw") is None
        assert project.workspace.lent("made") == frozenset({"made/x"})
        keeping.lending.take_all_back()
    assert journals(clone) == []
    assert clone.names("raw") == {"a", "b", "sub/c", "sub/d"}


def test_an_edit_of_what_a_killed_run_left_is_kept(clone: Workshop) -> None:
    killed_while_lent(clone)
    clone.put({"raw/a": "edited\n"})
    before = clone.read("raw.dvc")
    assert clone.repro().exit_code == 0
    assert clone.read("raw.dvc") == before
    assert [place.read_text() for place in (clone.root / ".dvc/tmp/retrain").glob("left-*/raw/a")] == ["edited\n"]
    assert_as_before(clone)


def test_a_directory_made_whole_after_a_kill_is_nobodys_loan(clone: Workshop) -> None:
    killed_while_lent(clone)
    clone.put(RAW)
    assert decisions(clone.repro())["raw.dvc"] == "fresh"
    assert clone.names("raw") == {"a", "b", "sub/c", "sub/d"}
    assert journals(clone) == []


def test_a_directory_that_git_has_by_now_is_nobodys_loan(clone: Workshop) -> None:
    killed_while_lent(clone)
    shutil.rmtree(clone.root / "raw")
    text = "stages:\n  one: {cmd: cat raw/a tail > one.o, deps: [raw/a, tail], outs: [one.o]}\n"
    clone.put({"raw.dvc": None, ".gitignore": "", "dvc.yaml": text, **RAW, "raw/b": "other\n"})
    clone.commit("Keep it in git")
    assert clone.repro().exit_code == 0
    assert clone.names("raw") == {"a", "b", "sub/c", "sub/d"}
    assert clone.git("status", "--short", "raw") == ""


def test_without_the_journal_the_part_is_never_recorded_as_the_directory(clone: Workshop) -> None:
    killed_while_lent(clone)
    shutil.rmtree(clone.root / ".dvc/tmp")
    before = clone.read("raw.dvc")
    report = clone.repro()
    assert report.exit_code == Exit.STAGE
    assert "raw lacks 3 of the files that raw.dvc records" in row(report, "raw.dvc").why
    assert clone.read("raw.dvc") == before
    clone.pull("raw")
    assert decisions(clone.repro())["raw.dvc"] == "fresh"


def test_a_directory_of_which_one_file_was_pulled_is_not_recorded_and_one_with_deleted_files_is(
    clone: Workshop,
) -> None:
    clone.pull("raw/a")
    assert clone.repro("raw.dvc").exit_code == Exit.STAGE
    clone.pull("raw")
    clone.put({"raw/b": None})
    assert decisions(clone.repro("raw.dvc")) == {"raw.dvc": "recorded"}
    assert len(clone.objects("raw")) == 4


def test_another_command_meanwhile_takes_the_directory_for_absent(clone: Workshop) -> None:
    clone.put({"dvc.yaml": clone.read("dvc.yaml").replace("cat raw/a", "$RETRAIN plan --json > ../seen; cat raw/a")})
    retrain = f"{sys.executable} -I -m runner"
    clone.put({"dvc.yaml": clone.read("dvc.yaml").replace("$RETRAIN", retrain)})
    assert clone.repro("one").exit_code == 0
    seen = json.loads((clone.root.parent / "seen").read_text())
    assert {step["stage"]: step["decision"] for step in seen["stages"]}["raw.dvc"] == "fresh"


# Random pipelines: the same end as with everything in place


@pytest.mark.parametrize("seed", range(8))
def test_a_run_that_is_lent_files_ends_as_one_with_everything_in_place(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    origin = finished(tmp_path, drawn(draw), FILES)
    lent, whole = origin.clone("lent"), origin.clone("whole")
    whole.pull()
    for name in ("one", "two"):
        edited(draw, [lent, whole])
        jobs, targets = draw.choice(["1", "4"]), draw.choice([[], ["s1"]])
        (*ours, our_outs), (*theirs, their_outs) = (
            end(made, made.repro(*targets, jobs=jobs)) for made in (lent, whole)
        )
        assert ours == theirs, name
        assert ours[0] == 0, name
        assert our_outs.items() <= their_outs.items()
        for folder, all_of_it in (("raw", whole.names("raw")), ("made", whole.names("made"))):
            assert lent.names(folder) in (set(), all_of_it)
        assert journals(lent) == []
