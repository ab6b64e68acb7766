"""The command line as a process: exit codes, what goes where, and no traceback whatever the files hold."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.actions import read
from tests.support.environment import Program
from tests.support.outputs import parse_outputs
from tests.support.pipelines import Workshop, decisions, finished
from tests.support.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  prepare:
    cmd: cat data/* > prepared
    deps: [data]
    outs: [prepared]
  fit:
    cmd: cat prepared > model; echo '{"score":0.9}' > m.json
    deps: [prepared]
    params: [rate]
    outs: [model]
    metrics: [{m.json: {cache: false}}]
"""
GATES = "gates:\n- metric: m.json:$.score\n  better: higher\n  at-least: 0.5\n"
FILES = {"data/x": "1\n", "params.yaml": "rate: 1\n", "retrain.yaml": GATES}
VERBS = (
    "plan",
    "run",
    "repro",
    "gate",
    "report",
    "pull",
    "push",
    "fetch",
    "checkout",
    "status",
    "diff",
    "metrics show",
    "metrics diff",
    "params diff",
    "dag",
    "stages",
    "lint",
)
QUIET = {"pull", "push", "fetch", "checkout", "diff"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    finished(folder, PIPELINE, FILES)
    return folder


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    """Give a copy of the project, up to date."""
    return shutil.copytree(template, tmp_path / "place", symlinks=True) / "root"


def write(path: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / path).write_text(text)


def nothing(_: Path) -> None:
    pass


def lose_the_remote(root: Path) -> None:
    shutil.rmtree(root.parent / "remote")
    shutil.rmtree(root / ".dvc" / "cache")
    (root / "model").unlink()
    (root / "prepared").unlink()


def no_git(root: Path) -> None:
    shutil.rmtree(root / ".git")


def untrusted(root: Path) -> None:
    (root / "event.json").write_text('{"pull_request": {"head": {"repo": {"full_name": "stranger/fork"}}}}')


# Exit codes

CODES: dict[str, tuple[Callable[[Path], object], tuple[str, ...], int, str]] = {
    "a plan": (nothing, ("plan",), 0, ""),
    "a plan that is fresh, checked": (nothing, ("plan", "--check"), 0, ""),
    "a plan that is stale": (write("params.yaml", "rate: 2\n"), ("plan",), 0, ""),
    "a plan that is stale, checked": (write("params.yaml", "rate: 2\n"), ("plan", "--check"), 10, ""),
    "an out changed by hand, checked": (write("model", "x"), ("plan", "--check"), 10, ""),
    "an out removed, checked": (lambda root: (root / "model").unlink(), ("plan", "--check"), 0, ""),
    "a run": (nothing, ("run",), 0, ""),
    "stages": (nothing, ("stages",), 0, ""),
    "a gate that holds": (nothing, ("gate",), 0, ""),
    "a gate that fails": (write("retrain.yaml", GATES.replace("0.5", "0.95")), ("gate",), 1, "0.9 is below 0.95"),
    "a run whose gate fails": (write("retrain.yaml", GATES.replace("0.5", "0.95")), ("run",), 1, "0.9 is below 0.95"),
    "a gate without its metric": (write("retrain.yaml", GATES.replace("score", "other")), ("gate",), 1, "other"),
    "a repro does not judge": (write("retrain.yaml", GATES.replace("0.5", "0.95")), ("repro",), 0, ""),
    "no gates": (lambda root: (root / "retrain.yaml").unlink(), ("gate",), 2, "there are no gates"),
    "no such verb": (nothing, ("frobnicate",), 2, "No such command 'frobnicate'"),
    "no such option": (nothing, ("plan", "--frob"), 2, "No such option"),
    "no such stage": (nothing, ("plan", "prepar"), 2, "did you mean prepare?"),
    "no such folder": (nothing, ("-C", "nowhere", "plan"), 2, "nowhere is not a folder"),
    "no such gate file": (nothing, ("gate", "--config", "other.yaml"), 2, "other.yaml does not exist"),
    "no such remote": (nothing, ("pull", "-r", "other"), 2, "other"),
    "a wrong number": (nothing, ("plan", "--transfers", "many"), 2, "transfers: 'many' is not a whole number"),
    "a wrong word": (nothing, ("run", "--push", "sometimes"), 2, "sometimes"),
    "no report": (nothing, ("report", "--report-dir", "nowhere"), 2, "report.json cannot be read"),
    "a stage that fails": (write("dvc.yaml", PIPELINE.replace("cat data/*", "false")), ("run",), 3, "exit code 1"),
    "objects that are lost": (lose_the_remote, ("pull",), 4, "is not in"),
    "no remote to push to": (write(".dvc/config", ""), ("push",), 4, "no remote is configured"),
    "no repository": (no_git, ("plan",), 5, "not inside a git work tree"),
    "no such revision": (nothing, ("gate", "--base", "nowhere"), 5, "nowhere"),
}


@pytest.mark.parametrize("name", CODES)
def test_each_end_has_its_exit_code(name: str, root: Path, retrain: Program) -> None:
    change, arguments, code, said = CODES[name]
    change(root)
    done = retrain(*arguments, cwd=root, exits=code)
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_project_is_wanted_where_there_is_none(tmp_path: Path, git: Program, retrain: Program) -> None:
    git("init", "-q", cwd=tmp_path)
    assert "not inside a DVC project" in retrain("plan", cwd=tmp_path, exits=2).stderr


def test_a_strangers_stages_run_without_secrets_and_nothing_is_pushed(root: Path, retrain: Program) -> None:
    untrusted(root)
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "event.json", "GITHUB_REPOSITORY": "o/n"}
    done = retrain("run", cwd=root, env={**actions, "GITHUB_EVENT_NAME": "pull_request_target"}, exits=2)
    assert "no stage is run here" in done.stderr
    assert (
        "nothing is pushed here"
        in retrain("push", cwd=root, env={**actions, "GITHUB_EVENT_NAME": "pull_request"}, exits=2).stderr
    )


