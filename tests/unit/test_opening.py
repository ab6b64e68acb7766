"""What a verb starts from: a project with its parts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.engine.committed import Committed
from runner.errors import ConfigError
from tests.support.pipelines import CONFIG, MAKE, Workshop, pull_request, workshop

if TYPE_CHECKING:
    from pathlib import Path


def test_a_project_may_lie_in_a_folder_of_its_repository(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"x": ""})
    made.put({"deep/er/.dvc/config": "", "deep/er/dvc.yaml": MAKE, "deep/er/sub/x": ""})
    inner = Workshop(made.root / "deep" / "er", made.environ)
    with inner.opened(working_directory=str(inner.root / "sub")) as opened:
        assert (opened.root, opened.prefix, opened.git.root) == (inner.root, "deep/er/", made.root)
        assert opened.project.cwd == "sub"
    assert inner.plan() == {"make": "run"}


def test_verbs_that_need_a_project_say_so_and_a_gate_does_not(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"retrain.yaml": "gates: []\n"})
    shutil.rmtree(made.root / ".dvc")
    with pytest.raises(ConfigError, match="not inside a DVC project"):
        made.open("plan")
    with made.opened("gate") as opened:
        assert opened.found is None
        assert opened.root == made.root


def test_the_cache_is_where_the_configuration_says(made: Workshop, tmp_path: Path) -> None:
    made.put({".dvc/config.local": "[cache]\n    dir = ../../shared\n"})
    with made.opened() as opened:
        assert opened.project.cache.root == tmp_path / "shared"


def test_how_templates_make_options_is_the_checkouts_configuration_and_holds_for_its_base(
    made: Workshop, tmp_path: Path
) -> None:
    made.put({"dvc.yaml": "vars: [{d: {f: false}}]\nstages: {s: {cmd: 'echo ${d}'}}\n"})
    made.commit()
    with made.opened() as opened:
        assert opened.project.pipeline.stages[0].cmd == "echo "
    job = pull_request(made, tmp_path)
    job.put({".dvc/config": f"{CONFIG}[parsing]\n    bool = boolean_optional\n"})
    with job.opened() as opened:
        assert opened.project.pipeline.stages[0].cmd == "echo --no-f"
        then = Committed(opened.git, opened.prefix, opened.git.head(), opened.project.unpacking).pipeline
        assert then
        assert then.stages[0].cmd == "echo --no-f"


@pytest.mark.parametrize("name", ["retrain.yaml", ".dvc/config"])
def test_a_file_that_never_ends_is_refused_and_not_read(name: str, made: Workshop) -> None:
    (made.root / name).unlink(missing_ok=True)
    (made.root / name).symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=f"{name} is not a regular file"):
        made.open()


def test_before_the_first_commit_a_plan_is_made_all_the_same(tmp_path: Path) -> None:
    made = workshop(tmp_path, MAKE)
    made.git("update-ref", "-d", "HEAD")
    assert made.plan() == {"make": "run"}
    with made.opened("plan") as opened:
        assert (opened.asked.head.sha, opened.asked.base) == ("", None)
