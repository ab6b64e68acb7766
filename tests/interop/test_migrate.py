"""`retrain migrate`: real DVC 3 refuses the project before, and finds it up to date after."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.engine import migrating
from runner.pipeline import files, migration
from tests.interop.projects import DVC_GITIGNORE, commit, git, put
from tests.interop.traces import records, workspace
from tests.support import legacy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a project of stage files that DVC 2.58 has run."""
    root = tmp_path / "project"
    legacy.lay_out(root, "stages", legacy.RAN)
    git(root, "init", "--quiet", "-b", "main")
    put(root, {".dvc/config": "", ".dvc/.gitignore": DVC_GITIGNORE})
    commit(root)
    return root


def test_dvc_3_takes_the_project_as_up_to_date(root: Path, sides: Sides) -> None:
    assert "extra keys not allowed" in sides.dvc.ask(root, "status").err
    before = sides.retrain.plan(root)
    moved = sides.retrain.ask(root, "migrate", "--json").json["stages"]
    assert moved == {"prepare.dvc": "prepare", "copy.dvc": "copy", "folder.dvc": "folder", "Dvcfile": "score"}
    assert sides.dvc.status(root) == {}
    after = sides.retrain.plan(root)
    assert {row["decision"] for row in after.values()} == {"fresh"}
    assert after.keys() == {moved.get(address, address) for address in before}
    written = records(root)
    assert "didn't change" in sides.dvc.run(root, "repro")
    assert records(root) == written


def test_dvc_3_and_we_run_what_changes_after_it_alike(root: Path, sides: Sides) -> None:
    sides.retrain.run(root, "migrate")
    put(root, {"words": legacy.files("stages", legacy.RAN_AGAIN)["words"]})
    ours = root.parent / "ours"
    shutil.copytree(root, ours, symlinks=True)
    sides.dvc.run(root, "repro", "--quiet")
    sides.retrain.run(ours, "repro")
    assert records(ours) == records(root)
    assert workspace(ours) == workspace(root)
    assert sides.dvc.status(ours) == {}


def test_a_dry_run_shows_it_and_writes_nothing(root: Path, sides: Sides) -> None:
    before = workspace(root)
    shown = sides.retrain.run(root, "migrate", "--dry-run")
    assert "+  prepare:" in shown.splitlines()
    assert "-cmd: sh count.sh words > counted" in shown.splitlines()
    assert workspace(root) == before


def test_what_cannot_be_migrated_leaves_everything_as_it_was(root: Path, sides: Sides) -> None:
    put(root, {"metric.dvc": "outs:\n- path: extra\n  metric: true\n"})
    before = workspace(root)
    done = sides.retrain.ask(root, "migrate")
    assert done.code == 2
    assert "metric.dvc:2:3: extra is a metric" in done.err
    assert workspace(root) == before


def test_a_second_time_there_is_nothing_to_do(root: Path, sides: Sides) -> None:
    sides.retrain.run(root, "migrate")
    assert "nothing to migrate" in sides.retrain.run(root, "migrate")


def begun(root: Path) -> migration.Migration:
    """Have a migration killed after it wrote the dvc.yaml: every stage is there twice."""

    def read(path: str) -> str | None:
        return (root / path).read_text() if (root / path).exists() else None

    names = [path.relative_to(root).as_posix() for path in (*root.rglob("*.dvc"), root / "Dvcfile") if path.is_file()]
    made = migration.migrate(files.load(names, read), read)
    migrating.begin(root, made)
    put(root, {"dvc.yaml": made.written["dvc.yaml"]})
    return made


def test_a_migration_that_was_killed_is_finished_the_next_time(root: Path, sides: Sides) -> None:
    begun(root)
    assert sides.retrain.ask(root, "plan").code == 2
    sides.retrain.run(root, "migrate")
    assert not (root / "Dvcfile").exists()
    assert sides.dvc.status(root) == {}
    assert not (root / ".dvc" / "tmp" / "retrain" / "migration.json").exists()


def test_a_migration_that_was_killed_is_given_up_where_a_file_changed_since(root: Path, sides: Sides) -> None:
    made = begun(root)
    put(root, {"dvc.yaml": f"# ours\n{made.written['dvc.yaml']}"})
    before = workspace(root)
    done = sides.retrain.ask(root, "migrate")
    assert done.code == 2
    assert "given up, as dvc.yaml changed since" in done.err
    assert workspace(root) == before