# What goes where


@pytest.mark.parametrize("verb", VERBS)
def test_json_is_one_line_on_stdout_and_nothing_else_is_there(verb: str, root: Path, retrain: Program) -> None:
    (root / "params.yaml").write_text("rate: .nan\n")
    if verb == "report":
        retrain("gate", "--report-dir", ".", cwd=root, exits=1)  # NaN is never what it was
    done = retrain(*verb.split(), "--json", cwd=root, exits=1 if verb == "gate" else 0)
    assert done.stdout.count("\n") == 1
    assert done.stdout.endswith("\n")
    json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("verb", ["run", "repro", "gate"])
def test_also_when_it_ends_badly(verb: str, root: Path, retrain: Program) -> None:
    (root / "retrain.yaml").write_text(GATES.replace("0.5", "0.95"))
    (root / "dvc.yaml").write_text(PIPELINE.replace("cat data/*", "echo noise; false"))
    done = retrain(*verb.split(), "--json", cwd=root, exits=None)
    assert done.returncode == (1 if verb == "gate" else 3)
    assert json.loads(done.stdout)["verdict"] == ("unmeasured" if verb == "gate" else "error")
    assert done.stdout.count("\n") == 1


def test_what_stages_print_goes_to_stderr(root: Path, retrain: Program) -> None:
    (root / "dvc.yaml").write_text(PIPELINE.replace("cat data/* >", "echo noise; cat data/* >"))
    done = retrain("run", cwd=root)
    assert "noise" not in done.stdout
    assert "noise" in done.stderr


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_goes_to_stdout_with_the_exit_codes(verb: str, root: Path, retrain: Program) -> None:
    for option in ("--help", "-h"):
        done = retrain(*verb.split(), option, cwd=root)
        assert f"retrain {verb}".strip() in done.stdout
        assert "10 stale" in done.stdout
        assert done.stderr == ""


def test_quiet_and_verbose_change_the_log_and_never_the_result(root: Path, retrain: Program) -> None:
    (root / "params.yaml").write_text("rate: 2\n")
    said = {flag: retrain("plan", "--json", *flag.split(), cwd=root) for flag in ("-q", "", "-v")}
    assert len({done.stdout for done in said.values()}) == 1
    assert len(said["-q"].stderr) < len(said[""].stderr) <= len(said["-v"].stderr)


# Where it starts


@pytest.mark.parametrize(
    "arguments", [("-C", "root", "plan"), ("plan", "-C", "root"), ("-C", "other", "plan", "-C", "root")]
)
def test_c_is_understood_before_and_after_the_verb(arguments: tuple[str, ...], root: Path, retrain: Program) -> None:
    (root.parent / "other").mkdir()
    done = retrain(*arguments, "--json", cwd=root.parent)
    assert done.stdout == retrain("plan", "--json", cwd=root).stdout


