"""Stages side by side: whatever takes how long, the end is the end of one after the other."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.errors import Exit, Location
from tests.support.pipelines import Workshop, decisions, finished, row, workshop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

# Writes an out from what it reads, in two parts with a pause between, unless it is alone; an input without its second
# part comes too early.
SCRIPT = """\
set -e
echo "$DVC_STAGE" >> ../journal
out=$1; pause=$2; lines=$3; shift 3
for input in "$@"; do test "$(tail -n 1 $input)" = end; done
{ echo $out; cat /dev/null "$@" | grep -v end | head -n $lines; } > $out
test -e ../alone || sleep $pause
echo end >> $out
"""
FILES = {"seed": "1\nend\n", "other": "2\nend\n", "work.sh": SCRIPT}


def drawn(seed: int) -> str:
    """Draw a pipeline: each stage reads seeds and outs of stages before it, in any folder of the list."""
    draw = random.Random(seed)
    stages, made = [], ["seed", "other"]
    for number in range(draw.randint(3, 9)):
        reads = draw.sample(made, draw.randint(0 if number else 1, min(3, len(made))))
        out = f"{draw.choice(['o', 'p', 'q'])}{number}.o"
        pause, lines = draw.choice([0, 0.01, 0.05, 0.2]), draw.choice([1, 2, 50])
        cmd = f"sh work.sh {out} {pause} {lines} {' '.join(reads)}"
        deps = f", deps: [{', '.join([*reads, 'work.sh'])}]"
        stages.append(f"  s{draw.randint(0, 99)}x{number}: {{cmd: {cmd}{deps}, outs: [{out}]}}\n")
        made.append(out)
    draw.shuffle(stages)
    return "stages:\n" + "".join(stages)


def end_state(made: Workshop) -> dict[str, str]:
    return {name: made.read(name) for name in sorted(made.names()) if name != "journal"}


@pytest.mark.parametrize("seed", range(12))
def test_several_at_once_end_as_one_after_the_other_and_no_stage_reads_what_is_half_written(
    tmp_path: Path, seed: int
) -> None:
    ends = []
    for name, jobs in (("alone", "1"), ("together", "4")):
        (tmp_path / name).mkdir()
        made = workshop(tmp_path / name, drawn(seed), FILES)
        (tmp_path / name / name).touch()
        reports = [made.repro(jobs=jobs)]
        made.put({"seed": "1\nmore\nend\n"})
        reports.append(made.repro(jobs=jobs))
        made.put({"other": "3\nend\n"})
        reports.append(made.repro(jobs=jobs, keep_going="true"))
        ends.append((end_state(made), [decisions(report) for report in reports], sorted(made.journal)))
    assert ends[0] == ends[1]
    assert set(ends[0][1][0].values()) == {"ran"}


def started_at_once(names: str) -> str:
    """Give the text of stages that all have to be at work before any of them ends."""
    wait = f"touch ../$DVC_STAGE.up; for name in {names}; do while ! [ -e ../$name.up ]; do sleep 0.01; done; done"
    return "stages:\n" + "".join(
        f"  {name}: {{cmd: '{wait}; echo {name} > {name}.o', outs: [{name}.o]}}\n" for name in names.split()
    )


def test_as_many_run_at_once_as_jobs_says(tmp_path: Path) -> None:
    report = workshop(tmp_path, started_at_once("a b c d")).repro(jobs="4")
    assert set(decisions(report).values()) == {"ran"}


def test_a_stage_that_asks_for_more_than_there_is_runs_alone_and_is_told_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = "test ! -e ../up || exit 1; touch ../up; sleep 0.1; rm ../up; touch $DVC_STAGE.o"
    big = "meta: {resources: {memory: 900 TB}}"
    text = "stages:\n" + "".join(f"  {name}: {{cmd: '{alone}', outs: [{name}.o], {big}}}\n" for name in ("a", "b", "c"))
    made = workshop(tmp_path, text)
    assert set(decisions(made.repro(jobs="4")).values()) == {"ran"}
    assert caplog.text.count("of memory: it runs alone") == 3


def test_a_wrong_wish_ends_the_run_before_anything_is_done(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages:\n  a: {cmd: echo a >> ../journal, outs: [a.o], meta: {timeout: soon}}\n")
    report = made.repro()
    assert report.exit_code == 2
    assert report.error
    assert report.error.where == Location("dvc.yaml", 2, 3)
    assert made.journal == []


FAILING = """\
stages:
  bad: {cmd: 'while ! [ -e ../slow.up ]; do sleep 0.01; done; exit 7', outs: [bad.o]}
  slow: {cmd: 'touch ../slow.up; sleep 0.5; echo slow > slow.o', outs: [slow.o]}
  later: {cmd: touch later.o, deps: [slow.o], outs: [later.o]}
  after: {cmd: touch after.o, deps: [bad.o], outs: [after.o]}
