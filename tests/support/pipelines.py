"""Small real DVC projects in real git repositories, with a directory remote, opened as the command line opens them.

The project lies in `root`; `remote` (DVC's) and `journal` lie beside it, so that clones share them. A command that
runs `echo NAME >> ../journal` leaves a trace of having run.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner import ci, opening
from runner.engine import exchange
from tests.interop.projects import DVC_GITIGNORE, commit, git, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.engine.plan import Plan
    from runner.hashes import Hash
    from runner.opening import Opened
    from runner.review.model import Report, StageRow
    from runner.store.moved import Moved

MAKE = "stages:\n  make:\n    cmd: echo 1 > o\n    outs: [o]\n"
CONFIG = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../remote\n"


@dataclass(frozen=True)
class Workshop:
    """One clone of a project.

    Attributes:
        root: the project's folder, the top of its git repository.
        environ: what the runner sees of the environment; stages see what the fence lets through.

    """

    root: Path
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @property
    def remote(self) -> Path:
        return self.root.parent / "remote"

    @property
    def journal(self) -> list[str]:
        """Give what ran since this was asked last, in order."""
        place = self.root.parent / "journal"
        lines = place.read_text().split() if place.exists() else []
        place.unlink(missing_ok=True)
        return lines

    def put(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files of the project; `None` removes one."""
        put(self.root, files)

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def names(self, folder: str = ".") -> set[str]:
        """Give the files of the workspace below `folder`, without git's and DVC's own."""
        found = (self.root / folder).rglob("*")
        paths = (path.relative_to(self.root / folder) for path in found if path.is_file())
        return {str(path) for path in paths if path.parts[0] not in {".git", ".dvc"}}

    def commit(self, message: str = "Work") -> str:
        """Commit everything that is not ignored; give the commit."""
        commit(self.root, message)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def clone(self, name: str) -> Workshop:
        """Give a fresh clone beside this one: the commit's files and no data."""
        git(self.root.parent, "clone", "--quiet", str(self.root), name)
        return Workshop(self.root.parent / name, self.environ)

    def open(self, verb: str = "repro", **flags: str) -> Opened:
        """Open the project as the command line does."""
        given = {"working-directory": str(self.root), **{name.replace("_", "-"): text for name, text in flags.items()}}
        judges = verb in {"run", "gate"}
        compares = judges or verb == "plan"
        return opening.open_call(given, self.environ, f"retrain {verb}", compares=compares, judges=judges)

    @contextmanager
    def opened(self, verb: str = "repro", **flags: str) -> Iterator[Opened]:
        """Open the project, and close it whatever happens."""
        found = self.open(verb, **flags)
        try:
            yield found
        finally:
            found.close()

    def steps(self, *targets: str) -> Plan:
        with self.opened("plan") as opened:
            return ci.plan(opened.project, targets)

    def plan(self, *targets: str) -> dict[str, str]:
        """Give each stage's decision, one word."""
        return {step.stage.address: step.decision.word for step in self.steps(*targets).steps}

    def reasons(self, stage: str) -> list[tuple[str, str, Any, Any]]:
        """Give why the plan does not call a stage fresh: change, path, was, now."""
        found = next(step.decision.reasons for step in self.steps().steps if step.stage.address == stage)
        return [(reason.change.value, reason.path, reason.was, reason.now) for reason in found]

    def planned_pull(self) -> tuple[int, int]:
        """Give the objects and bytes that the plan says a run will pull."""
        pull = self.steps().pull
        return pull.objects, pull.bytes

    def repro(self, *targets: str, **flags: str) -> Report:
        """Make the stages fresh, one after the other unless `jobs` says otherwise; give the report."""
        with self.opened("repro", targets="\n".join(targets), **{"jobs": "1", **flags}) as opened:
            return ci.repro(opened.project, opened.asked)

    def run(self, **flags: str) -> Report:
        """Do the whole job: make fresh, judge, push."""
        with self.opened("run", **{"jobs": "1", **flags}) as opened:
            return ci.run(opened.project, opened.asked)

    def pull(self, *targets: str, force: bool = False) -> Moved:
        with self.opened() as opened:
            return exchange.pull(opened.project, targets, force=force)

    def push(self, *targets: str) -> Moved:
        with self.opened() as opened:
            return exchange.push(opened.project, targets)

    def recorded(self, path: str) -> Hash:
        """Give what the lock, or a `.dvc` file, says an out holds."""
        with self.opened() as opened:
            pipeline = opened.project.pipeline
        for stage in pipeline.stages:
            for out in stage.outs:
                if out.path == path:
                    recorded = pipeline.entries[stage.address].out(out.spelled)
                    assert recorded
                    assert recorded.hash
                    return recorded.hash
        raise KeyError(path)

    def objects(self, path: str) -> list[str]:
        """Give the names, below a cache or remote, of everything the out at `path` consists of, a listing first."""
        name = self.recorded(path)
        with self.opened() as opened:
            tree = opened.project.objects.listing(name) if name.is_dir else None
        return [name.key, *(member.key for _, member in tree.members())] if tree else [name.key]

    def lose(self, *paths: str) -> None:
        """Remove the objects of outs from the cache and the remote; the files in the workspace stay."""
        for key in [key for path in paths for key in self.objects(path)]:
            (self.remote / key).unlink(missing_ok=True)
            (self.root / ".dvc" / "cache" / key).unlink(missing_ok=True)