def test_the_project_is_found_from_a_folder_inside_it(root: Path, retrain: Program) -> None:
    assert retrain("plan", "--json", cwd=root / "data").stdout == retrain("plan", "--json", cwd=root).stdout


def test_targets_are_named_from_where_it_starts(root: Path, retrain: Program) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "dvc.yaml").write_text("stages:\n  fit:\n    cmd: echo unlike any other > o\n    outs: [o]\n")

    def planned(*arguments: str, cwd: Path = root) -> list[str]:
        return [row["stage"] for row in json.loads(retrain("plan", "--json", *arguments, cwd=cwd).stdout)["stages"]]

    assert planned("fit") == ["prepare", "fit"]
    assert planned("-C", "sub", "fit") == planned("fit", cwd=root / "sub") == ["sub/dvc.yaml:fit"]
    assert planned("../dvc.yaml:prepare", cwd=root / "sub") == ["prepare"]
    retrain("repro", "sub/dvc.yaml", cwd=root)
    assert json.loads(retrain("push", "--json", "o", cwd=root / "sub").stdout)["objects"] == 1
    assert json.loads(retrain("pull", "--json", "../model", cwd=root / "sub").stdout)["failed"] == []


@pytest.mark.parametrize("argv", [("-I", "-m", "runner"), ("-I", "-c", "from runner.__main__ import main; main()")])
def test_a_users_own_runner_package_is_not_ours(argv: tuple[str, ...], root: Path, environ: dict[str, str]) -> None:
    for name in ("runner", "settings.py", "json.py", "click"):
        place = root / name
        if name.endswith(".py"):
            place.write_text("raise SystemExit('not ours')\n")
        else:
            place.mkdir()
            (place / "__init__.py").write_text("raise SystemExit('not ours')\n")
    done = subprocess.run(
        [sys.executable, *argv, "--version"], cwd=root, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("retrain ")


def test_a_linked_folder_is_the_folder(root: Path, retrain: Program) -> None:
    (root.parent / "link").symlink_to("root")
    assert retrain("plan", "--check", cwd=root.parent / "link").stdout


def test_inputs_are_read_from_the_environment_as_github_sets_them(root: Path, retrain: Program) -> None:
    env = {"INPUT_TARGETS": "prepare\n", "INPUT_WORKING-DIRECTORY": "root", "INPUT_REMOTE": "", "INPUT_TRAGETS": "x"}
    done = retrain("plan", "--json", cwd=root.parent, env=env)
    assert [row["stage"] for row in json.loads(done.stdout)["stages"]] == ["prepare"]
    assert "INPUT_TRAGETS is no input" in done.stderr


def test_the_report_is_rendered_again_where_the_gate_file_says(root: Path, retrain: Program) -> None:
    (root / "retrain.yaml").write_text(f"report-dir: out\n{GATES}")
    retrain("run", cwd=root)
    before = {name: (root / "out" / name).read_bytes() for name in ("report.json", "report.md", "report.html")}
    (root / "out" / "report.md").unlink()
    (root / "out" / "report.html").write_text("old")
    retrain("report", cwd=root)
    assert {name: (root / "out" / name).read_bytes() for name in before} == before


# What a GitHub job is told


def step(root: Path, *arguments: str, retrain: Program, exits: int, **env: str) -> tuple[dict[str, str], str, str]:
    """Run as a step of a GitHub job; give its outputs, its summary, and what it printed."""
    names = {"GITHUB_OUTPUT": root.parent / "output", "GITHUB_STEP_SUMMARY": root.parent / "summary"}
    for place in names.values():
        place.write_text("")
    given = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": "5" * 40, **{name: str(place) for name, place in names.items()}}
    done = retrain(*arguments, cwd=root, env={**given, **env}, exits=exits)
    outputs = parse_outputs(names["GITHUB_OUTPUT"])
    return outputs, names["GITHUB_STEP_SUMMARY"].read_text(), done.stdout


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"lint", "report"}])
def test_mistakes_that_stop_the_opening_are_in_outputs_and_summary(verb: str, root: Path, retrain: Program) -> None:
    (root / "dvc.yaml").write_text("stages:\n  a:\n    cmd: 1\n    <b>: 2\n")
    outputs, summary, _ = step(root, *verb.split(), retrain=retrain, exits=2)
    assert outputs["verdict"] == "error"
    assert "dvc.yaml:3:" in summary
    assert "dvc.yaml:4:" in summary
    assert "\n<b>" not in summary


