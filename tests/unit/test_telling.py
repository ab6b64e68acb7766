"""One report to every surface, and no surface's trouble keeps it from the others."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from runner import ci, composing, filing, hosting, log, ruling, telling
from runner.engine.project import Place
from runner.errors import ConfigError, ConfigErrors, Interrupted, Location
from runner.forge.local import Local
from runner.live import Live
from runner.review.changed import Picture, PlotRow
from runner.review.measured import Verdict
from tests.support import actions
from tests.support.github import FakeGitHub, Trouble, refusal, serving
from tests.support.outputs import parse_outputs
from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.forge.protocol import Standing
    from runner.opening import Opened
    from runner.review.model import Report

PIPELINE = """\
stages:
  fit:
    cmd: 'cp seed m.json'
    deps: [seed]
    metrics: [{m.json: {cache: false}}]
"""
GATES = "gates:\n- metric: m.json:$.score\n  better: higher\n  at-least: 0.5\n"
SECRET = "s3cr3t@word"  # noqa: S105
TOKEN = "ghs_0123456789"  # noqa: S105


@pytest.fixture
def printed() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    log.setup(stream, actions=True, verbosity=0, secrets=[SECRET, TOKEN])
    yield stream
    log.setup(io.StringIO(), actions=False, verbosity=0, secrets=[])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    files = {"seed": '{"score": 0.9}', "retrain.yaml": GATES}
    return finished(tmp_path_factory.mktemp("telling"), PIPELINE, files)


@pytest.fixture
def environ(made: Workshop, tmp_path: Path) -> dict[str, str]:
    """Give the environment of a GitHub job for pull request 7 of its own repository."""
    payload = {
        "number": 7,
        "pull_request": {
            "number": 7,
            "head": {"sha": made.git("rev-parse", "HEAD"), "repo": {"full_name": "o/n"}},
            "base": {"sha": made.git("rev-parse", "HEAD"), "ref": "main", "repo": {"full_name": "o/n"}},
        },
    }
    (tmp_path / "event.json").write_text(json.dumps(payload))
    return {
        **os.environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "o/n",
        "GITHUB_SHA": made.git("rev-parse", "HEAD"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_WORKSPACE": str(tmp_path / "workspace"),
        "INPUT_GITHUB-TOKEN": TOKEN,
    }


def judged(made: Workshop, environ: Mapping[str, str], **flags: str) -> tuple[Opened, Report]:
    with Workshop(made.root, environ).opened("gate", **{"comment": "off", **flags}) as opened:
        return opened, ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)


def tell(report: Report, opened: Opened, folder: Path | None) -> int:
    return telling.tell(report, opened, folder, Live(hosting.forge_of(opened.asked, opened.prefix), opened.asked))


def told(tmp_path: Path) -> tuple[dict[str, str], str]:
    return parse_outputs(tmp_path / "output"), (tmp_path / "summary").read_text()


def test_outputs_summary_and_files_say_the_same(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    folder = tmp_path / "workspace" / "out"
    assert tell(report, opened, folder) == 0
    outputs, summary = told(tmp_path)
    assert outputs["verdict"] == "passed"
    assert outputs["report-json"] == "out/report.json"
    assert outputs["comment-url"] == ""
    assert summary.startswith("**")
    assert "Passed" in summary.splitlines()[0]
    assert json.loads((folder / "report.json").read_text()) == filing.data(report)
    assert actions.read(printed.getvalue()).named("error", "warning") == []


def test_templates_of_the_project_are_used_everywhere_and_those_that_lead_out_of_it_nowhere(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    (tmp_path / "outside.jinja").write_text("secret")
    base = '{% extends "retrain/report.md.jinja" %}{% block traffic %}Ask the board. {% include "more.jinja" %}'
    made = Workshop(shutil.copytree(made.root, tmp_path / "own", symlinks=True), made.environ)
    made.put({".retrain/templates/report.md.jinja": base + "{% endblock %}", ".retrain/templates/more.jinja": "More."})
    (made.root / ".retrain" / "templates" / "report.html.jinja").symlink_to(tmp_path / "outside.jinja")
    opened, report = judged(made, environ)
    folder = tmp_path / "workspace" / "out"
    assert tell(report, opened, folder) == 0
    assert "Ask the board. More." in told(tmp_path)[1]
    assert "Ask the board. More." in (folder / "report.md").read_text()
    assert "secret" not in (folder / "report.html").read_text()
    assert "outside of the project" in printed.getvalue()
    (folder / "report.md").unlink()
    filing.again(folder, made.root)
    assert "Ask the board. More." in (folder / "report.md").read_text()


def test_gates_and_stages_are_test_cases_and_images_stand_beside_the_report(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    folder = tmp_path / "workspace" / "out"
    (folder / "plots").mkdir(parents=True)
    (folder / "plots" / "07-old.svg").write_text("of an earlier run")
    image = PlotRow(id="a/b.png", title="b", pictures=(Picture("head", "image/png", "QUJD"),))
    assert tell(replace(report, plots=(image,)), opened, folder) == 0
    assert told(tmp_path)[0]["report-junit"] == "out/report.xml"
    assert '<testsuite name="gates" tests="1" failures="0"' in (folder / "report.xml").read_text()
    assert [place.name for place in (folder / "plots").iterdir()] == ["01-a-b.png-head.png"]
    assert printed.getvalue()


def test_files_outside_of_the_workspace_are_named_whole(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    tell(report, opened, tmp_path / "elsewhere")
    assert told(tmp_path)[0]["report-html"] == str(tmp_path / "elsewhere" / "report.html")
    assert printed.getvalue()


def test_annotations_show_what_fails_before_what_only_warns_and_ten_of_each_at_most(
    made: Workshop, environ: dict[str, str], printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    rows = [
        Verdict(
            gate=f"g{n}",
            metric="m.json",
            path="score",
            status="failed" if n % 2 else "warned",
            limit="",
            why="low",
            where=Location("retrain.yaml", n + 1),
            exits=bool(n % 2),
        )
        for n in range(24)
    ]
    tell(replace(report, gates=tuple(rows), verdict="failed", exit_code=1), opened, None)
    shown = actions.read(printed.getvalue()).named("error", "warning")
    assert [command.name for command in shown] == ["error"] * 10 + ["warning"] * 10
    assert [command.properties["line"] for command in shown[:2]] == ["2", "4"]


def test_an_error_is_annotated_with_its_place_and_with_every_further_mistake(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    mistakes = [ConfigError("<b>one", "do", Location("dvc.yaml", 3)), ConfigError("two", "", Location("x.dvc", 5))]
    assert tell(composing.ended(report, ConfigErrors(mistakes)), opened, None) == 2
    first, second = actions.read(printed.getvalue()).named("error", "warning")
    assert (first.name, first.properties["file"], first.properties["line"]) == ("error", "dvc.yaml", "3")
    assert second.message == "x.dvc:5: two"
    summary = told(tmp_path)[1]
    assert "dvc.yaml:3" in summary
    assert "x.dvc:5: two" in summary


def test_no_surface_shows_a_secret_also_where_an_escape_would_part_it(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    tell(replace(report, notes=(f"it is {SECRET}",), push=f"not pushed: {SECRET}"), opened, tmp_path / "out")
    everything = [place.read_text() for place in (tmp_path / "out").iterdir()]
    for text in (*everything, told(tmp_path)[1], printed.getvalue()):
        assert "s3cr3t" not in text
    assert sum("it is \\*\\*\\*" in text for text in everything) == 1


# Trouble


@pytest.mark.parametrize("place", ["occupied", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_one_error_and_the_rest_is_told(
    place: str, made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    (tmp_path / "occupied").write_text("a file")
    opened, report = judged(made, environ)
    assert tell(report, opened, tmp_path / place) == 2
    outputs, summary = told(tmp_path)
    assert outputs["verdict"] == "passed"
    assert "report-json" not in outputs
    assert "the report cannot be written to" in summary
    (error,) = actions.read(printed.getvalue()).named("error")
    assert "the report cannot be written to" in error.message
    for code in (1, 3):
        assert tell(replace(report, exit_code=code), opened, tmp_path / place) == code


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out", "link"])  # noqa: S108
def test_a_gate_file_keeps_its_report_inside_the_repository(name: str, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "link").symlink_to(tmp_path)
    chosen = ruling.settings_alone({"working-directory": str(tmp_path / "repository")}, {})
    chosen = replace(chosen, report_dir=name)
    with pytest.raises(ConfigError, match="outside of the repository"):
        filing.folder_of(chosen, tmp_path / "repository", {}, {})
    for flags, environ in (({"report-dir": name}, {}), ({}, {"INPUT_REPORT-DIR": name})):
        assert filing.folder_of(chosen, tmp_path / "repository", flags, environ)
    assert filing.folder_of(replace(chosen, report_dir="out"), tmp_path / "repository", {}, {})


def test_what_stops_the_opening_is_told_without_a_project(tmp_path: Path, printed: io.StringIO) -> None:
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "INPUT_WORKING-DIRECTORY": str(tmp_path),
    }
    error = ConfigErrors([ConfigError("one", "do", Location("dvc.yaml", 3)), ConfigError("two")])
    telling.stopped(error, environ, "retrain run", tmp_path / "out", hosting.step(environ))
    outputs, summary = told(tmp_path)
    assert outputs["verdict"] == "error"
    assert outputs["report-md"] == str(tmp_path / "out" / "report.md")
    assert "dvc.yaml:3" in summary
    assert "two" in summary
    environ["GITHUB_OUTPUT"] = str(tmp_path)
    telling.stopped(error, environ, "retrain plan", None, hosting.step(environ))
    (warning,) = actions.read(printed.getvalue()).named("warning")
    assert "outputs" in warning.message


class Stumbling(Local):
    """A host whose summary has a bug, or during which a signal comes."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.said: list[Standing] = []

    def check(self, standing: Standing) -> str:
        self.said.append(standing)
        return ""

    def status(self, standing: Standing) -> None:
        self.said.append(standing)

    def summary(self, standing: Standing) -> None:  # noqa: ARG002 - the protocol's
        raise self.error