"""


def test_after_a_failure_what_runs_is_let_end_and_nothing_begins(tmp_path: Path) -> None:
    made = workshop(tmp_path, FAILING)
    report = made.repro(jobs="2")
    assert decisions(report) == {"bad": "failed", "slow": "ran", "later": "skipped", "after": "skipped"}
    assert report.exit_code == 3
    assert made.plan()["slow"] == "fresh"


def test_the_row_of_a_stage_that_failed_says_how_long_its_command_ran(tmp_path: Path) -> None:
    report = workshop(tmp_path, "stages:\n  slow: {cmd: 'sleep 0.01; exit 3', outs: [o]}\n").repro()
    assert row(report, "slow").seconds


def test_a_run_that_keeps_going_skips_what_depends_on_the_failure_alone(tmp_path: Path) -> None:
    report = workshop(tmp_path, FAILING).repro(jobs="2", keep_going="true")
    assert decisions(report) == {"bad": "failed", "slow": "ran", "later": "ran", "after": "skipped"}


def test_the_setup_runs_once_and_before_every_command(tmp_path: Path) -> None:
    needs = "test -e ../ready && touch $DVC_STAGE.o"
    text = "stages:\n" + "".join(f"  {name}: {{cmd: '{needs}', outs: [{name}.o]}}\n" for name in "abcd")
    made = workshop(tmp_path, text)
    report = made.repro(jobs="4", setup="echo setup >> ../journal; sleep 0.3; touch ../ready")
    assert set(decisions(report).values()) == {"ran"}
    assert made.journal == ["setup"]


def test_a_stage_that_changes_the_dep_of_one_that_runs_fails_it(tmp_path: Path) -> None:
    text = """\
stages:
  reader: {cmd: 'touch ../up; while ! [ -e ../changed ]; do sleep 0.01; done; cp seed r.o', deps: [seed], outs: [r.o]}
  writer: {cmd: 'while ! [ -e ../up ]; do sleep 0.01; done; echo x > seed; touch ../changed w.o', outs: [w.o]}
"""
    made = workshop(tmp_path, text, {"seed": "1\n"})
    report = made.repro(jobs="2")
    assert decisions(report)["reader"] == "failed"
    assert "'seed' was changed" in row(report, "reader").why
    assert made.plan()["reader"] == "run"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_stage_that_changes_the_dep_of_one_that_has_ended_fails(tmp_path: Path, jobs: str) -> None:
    text = """\
stages:
  reader: {cmd: 'cp seed r.o', deps: [seed], outs: [r.o]}
  writer: {cmd: 'while ! grep -qs reader: dvc.lock; do sleep 0.01; done; echo x > seed; touch w.o', outs: [w.o]}
"""
    report = workshop(tmp_path, text, {"seed": "1\n"}).repro(jobs=jobs)
    assert decisions(report) == {"reader": "ran", "writer": "failed"}
    assert "dependency 'seed' of stage reader was changed by the command of another stage" in row(report, "writer").why
    assert report.exit_code == Exit.STAGE


def test_a_dep_that_was_changed_before_is_not_laid_at_the_door_of_who_runs_while_its_stage_fails(
    tmp_path: Path,
) -> None:
    text = """\
stages:
  broken: {cmd: 'grep -q 1 seed && cp seed b.o', deps: [seed], outs: [b.o]}
  other: {cmd: 'cp more o.o', deps: [more], outs: [o.o]}
"""
    made = workshop(tmp_path, text, {"seed": "1\n", "more": "1\n"})
    made.repro()
    made.put({"seed": "2\n", "more": "2\n"})
    assert decisions(made.repro(keep_going="true")) == {"broken": "failed", "other": "ran"}


def test_a_stage_that_changes_the_out_of_another_fails_whoever_ends_first(tmp_path: Path) -> None:
    text = """\
stages:
  one: {cmd: 'echo 1 > one.o', outs: [one.o]}
  two: {cmd: 'while ! grep -qs one: dvc.lock; do sleep 0.01; done; echo 2 | tee one.o > two.o', outs: [two.o]}