@pytest.mark.parametrize("verb", ["run", "repro", "gate"])
@pytest.mark.parametrize("how", ["flag", "environment"])
def test_mistakes_that_stop_the_opening_are_in_the_report_files(
    verb: str, how: str, root: Path, retrain: Program
) -> None:
    (root / "dvc.yaml").write_text("stages: 1\n")
    flag, env = (["--report-dir", "out"], {}) if how == "flag" else ([], {"INPUT_REPORT-DIR": "out"})
    retrain(*verb.split(), *flag, cwd=root, env=env, exits=2)
    told = json.loads((root / "out" / "report.json").read_text())
    assert (told["verdict"], told["exit_code"]) == ("error", 2)
    assert told["error"]["where"]["file"] == "dvc.yaml"
    assert "dvc.yaml:1" in (root / "out" / "report.md").read_text()
    assert "dvc.yaml:1" in (root / "out" / "report.html").read_text()


def test_a_folder_that_does_not_exist_is_not_made_to_report_that(root: Path, retrain: Program) -> None:
    retrain("-C", "nowhere", "run", "--report-dir", "out", cwd=root, exits=2)
    assert not (root / "nowhere").exists()


def test_a_bug_in_the_walk_is_told_before_its_traceback(root: Path, environ: dict[str, str]) -> None:
    door = "sys.exit(cli.start(sys.argv[1:], os.environ))"
    broken = f"import os, sys; from runner import cli, ci; del ci._make_fresh; {door}"
    env = {"GITHUB_ACTIONS": "true", "AWS_SECRET_ACCESS_KEY": "_make_fresh"}
    out = Program((sys.executable, "-I", "-c", broken), environ)
    outputs, summary, printed = step(root, "run", "--report-dir", "out", "--json", retrain=out, exits=70, **env)
    assert outputs["verdict"] == json.loads(printed)["verdict"] == "error"
    told = (root / "out" / "report.json").read_text()
    assert json.loads(told)["exit_code"] == 70
    for text in (summary, printed, told):
        assert "this is a bug in the runner" in text
        assert "_make_fresh" not in text


# What the Actions runner reads


HOSTILE = """\
stages:
  first:
    cmd: |
      echo one ##[error]x
      ::add-mask::two s3cr3t-word
    wdir: .
  fit:
    cmd: "::error::hello"
    params: [rate]
    metrics: [{m.json: {cache: false}}]
"""


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in QUIET])
def test_nothing_on_stdout_is_a_workflow_command_or_a_secret(
    verb: str, options: tuple[str, ...], root: Path, retrain: Program
) -> None:
    value = "a\n::error::b ##[error]c s3cr3t-word \u2028"
    judged = "metrics: [m.json]\n" if verb in {"gate", "report"} else PIPELINE
    (root / "dvc.yaml").write_text(HOSTILE if verb in {"stages", "repro", "run"} else judged)
    (root / "params.yaml").write_text(f"rate: {json.dumps(value)}\n")
    (root / "m.json").write_text(json.dumps({"score": value}))
    env = {"AWS_SECRET_ACCESS_KEY": "s3cr3t-word", "GITHUB_ACTIONS": "true", "INPUT_REPORT-DIR": "out"}
    if verb == "report":
        retrain("gate", cwd=root, env={**env, "AWS_SECRET_ACCESS_KEY": ""}, exits=1)
        written = (root / "out" / "report.json").read_text()
        assert "s3cr3t-word" in written
    done = retrain(*verb.split(), *options, cwd=root, env=env, exits=None)
    assert done.stdout
    assert "Traceback" not in done.stderr
    assert read(done.stdout).commands == []
    assert "##[" not in done.stdout
    assert "s3cr3t-word" not in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.strip().startswith("::")]
    if options:
        assert json.loads(done.stdout)


def test_a_secret_that_looks_like_a_number_leaves_json_whole(root: Path, retrain: Program) -> None:
    (root / "dvc.yaml").write_text("metrics: [m.json]\n")
    (root / "m.json").write_text('{"score": 0.98765}')
    done = retrain("gate", "--json", cwd=root, env={"AWS_SECRET_ACCESS_KEY": "98765"})
    assert json.loads(done.stdout)["gates"][0]["head"] == pytest.approx(0.98765)


