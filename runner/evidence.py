"""What the linter is given: reads the project without its data, and asks git about its paths. Hashes nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runner import configured, locating, ruling
from runner.engine.workspace import Workspace
from runner.errors import ConfigError, ConfigErrors
from runner.git import index
from runner.pipeline import files
from runner.pipeline.lint.material import Material
from runner.pipeline.unpack import Unpacking
from runner.store.state import State
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.errors import RunnerError
    from runner.git import Git
    from runner.pipeline.config import Config
    from runner.review.gatefile import GateFile

_MOST_BYTES: Final = 8 << 20  # of a script or a params file; what is larger is data


@dataclass(frozen=True)
class Evidence:
    """A project to lint, and how it asks for it.

    Attributes:
        material: what the rules look at.
        wishes: `select`, `ignore` and `fail-on` of the gate file.
        prefix: the project's folder in the repository, ending in `/`; empty at the top.
        root: the project's folder.

    """

    material: Material
    wishes: Mapping[str, object]
    prefix: str
    root: Path


def gather(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Evidence:
    """Read the project that a call of the command line means.

    Raises:
        ConfigError: there is no project, or the command line is wrong.
        GitError: there is no repository.

    """
    root, git, prefix = locating.located(flags, environ)
    if not (root / ".dvc").is_dir():
        raise locating.no_project(root)
    errors: list[RunnerError] = []
    gates, config = _gates(root, flags, environ, errors), _config(root, git, prefix, environ, errors)
    workspace = Workspace(root, State(), within=git.root)
    listed = index.listed(git, root)
    unpacking = Unpacking.of(config) if config else None
    sight = files.Sight(workspace.hiding, listed.ignored_locks)
    pipeline, unread = files.survey(workspace.found(listed.files), workspace.read, str(root), unpacking, sight)
    errors += unread
    material = Material(
        pipeline=pipeline,
        errors=errors,
        read=_reader(root),
        exists=lambda path: os.path.exists(root / path),  # noqa: PTH110 - False, and no error, for what is no path
        tracked=_below(prefix, partial(index.tracked, git)),
        checked_out=_below(prefix, partial(index.checked_out, git)),
        ignored=_below(prefix, partial(index.ignored, git)),
        gates=[(gate.file, gate.where) for gate in gates.gates] if gates else (),
        config=config,
    )
    return Evidence(material, gates.lint if gates else {}, prefix, root)


def _gates(
    root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str], errors: list[RunnerError]
) -> GateFile | None:
    try:
        return ruling.checked(root, flags, environ)
    except ConfigError as error:
        others = [problem for problem in error.problems if problem.where is None]
        if others:  # an option or an input
            raise ConfigErrors(others) from error
        errors += error.problems
        return None


def _config(root: Path, git: Git, prefix: str, environ: Mapping[str, str], errors: list[RunnerError]) -> Config | None:
    try:
        return configured.dvc_config(root, git, prefix, environ)
    except ConfigError as error:
        errors += error.problems
        return None


def _reader(root: Path) -> Callable[[str], str | None]:
    """Give a function that reads each text of the project once; nothing outside it, and no data."""

    @cache
    def read(path: str) -> str | None:
        place = root / path
        if path.startswith(("/", "../")):
            return None
        with suppress(OSError, ValueError):
            if place.is_file() and place.stat().st_size <= _MOST_BYTES:
                return place.read_bytes().decode("utf-8-sig")
        return None

    return read


def _below(prefix: str, ask: Callable[[list[str]], set[str]]) -> Callable[[Iterable[str]], set[str]]:
    """Ask git of paths as the project spells them; what leads out of it git is not asked."""

    def asked(paths: Iterable[str]) -> set[str]:
        inside = [f"{prefix}{path}" for path in paths if not path.startswith(("/", ".."))]
        return {path.removeprefix(prefix) for path in ask(inside)}

    return asked


def within(evidence: Evidence, directory: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Give the paths of a command line as the project spells them.

    Raises:
        ConfigError: there is no such file or folder.

    """
    found = []
    for path in paths:
        place = directory / path
        if not place.exists():
            message = f"there is no file or folder {path}"
            raise ConfigError(message, "name DVC files or folders of the project")
        found.append(Path(os.path.relpath(place, evidence.root)).as_posix())
    return tuple(found)
