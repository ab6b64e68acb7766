"""What changed of the data, where each out comes from, and the plots: a real project, run twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner.hashes import Hash, Tree
from runner.pipeline.model import Dep, LockedPath, LockEntry, Out, Stage
from runner.pipeline.pipeline import Pipeline
from runner.review import plots, provenance, sides
from runner.review.changed import DataRow, FileRow, Ingredient
from runner.review.model import Report, StageRow
from runner.review.report import Commit
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from runner.review.changed import PlotRow

OLD, NEW = Hash("a" * 32 + ".dir"), Hash("b" * 32 + ".dir")
TREES = {
    OLD: Tree.of([("keep", "1" * 32), ("gone", "2" * 32), ("other", "3" * 32)]),
    NEW: Tree.of([("keep", "1" * 32), ("new", "2" * 32), ("other", "4" * 32)]),
}


def pipeline(*, folder: Hash | None, code: str, rate: float) -> Pipeline:
    """Give a pipeline of a stage that reads a file of code and a param, and writes a directory and a model."""
    stage = replace(
        Stage("fit", "dvc.yaml", "fit", "python fit.py", "."),
        outs=(Out("folder", "folder"), Out("model.pkl", "model.pkl")),
        deps=(Dep("fit.py", "fit.py"),),
    )
    outs = (LockedPath("folder", folder, 30, 3), LockedPath("model.pkl", Hash(code[::-1]), 7))
    entry = LockEntry("python fit.py", (LockedPath("fit.py", Hash(code)),), {"params.yaml": {"rate": rate}}, outs)
    return Pipeline((stage,), {"fit": entry})


BASE = pipeline(folder=OLD, code="5" * 31 + "6", rate=0.1)
HEAD = pipeline(folder=NEW, code="7" * 31 + "8", rate=0.2)
REPORT = Report(version="1", verdict="passed", exit_code=0, command="", head=Commit(sha="c" * 40))


def traced(head: Pipeline = HEAD, base: Pipeline | None = BASE) -> Report:
    return provenance.traced(REPORT, head, base, TREES.get)


def test_a_directory_that_changed_says_which_files_did() -> None:
    folder, model, code = traced().data
    assert folder == DataRow(
        path="folder",
        change="changed",
        base=OLD.value,
        head=NEW.value,
        base_bytes=30,
        head_bytes=30,
        added=1,
        changed=1,
        removed=1,
        files=(FileRow("gone", "removed"), FileRow("new", "added"), FileRow("other", "changed")),
    )
    assert (model.path, model.kind, model.change) == ("model.pkl", "model", "changed")
    assert (code.path, code.kind, code.added) == ("fit.py", "code", None)


def test_a_listing_that_nobody_has_leaves_the_numbers_out() -> None:
    row = provenance.traced(REPORT, HEAD, BASE, lambda _: None).data[0]
    assert (row.path, row.added, row.files) == ("folder", None, ())


def test_what_came_and_what_went_is_told() -> None:
    blank = replace(BASE, stages=(replace(BASE.stages[0], outs=BASE.stages[0].outs[:1]),))
    assert [(row.path, row.change) for row in traced(HEAD, blank).data][1] == ("model.pkl", "added")
    assert [(row.path, row.change) for row in traced(blank, BASE).data][-1] == ("model.pkl", "removed")
    assert traced(BASE).data == traced(HEAD, None).data == ()


def test_lineage_names_everything_that_went_in_and_what_of_it_changed() -> None:
    (row,) = traced().lineage
    assert (row.outs, row.stage, row.how, row.commit) == (
        ("folder", "model.pkl"),
        "fit",
        "recorded in the lock",
        "c" * 40,
    )
    assert row.ingredients == (
        Ingredient("fit.py", "code", "7" * 31 + "8", "5" * 31 + "6", changed=True),
        Ingredient("params.yaml:rate", "param", "0.2", "0.1", changed=True),
    )


@pytest.mark.parametrize(
    ("decision", "how"),
    [("ran", "ran here"), ("restored", "restored from an earlier run"), ("fresh", "recorded in the lock")],
)
def test_a_stage_of_this_run_says_what_it_did_and_shows_its_files(decision: str, how: str) -> None:
    report = provenance.with_stages(traced(), [StageRow(stage="fit", decision=decision)], HEAD)  # type: ignore[arg-type]  # one of them
    assert report.lineage[0].how == how
    (stage,) = report.stages
    assert stage.cmd == "python fit.py"
    assert [(one.path, one.kind, one.bytes, one.files) for one in (*stage.deps, *stage.outs)] == [
        ("fit.py", "code", None, None),
        ("folder", "data", 30, 3),
        ("model.pkl", "model", 7, None),
    ]


def test_times_are_those_of_this_run_else_of_the_run_that_made_what_there_is() -> None:
    known = {id(HEAD.entries["fit"]): 5.0, id(BASE.entries["fit"]): 7.0}

    def lookup(entry: LockEntry, /, *, near: bool) -> float | None:
        assert near == (decision == "fresh")
        return known[id(entry)]

    for decision, seconds, told in (
        ("fresh", None, (5.0, 7.0)),
        ("restored", None, (5.0, 7.0)),
        ("ran", 2.0, (2.0, 7.0)),
    ):
        rows = [StageRow(stage="fit", decision=decision, seconds=seconds)]  # type: ignore[arg-type]  # one of them
        report = provenance.timed(provenance.with_stages(REPORT, rows, HEAD), HEAD, BASE, lookup)
        assert (report.stages[0].recorded_seconds, report.stages[0].base_seconds) == told


PLOTTED = """\
stages:
  draw:
    cmd: sh draw.sh
    deps: [draw.sh]
    outs: [secret]
    plots:
    - fine.csv
    - lost.csv: {x: lost}
    - unnamed.csv: {template: nope}
    - broken.csv: {template: broken}
    - nowhere.csv: {template: nowhere}
    - outside.csv: {template: ../outside}
    - listed.csv: {template: /etc/hostname}
    - empty.csv: {header: false}
    - big.png
    - many