def test_an_error_is_shown_with_its_place(root: Path, retrain: Program) -> None:
    """A params file that no template is filled in from: params.yaml is read with the DVC files."""
    (root / "dvc.yaml").write_text(PIPELINE.replace("params: [rate]", "params: [other.yaml: [rate]]"))
    (root / "other.yaml").write_text("rate: [\n")
    assert "error: other.yaml:2:1: " in retrain("run", cwd=root, exits=2).stdout


@pytest.mark.parametrize("url", ["nowhere://user:sekrit@h/x", "s3://user:sekrit@h/x"])
def test_a_password_in_a_remotes_url_is_never_shown(url: str, root: Path, retrain: Program) -> None:
    lose_the_remote(root)
    (root / ".dvc" / "config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {url}\n    nope = 1\n")
    done = retrain("run", "--report-dir", "out", cwd=root, exits=None)
    assert done.returncode in {2, 4}
    written = "".join(place.read_text() for place in (root / "out").iterdir())
    assert "sekrit" not in f"{done.stdout}{done.stderr}{written}"


# A reader that leaves


def closed(argv: list[str], root: Path, environ: Mapping[str, str], *streams: str) -> int:
    """Run with the reading end of standard output, or of both streams, closed; give the exit code."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        out, err = (writer if name in streams else subprocess.DEVNULL for name in ("stdout", "stderr"))
        command = [sys.executable, "-I", "-m", "runner", *argv]
        return subprocess.run(command, cwd=root, env=environ, check=False, stdout=out, stderr=err).returncode
    finally:
        os.close(writer)


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(("limit", "code"), [("0.5", 0), ("0.95", 1)])
def test_a_reader_that_leaves_changes_no_verdict(
    options: tuple[str, ...], limit: str, code: int, root: Path, environ: dict[str, str]
) -> None:
    (root / "retrain.yaml").write_text(GATES.replace("0.5", limit))
    assert closed(["gate", *options], root, environ, "stdout") == code
    assert closed(["run", *options], root, environ, "stdout") == code


def test_a_run_whose_log_nobody_reads_any_more_is_given_up(root: Path, environ: dict[str, str]) -> None:
    (root / "params.yaml").write_text("rate: 2\n")
    before = (root / "dvc.lock").read_bytes()
    assert closed(["run"], root, environ, "stdout", "stderr") == 130
    assert (root / "dvc.lock").read_bytes() == before


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_were_closed_before_are_no_mistake(streams: str, root: Path, environ: dict[str, str]) -> None:
    command = f"{sys.executable} -I -m runner repro --force {streams}"
    assert subprocess.run(["/bin/sh", "-c", command], cwd=root, env=environ, check=False).returncode == 0


# Mistakes


def test_every_mistake_of_a_file_is_told_once_with_its_place(root: Path, retrain: Program) -> None:
    (root / "dvc.yaml").write_text("stages:\n  a:\n    cmd: 1\n    foo: 2\n  b: []\n")
    (root / "bad.dvc").write_text("outs: 1\n")
    told = retrain("plan", cwd=root, exits=2).stderr
    for place in ("dvc.yaml:3:5: ", "dvc.yaml:4:5: ", "dvc.yaml:5:3: ", "bad.dvc:1:1: "):
        assert told.count(f"error: {place}") == 1
    assert told.count("dvc.yaml:3") == 1


def test_mistakes_in_settings_are_told_with_their_place(root: Path, retrain: Program) -> None:
    (root / "retrain.yaml").write_text("jobs: many\npush: sometimes\n")
    told = retrain("plan", cwd=root, exits=2).stderr
    assert "error: retrain.yaml:1:1: jobs: 'many'" in told
    assert "error: retrain.yaml:2:1: push: 'sometimes'" in told


BAD_TEXT: dict[str, bytes] = {
    "empty": b"",
    "a number": b"1\n",
    "a list": b"- 1\n",
    "text": b"words\n",
    "null": b"null\n",
    "cut": b"stages:\n  fit:\n    cmd: [",
    "not UTF-8": b"stages:\n  \xff\xfe: 1\n",
    "binary": bytes(range(256)),
    "nul": b'a: "\\0"\n\0\n',
    "tabs": b"stages:\n\tfit:\n\t\tcmd: x\n",
    "conflict marks": b"<<<<<<< HEAD\nstages: {}\n=======\nstages: []\n>>>>>>> other\n",
    "two keys": b"stages: {}\nstages: {}\n",
    "an alias to nowhere": b"a: *nowhere\n",
    "an alias to itself": b"a: &a [*a]\n",
    "an alias bomb": b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 10)) for n in range(9)),
    "a python object": b"a: !!python/object/apply:os.system ['echo pwned > pwned']\n",
    "an unknown tag": b"a: !nothing 1\n",
    "deep": b"[" * 5000,
    "deep maps": b"{a: " * 2000,
    "a key that is a map": b"? {a: 1}\n: 2\n",
    "two documents": b"a: 1\n---\nb: 2\n",
    "carriage returns": b"stages:\r\n  fit:\r\n    cmd: 1\r\n",
    "a byte order mark": b"\xef\xbb\xbfstages: 1\n",
    "infinite": b"stages: {fit: {cmd: .inf}}\n",
    "a date": b"stages: 2020-01-01\n",
    "surrogates": b'stages: {"\\ud800": {cmd: x}}\n',
    "json": b'{"schema": 1, "verdict": "passed"}\n',
    "json with the wrong types": b'{"schema": 1, "version": 1, "verdict": [], "exit_code": "x", "head": 2}',
    "huge number": b"jobs: " + b"9" * 5000 + b"\n",
}
BAD_FILES = ("dvc.yaml", "dvc.lock", "data.dvc", "retrain.yaml", ".dvc/config", "params.yaml", "report.json", "m.json")


@pytest.mark.parametrize("path", BAD_FILES)
def test_no_file_makes_a_traceback(path: str, root: Path, environ: dict[str, str]) -> None:
    """All texts in one process a verb, for speed; what they end with must be an exit code that has a meaning."""
    verbs = {"report.json": ["report"], "m.json": ["gate"], "retrain.yaml": ["gate", "plan"]}.get(path, ["plan"])
    for number, text in enumerate(BAD_TEXT.values()):
        (root.parent / str(number)).write_bytes(text)
    script = f"""
