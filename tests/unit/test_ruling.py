"""The gate file that rules: the project's or the one named, and on a pull request the base's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import ruling
from runner.errors import ConfigError, ConfigErrors
from tests.support.pipelines import Workshop, pull_request

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("verb", ["gate", "run", "plan"])
def test_a_gate_file_that_would_not_be_read_is_an_error(verb: str, made: Workshop) -> None:
    made.put({"sub/retrain.yaml": "gates: []\n", "sub/deeper/x": "", "retrain.yaml": "gates: []\n"})
    for folder in ("sub", "sub/deeper"):
        with pytest.raises(
            ConfigError, match=r"sub/retrain\.yaml is not read: this project's gate file is retrain\.yaml"
        ):
            made.open(verb, working_directory=str(made.root / folder))
    with made.opened(verb, working_directory=str(made.root / "sub"), config="retrain.yaml") as opened:
        assert opened.root == made.root


def test_a_link_in_place_of_the_gate_file_does_not_lead_to_other_settings(made: Workshop, tmp_path: Path) -> None:
    made.put({"retrain.yaml": "push: never\n", "other.yaml": "push: always\n"})
    made.commit()
    (made.root / "retrain.yaml").unlink()
    (made.root / "retrain.yaml").symlink_to("other.yaml")
    job = pull_request(made, tmp_path)
    with job.opened("run") as opened:
        assert opened.asked.settings.push == "never"


def test_a_gate_file_that_is_a_link_at_the_base_is_followed_there(made: Workshop, tmp_path: Path) -> None:
    made.put({"gates/all.yaml": "push: never\n"})
    (made.root / "retrain.yaml").symlink_to("gates/all.yaml")
    made.commit()
    made.put({"gates/all.yaml": "push: always\n"})
    with pull_request(made, tmp_path).opened("run") as opened:
        assert opened.asked.settings.push == "never"


def test_a_pull_requests_gate_file_is_not_read_from_outside_of_the_repository(made: Workshop, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("password: secret\n")
    (made.root / "retrain.yaml").unlink(missing_ok=True)
    (made.root / "retrain.yaml").symlink_to("../credentials")
    job = pull_request(made, tmp_path)
    with pytest.raises(ConfigError, match="outside of the repository") as raised, job.opened("run"):
        pass
    assert "password" not in str(raised.value)


def test_the_gate_file_is_the_projects_and_one_that_is_named_is_found_from_where_it_starts(made: Workshop) -> None:
    made.put({"retrain.yaml": "jobs: 3\n", "sub/mine.yaml": "jobs: 5\n"})
    sub = str(made.root / "sub")
    for flags, jobs in (
        ({}, 3),
        ({"working_directory": sub}, 3),
        ({"working_directory": sub, "config": "mine.yaml"}, 5),
        ({"config": "sub/mine.yaml"}, 5),
        ({"config": str(made.root / "sub" / "mine.yaml")}, 5),
        ({"config": "sub/mine.yaml", "jobs": "9"}, 9),
    ):
        with made.opened(**flags) as opened:
            assert opened.asked.settings.jobs == jobs
    settings = ruling.settings_alone({"working-directory": sub}, made.environ)
    assert settings.jobs == 3


@pytest.mark.parametrize("verb", ["plan", "gate"])
def test_its_mistakes_are_told_by_verbs_that_judge_and_those_that_do_not(verb: str, made: Workshop) -> None:
    made.put({"retrain.yaml": "jobs: many\npush: loud\n"})
    with pytest.raises(ConfigErrors) as raised:
        made.open(verb)
    assert [problem.where.line for problem in raised.value.problems if problem.where] == [1, 2]