"""
DRAW = """\
mkdir -p many; echo hidden > secret
for f in fine lost unnamed broken nowhere outside listed; do printf 'a,b\\n1,2\\n' > $f.csv; done
: > empty.csv; head -c 3000000 /dev/zero > big.png
for n in $(seq 120); do printf 'a\\n1\\n' > many/$n.csv; done
"""
FILES = {
    "draw.sh": DRAW,
    ".dvc/plots/broken.json": '{"mark": "line",\n "data": <DVC_METRIC_DATA>}',
    ".dvc/plots/nowhere.json": '{"mark": "line"}',
    "../outside.json": "{}",
}
WHY = {
    "fine.csv": "",
    "lost.csv": "lost.csv has no field 'lost', only a, b",
    "unnamed.csv": "there is no plot template 'nope'",
    "broken.csv": ".dvc/plots/broken.json:2:10: the template is not JSON: Expecting value",
    "nowhere.csv": ".dvc/plots/nowhere.json: the template has no <DVC_METRIC_DATA>",
    "outside.csv": "there is no plot template '../outside'",
    "listed.csv": "there is no plot template '/etc/hostname'",
    "empty.csv": "there is no data to draw",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PlotRow]:
    """Give the plots of a project, of the working tree and of its first commit."""
    made: Workshop = finished(tmp_path_factory.mktemp("plotted"), PLOTTED, FILES)
    opened = made.open()
    objects = opened.project.objects
    head = sides.working(opened.root, opened.project.pipeline, objects)
    base = sides.committed(opened.git, opened.prefix, made.git("rev-parse", "HEAD"), objects)
    rows = plots.gathered(head, base)
    opened.close()
    return {row.id: row for row in rows}


@pytest.mark.parametrize("name", WHY)
def test_a_plot_that_cannot_be_drawn_says_why_and_where(drawn: dict[str, PlotRow], name: str) -> None:
    assert drawn[name].why == WHY[name]
    assert bool(drawn[name].spec) == (not WHY[name])


def test_plots_are_bounded_in_number_and_size(drawn: dict[str, PlotRow]) -> None:
    assert len(drawn) == plots.MOST_PLOTS
    assert [one.why for one in drawn["big.png"].pictures] == ["big.png has more than 2 MiB"] * 2
    assert not drawn["fine.csv"].changed
