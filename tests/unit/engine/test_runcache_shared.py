"""The run cache that clones share through a remote: what is asked of it, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine import records
from runner.pipeline import lock
from tests.support import nginx
from tests.support.pipelines import Workshop, decisions, row, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  train:
    cmd: echo train >> ../journal; cat data > model; cat data > loss.csv; printf '{"n":%s}' $(cat data) > m.json
    deps: [data]
    outs: [model]
    metrics: [{m.json: {cache: false}}]
    plots: [{loss.csv: {cache: false}}]
"""


@pytest.fixture(params=["directory", "http"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    """Give a project with a run pushed to a remote that lists, or to one that cannot, and the lock not committed."""
    made = workshop(tmp_path, PIPELINE, {"data": "1\n"})
    if request.param == "directory":
        yield _pushed(made)
        return
    (tmp_path / "web").mkdir()
    with nginx.nginx(tmp_path / "web") as server:
        url = server.remote("shared").url
        made.put({".dvc/config": f"[core]\n    remote = web\n['remote \"web\"']\n    url = {url}\n    method = PUT\n"})
        made.commit("Elsewhere")
        yield _pushed(made)


def _pushed(made: Workshop) -> Workshop:
    report = made.run(push="always")
    assert report.exit_code == 0, report
    assert made.journal == ["train"]
    return made


def test_a_clone_restores_what_another_ran_uncached_metrics_and_plots_too(shared: Workshop) -> None:
    clone = shared.clone("clone")
    assert clone.plan() == {"train": "restore"}
    assert decisions(clone.repro()) == {"train": "restored"}
    assert clone.journal == []
    assert [clone.read(path) for path in ("model", "loss.csv", "m.json")] == ["1\n", "1\n", '{"n":1}']


@pytest.mark.parametrize("again", ["run", "push"])
def test_a_push_that_was_killed_before_it_named_the_record_is_made_good_by_the_next(
    again: str, shared: Workshop
) -> None:
    for named in shared.root.parent.glob("web/**/first"):
        named.unlink()
    (record,) = (shared.root / ".dvc/cache/runs").glob("*/*/*")
    shared.put({".dvc/tmp/retrain/unpushed": f"{record.relative_to(shared.root / '.dvc/cache')}\n"})
    shared.run(push="always") if again == "run" else shared.push()
    assert shared.clone("clone").plan() == {"train": "restore"}


def test_only_the_wanted_record_is_fetched(shared: Workshop) -> None:
    for number in range(2, 6):
        shared.put({"data": f"{number}\n"})
        assert shared.run(push="always").exit_code == 0
    clone = shared.clone("clone")
    clone.put({"data": "3\n"})
    fetched = []
    with clone.opened() as opened:
        runs = opened.project.runs
        download = runs._download

        def noted(name: str) -> bytes:
            fetched.append(name.split("/")[2])
            return download(name)

        runs._download = noted  # type: ignore[method-assign]
        stage = opened.project.pipeline.stage("train")
        entry = runs.lookup(stage, opened.project.known().now(stage, ()))
    assert entry
    assert fetched == [records.key(lock.entry_data(entry))]


def test_the_first_of_several_runs_is_the_one_that_every_clone_restores(shared: Workshop) -> None:
    shared.put({"dvc.yaml": PIPELINE.replace("cat data > model", "date +%N > model")})
    shared.commit("By chance")
    seen = set()
    for _ in range(3):
        assert row(shared.run(push="always", force="true"), "train").decision == "ran"
    for name in ("one", "two"):
        clone = shared.clone(name)
        clone.repro()
        seen.add(clone.read("model"))
    assert len(seen) == 1


def test_no_run_cache_asks_for_no_record(shared: Workshop) -> None:
    clone = shared.clone("clone")
    assert decisions(clone.repro(run_cache="false")) == {"train": "ran"}