def elsewhere(made: Workshop, folder: Path) -> Workshop:
    """Give a clone in another folder, with its data, that shares nothing with `made` but the remote."""
    git(folder, "clone", "--quiet", str(made.root), "root")
    (folder / "remote").symlink_to(made.remote)
    clone = Workshop(folder / "root", made.environ)
    clone.pull()
    return clone


def decisions(report: Report) -> dict[str, str]:
    """Give what became of each stage; a stage has one row."""
    found = {row.stage: row.decision for row in report.stages}
    assert len(found) == len(report.stages), report.stages
    return dict(found)


def row(report: Report, stage: str) -> StageRow:
    return next(row for row in report.stages if row.stage == stage)


def workshop(folder: Path, pipeline: str, files: Mapping[str, str | bytes] | None = None) -> Workshop:
    """Make a project in `folder/root` of a dvc.yaml and files, everything committed, nothing run."""
    (folder / "remote").mkdir(parents=True)
    root = folder / "root"
    git(folder, "init", "--quiet", "-b", "main", str(root))
    put(root, {".dvc/config": CONFIG, ".dvc/.gitignore": DVC_GITIGNORE, **({"dvc.yaml": pipeline} if pipeline else {})})
    put(root, files or {})
    made = Workshop(root)
    made.commit()
    return made


def finished(folder: Path, pipeline: str, files: Mapping[str, str | bytes] | None = None) -> Workshop:
    """Make such a project, run it, push what it made, and commit."""
    made = workshop(folder, pipeline, files)
    report = made.run(push="always")
    assert report.exit_code == 0, report
    made.commit("Run")
    return made


def pull_request(made: Workshop, tmp_path: Path, fork: str = "owner/name") -> Workshop:
    """Give the project as a job of a pull request sees it, whose branch names a remote of its own."""
    base = made.git("rev-parse", "HEAD")
    made.git("checkout", "-q", "-b", "feature")
    made.put({".dvc/config": CONFIG.replace("../../remote", "/of/stranger")})
    head = made.commit()
    repository = {"repo": {"full_name": fork}, "sha": head}
    payload = {"pull_request": {"number": 1, "head": repository, "base": {"ref": "main", "sha": base}}}
    (tmp_path / "event.json").write_text(json.dumps(payload))
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_SHA": head,
    }
    return Workshop(made.root, {**made.environ, **job})