import os, sys, pathlib, traceback
from runner import cli
root = pathlib.Path({str(root)!r})
os.chdir(root)
for number in range({len(BAD_TEXT)}):
    (root / {path!r}).write_bytes((root.parent / str(number)).read_bytes())
    for verb in {verbs!r}:
        code = cli.start([verb], os.environ)
        print("=", number, verb, int(code), flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
    )
    ends = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("= ")]
    assert len(ends) == len(BAD_TEXT) * len(verbs)
    names = list(BAD_TEXT)
    bad = [(names[int(number)], verb, code) for number, verb, code in ends if code not in {"0", "1", "2", "4"}]
    assert bad == [], done.stderr
    assert "Traceback" not in done.stderr
    assert not (root / "pwned").exists()


# Interrupted


def start(root: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a run whose stage says `go` and then takes its time, and wait for the `go`."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "runner", "run"],
        cwd=root,
        env={**environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout
    for line in process.stdout:
        if line == b"go\n":
            return process
    raise AssertionError(process.wait())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("deaf", ["", "trap '' INT TERM; "], ids=["listens", "is deaf"])
def test_a_signal_ends_stage_and_run_in_time_and_everything_is_as_before(
    number: signal.Signals,
    code: int,
    deaf: str,
    root: Path,
    environ: dict[str, str],
) -> None:
    slow = PIPELINE.replace("cat prepared >", f"{deaf}echo $$ > ../pid; echo go; sleep 60; cat prepared >")
    (root / "dvc.yaml").write_text(slow)
    before = {name: (root / name).read_bytes() for name in ("dvc.lock", "model", "m.json", "prepared")}
    process = start(root, environ)
    stage = os.pidfd_open(int((root.parent / "pid").read_text()))
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 7.5
    assert process.returncode == code, out
    assert select.select([stage], [], [], 5)[0]
    assert {name: (root / name).read_bytes() for name in before} == before
    assert b"Traceback" not in out
    (root / "dvc.yaml").write_text(PIPELINE)
    assert decisions(Workshop(root, environ).repro()) == {"prepare": "fresh", "fit": "fresh"}
