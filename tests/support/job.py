"""Runs the action as GitHub runs a step of a job: inputs and event in the environment, files to answer in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.support import actions
from tests.support.outputs import parse_outputs
from tests.support.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.actions import StepLog
    from tests.support.environment import Program
    from tests.support.github import FakeGitHub

TOKEN = "ghs_theTokenOfThisJob0123456789"  # noqa: S105
# What a container action gets beside its inputs and must keep from stages.
RUNTIME = {
    "ACTIONS_RUNTIME_TOKEN": "runtime-token-0123456789",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "identity-token-0123456789",
    "ACTIONS_RESULTS_URL": "https://results.example",
}


@dataclass(frozen=True)
class Outcome:
    """What one step left behind."""

    code: int
    stdout: str
    stderr: str
    outputs: Mapping[str, str]
    summary: str
    log: StepLog

    def annotations(self) -> list[actions.Command]:
        return self.log.named("error", "warning", "notice")


@dataclass
class Job:
    """One job of a workflow: the event, the checkout, the code host it talks to."""

    workspace: Path
    github: FakeGitHub
    event: str
    payload: Mapping[str, Any]
    sha: str
    ref: str
    token: str = TOKEN
    environ: Mapping[str, str] = field(default_factory=dict)

    def step(self, program: Program, inputs: Mapping[str, str] | None = None, exits: int = 0) -> Outcome:
        """Run the action with these `with:` inputs; the others have action.yml's defaults."""
        files = Files.beside(self.workspace, self.payload)
        given = with_defaults(inputs or {}, self.token)
        done = program(
            *arguments(given), cwd=self.workspace, env=self.variables(given, files, self.workspace), exits=exits
        )
        return outcome(done.returncode, done.stdout, done.stderr, files)

    def variables(
        self, given: Mapping[str, str], files: Files, workspace: Path | str, mounted: str = ""
    ) -> dict[str, str]:
        """Give the environment, with paths as the action sees them (`mounted`: where the files lie for it)."""
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_SHA": self.sha,
            "GITHUB_REF": self.ref,
            "GITHUB_REPOSITORY": self.github.repository,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_RUN_ID": "4711",
            "GITHUB_WORKSPACE": str(workspace),
            **{name: f"{mounted or files.folder}/{file}" for name, file in FILES.items()},
            **{f"INPUT_{name.upper()}": value for name, value in given.items()},
            **RUNTIME,
            **self.environ,
        }


FILES = {
    "GITHUB_EVENT_PATH": "event.json",
    "GITHUB_OUTPUT": "output",
    "GITHUB_STEP_SUMMARY": "summary",
    "GITHUB_ENV": "env",
    "GITHUB_PATH": "path",
    "GITHUB_STATE": "state",
}


@dataclass(frozen=True)
class Files:
    """The files through which the step and the Actions runner talk."""

    folder: Path

    @classmethod
    def beside(cls, workspace: Path, payload: Mapping[str, Any]) -> Files:
        folder = workspace.parent / "file_commands"
        folder.mkdir(exist_ok=True)
        for name in FILES.values():
            (folder / name).write_text("")
        (folder / "event.json").write_text(json.dumps(payload))
        return cls(folder)


def outcome(code: int, stdout: str, stderr: str, files: Files) -> Outcome:
    """Read what the step left, and check what must hold of every step."""
    whole = f"{stdout}{stderr}{(files.folder / 'output').read_text()}{(files.folder / 'summary').read_text()}"
    for secret in (TOKEN, *RUNTIME.values()):
        assert secret not in whole
    for name in ("env", "path", "state"):
        assert (files.folder / name).read_text() == ""
    log = actions.read(stderr)
    assert not log.deaf
    assert not log.named("add-mask", "set-output", "set-env", "save-state")
    assert actions.read(stdout).commands == []
    return Outcome(
        code, stdout, stderr, parse_outputs(files.folder / "output"), (files.folder / "summary").read_text(), log
    )


def action(path: str = "action.yml") -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / path).read_text())
    return parsed


def with_defaults(inputs: Mapping[str, str], token: str, path: str = "action.yml") -> dict[str, str]:
    """Give every input of an action its value, as GitHub does, empty ones too."""
    declared = action(path)["inputs"]
    assert inputs.keys() <= declared.keys()
    defaults = {
        name: token if "github.token" in told["default"] else told["default"] for name, told in declared.items()
    }
    return {**defaults, **inputs}


def arguments(given: Mapping[str, str]) -> list[str]:
    """Give the container's arguments, as action.yml says."""
    return [argument.replace("${{ inputs.command }}", given["command"]) for argument in action()["runs"]["args"]]