"""
    report = workshop(tmp_path, text).repro(jobs="2")
    assert decisions(report) == {"one": "ran", "two": "failed"}
    assert "one.o, written by one" in row(report, "two").why


SLOW = """\
stages:
  first: {cmd: 'echo 1 > first.o', outs: [first.o]}
  second: {cmd: 'while ! ls ../remote/files/md5/*/* >&2; do sleep 0.05; done; echo 2 > second.o', outs: [second.o]}
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_stage_made_is_sent_while_others_run_if_it_is_to_be_pushed_in_any_case(
    tmp_path: Path, jobs: str
) -> None:
    made = workshop(tmp_path, SLOW)
    report = made.run(push="always", jobs=jobs, stage_timeout="30 s")
    assert decisions(report) == {"first": "ran", "second": "ran"}
    assert report.pushed.objects >= 2
    assert report.push.startswith("pushed")


def test_what_may_still_be_forbidden_is_not_sent_before_the_gates_are_judged(tmp_path: Path) -> None:
    text = SLOW.replace("while ! ls", "! ls").replace("; do sleep 0.05; done;", " &&")
    report = workshop(tmp_path, text).run(push="passed", jobs="1")
    assert decisions(report) == {"first": "ran", "second": "ran"}


AHEAD = """\
stages:
  make: {cmd: 'cp seed d.o', deps: [seed], outs: [d.o]}
  a: {cmd: 'while ! ls .dvc/cache/files/md5/*/* >&2; do sleep 0.05; done; cp tail a.o', deps: [tail], outs: [a.o]}
  b: {cmd: 'while ! ls .dvc/cache/files/md5/*/* >&2; do sleep 0.05; done; cp tail b.o', deps: [tail], outs: [b.o]}
  c: {cmd: 'cat d.o tail > c.o', deps: [d.o, tail], outs: [c.o]}
"""


def test_what_the_next_stage_reads_is_fetched_while_others_run(tmp_path: Path) -> None:
    clone = finished(tmp_path, AHEAD, {"seed": "1\n", "tail": "t\n"}).clone("clone")
    clone.put({"tail": "T\n"})
    report = clone.repro(jobs="2", stage_timeout="30 s")
    assert decisions(report) == {"make": "fresh", "a": "ran", "b": "ran", "c": "ran"}
    assert report.pulled.objects == 1


LOST = """\
stages:
  make: {cmd: 'echo make >> ../journal; cat seed > a.o; cat seed > b.o', deps: [seed], outs: [a.o, b.o]}
  left: {cmd: 'echo left >> ../journal; sleep 0.2; cat a.o l > l.o', deps: [a.o, l], outs: [l.o]}
  right: {cmd: 'echo right >> ../journal; cat b.o r > r.o', deps: [b.o, r], outs: [r.o]}
"""


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_what_nobody_has_is_made_again_when_who_reads_the_rest_of_it_has_ended(tmp_path: Path, jobs: str) -> None:
    made = workshop(tmp_path, LOST, {"seed": "1\n", "l": "l\n", "r": "r\n"})
    made.repro()
    for path in made.objects("b.o"):
        (made.root / ".dvc/cache" / path).unlink(missing_ok=True)
    made.put({"b.o": None, "l": "L\n", "r": "R\n"})
    made.journal  # noqa: B018 - forget what ran before
    report = made.repro(jobs=jobs)
    assert decisions(report) == {"make": "ran", "left": "ran", "right": "ran"}
    assert sorted(made.journal) == ["left", "make", "right"]
    assert (made.read("l.o"), made.read("r.o")) == ("1\nL\n", "1\nR\n")
    assert set(made.plan().values()) == {"fresh"}


def test_stages_at_once_see_different_gpus_and_one_that_asks_for_none_sees_them_as_they_were(tmp_path: Path) -> None:
    script = (
        "set -e\nmine=$(echo $CUDA_VISIBLE_DEVICES | tr , ' ')\n"
        "for gpu in $mine; do mkdir ../gpu-$gpu; done\nsleep 0.05\nfor gpu in $mine; do rmdir ../gpu-$gpu; done\n"
        "echo $CUDA_VISIBLE_DEVICES > $DVC_STAGE.o\n"
    )
    counts = {f"s{number}": 1 + number % 2 for number in range(8)}
    stages = [
        f"  {name}: {{cmd: sh use.sh, outs: [{name}.o], meta: {{resources: {{cpu: 0.1, gpu: {count}}}}}}}\n"
        for name, count in counts.items()
    ]
    plain = "  plain: {cmd: 'echo $CUDA_VISIBLE_DEVICES > plain.o', outs: [plain.o]}\n"
    made = workshop(tmp_path, f"stages:\n{''.join(stages)}{plain}", {"use.sh": script})
    made = replace(made, environ={**made.environ, "CUDA_VISIBLE_DEVICES": "0,GPU-b,3"})
    assert set(decisions(made.repro(jobs="4")).values()) == {"ran"}
    assert {name: len(made.read(f"{name}.o").split(",")) for name in counts} == counts
    assert made.read("plain.o") == "0,GPU-b,3\n"
