"""Starts the action's image as GitHub starts a container action: arguments, environment, mounts, another owner."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support import environment
from tests.support.job import Files, arguments, outcome, with_defaults
from tests.support.tools import ROOT, require

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.job import Job, Outcome
    from tests.support.project import Project

IMAGE = "localhost/retrain:test"
# The user of GitHub's hosted machines; the container's is root.
OWNER = 1001
TOOLS = ("podman", "buildah", "runc", "mmdebstrap")


def built(environ: dict[str, str]) -> Program:
    """Build the image, of which most is there already after the first time; give the engine that runs it."""
    for tool in TOOLS:
        require(tool, "builds and runs the action's image")
    build = environment.Program((str(ROOT / "tests" / "image" / "build.sh"),), environ)
    build(IMAGE, cwd=ROOT, timeout=600)
    configured = {**environ, "CONTAINERS_CONF": str(ROOT / "tests" / "image" / "containers.conf")}
    return environment.Program((str(require("podman")),), configured)


@dataclass(frozen=True)
class Container:
    """How GitHub starts the action's container: its arguments, its environment, its mounts."""

    arguments: list[str]
    environ: dict[str, str]
    files: Files

    @classmethod
    def of(cls, job: Job, project: Project, inputs: dict[str, str] | None = None) -> Container:
        """Mount the workspace and the file commands; the remote and the log of stages lie beside the workspace."""
        files = Files.beside(job.workspace, job.payload)
        given = with_defaults(inputs or {}, job.token)
        variables = job.variables(given, files, workspace="/github/workspace", mounted="/github/file_commands")
        environ = {**variables, "HOME": "/github/home"}
        mounts = [
            f"--volume={project.place}:/github",
            f"--volume={job.workspace}:/github/workspace",
            f"--volume={files.folder}:/github/file_commands",
        ]
        named = [part for name in environ for part in ("--env", name)]
        start = ["run", "--rm", "--network=host", "--workdir=/github/workspace", *mounts, *named, IMAGE]
        return cls([*start, *arguments(given)], environ, files)


def run(podman: Program, job: Job, project: Project, inputs: dict[str, str] | None = None, exits: int = 0) -> Outcome:
    container = Container.of(job, project, inputs)
    if (job.workspace / ".git").stat().st_uid == OWNER:  # whose are also the files through which a step talks to GitHub
        owned(container.files.folder)
    done = podman(*container.arguments, cwd=project.place, env=container.environ, exits=exits)
    return outcome(done.returncode, done.stdout, done.stderr, container.files)


def owned(folder: Path) -> None:
    """Give a workspace to the user of GitHub's hosted machines."""
    for place in (folder, *folder.rglob("*")):
        os.chown(place, OWNER, OWNER, follow_symlinks=False)