@pytest.mark.parametrize(("error", "code"), [(ZeroDivisionError("<!-- x"), 70), (Interrupted(terminated=True), 143)])
def test_a_report_that_cannot_be_told_leaves_no_check_waiting(
    error: Exception, code: int, made: Workshop, environ: dict[str, str], printed: io.StringIO
) -> None:
    opened, report = judged(made, environ)
    host = Stumbling(error)
    with pytest.raises(type(error)):
        telling.tell(report, opened, None, Live(host, opened.asked))
    assert [(one.verdict, one.exit_code) for one in host.said] == [("error", code)] * 2
    assert "<!--" not in host.said[0].render(0)
    assert printed.getvalue()


# The comment


def test_a_comment_is_posted_and_its_address_is_an_output(
    made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    github = FakeGitHub("o/n")
    github.token(TOKEN)
    with serving(github):
        opened, report = judged(made, {**environ, "GITHUB_API_URL": github.url}, comment="update")
        assert tell(report, opened, None) == 0
    (body,) = github.bodies()
    assert "Passed" in body
    assert told(tmp_path)[0]["comment-url"] == github.comments[0]["html_url"]
    assert actions.read(printed.getvalue()).named("error", "warning") == []


@pytest.mark.parametrize("code", [0, 1])
def test_a_comment_that_is_refused_changes_no_exit_code_and_the_summary_has_it(
    code: int, made: Workshop, environ: dict[str, str], tmp_path: Path, printed: io.StringIO
) -> None:
    github = FakeGitHub("o/n")
    github.token(TOKEN)
    github.troubles = [Trouble("POST", refusal(403, "Resource not accessible by integration"))]
    with serving(github):
        opened, report = judged(made, {**environ, "GITHUB_API_URL": github.url}, comment="update")
        assert tell(replace(report, exit_code=code), opened, None) == code
    assert github.bodies() == []
    assert told(tmp_path)[0]["comment-url"] == ""
    assert "Passed" in told(tmp_path)[1]
    (warning,) = actions.read(printed.getvalue()).named("warning")
    assert "the step summary has the report" in warning.message
