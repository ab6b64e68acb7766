"""Making one stage by its command: its inputs are checked before and after, its outs hashed and taken into the cache.

A command that fails leaves the stage's outs as they were before it ran.
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from runner.engine import aside, shell
from runner.engine.courses import Turn
from runner.engine.executor import Task
from runner.engine.outcome import StageFailed
from runner.engine.recorded import recorded_as
from runner.errors import ConfigError
from runner.hashes import MD5
from runner.pipeline import params
from runner.pipeline.model import LockEntry
from runner.pipeline.wishes import Resources
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from runner.engine.again import Again
    from runner.engine.courses import Course
    from runner.engine.decision import Content, Now
    from runner.engine.executor import Executor, Ran
    from runner.engine.keeping import Keeping
    from runner.engine.known import Known
    from runner.engine.workspace import Workspace
    from runner.log import StageOutput
    from runner.pipeline.model import Dep, Out, Stage
    from runner.pipeline.wishes import Wishes

_ALONE: Final = Resources(cpu=1 << 60)
"""More than any machine has: who asks for that runs with nobody beside it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A stage that was run: its new entry, what it read, and the seconds its command took."""

    entry: LockEntry
    before: Now
    seconds: float


logger = logging.getLogger("retrain")


@dataclass(frozen=True)
class Making:
    """Makes stages; one for a run.

    Attributes:
        known: the workspace seen through the lock.
        workspace: the working tree.
        keep: gives the writer of outs; asked for when something is to be written.
        executor: runs commands.
        output: opens the place where a stage's output goes.
        environment: gives a stage's environment; the GPUs that are its alone are given by name.
        setup: shell text to run once, before the first command; empty: none.
        again: runs each command a second time, to compare; `None`: nothing is run twice.

    """

    known: Known
    workspace: Workspace
    keep: Callable[[], Keeping]
    executor: Executor
    output: Callable[[Stage], AbstractContextManager[StageOutput]]
    environment: Callable[[Stage, Sequence[str]], Mapping[str, str]]
    setup: str = ""
    again: Again | None = None

    def inputs(self, stage: Stage) -> Now:
        """Look at what the stage reads, all of it in place now; what is missing fails it before anything is touched."""
        now = self.known.now(stage, ())
        for dep in stage.deps:
            if dep.dataset and now.deps[dep.spelled] is None:
                message = f"dvc.lock does not say what {dep.spelled} is now; `dvc ds update {dep.dataset}` writes it"
                raise StageFailed(message)
            if (now.deps[dep.spelled] if dep.source else self.workspace.observe(dep.path)) is None:
                message = f"dependency {dep.path!r} does not exist"
                raise StageFailed(message)
        for param in stage.params:
            values = now.params[param.spelled]
            absent = params.missing(param, values or {})
            if absent or values is None:
                message = f"params {', '.join(absent) or 'file'} are missing from {param.path}"
                raise StageFailed(message)
        return now

    def make(self, stage: Stage, asked: Wishes) -> Course[Made]:
        """Run the command when there is room for it, and take in what it wrote."""
        with ExitStack() as shown:
            output = None
            if self.setup and not self._ready:
                yield Turn(_ALONE)
                output = shown.enter_context(self.output(stage))
                yield from self._set_up(stage, output)
            gpus = yield Turn(asked.resources)
            before = self.inputs(stage)
            self.keep().check_untracked(stage)
            output = output or shown.enter_context(self.output(stage))
            return (yield from self._tried(stage, before, asked, output, gpus))

    def _tried(
        self, stage: Stage, before: Now, asked: Wishes, output: StageOutput, gpus: Sequence[str]
    ) -> Course[Made]:
        """Run the command, again as often as the stage asks for where it fails."""
        absent = [out for out in stage.outs if not os.path.lexists(self.workspace.path(out.path))]
        for left in reversed(range(asked.retries + 1)):
            try:
                return (yield from self._run(stage, before, output, self._task(stage, before, asked, gpus)))
            except StageFailed as failure:
                if not (left and failure.may_be_tried_again):
                    raise
                self._check_inputs(stage, before)
                self._clear(absent)
                tries = f"try {asked.retries - left + 2} of {asked.retries + 1}"
                output(f"> {failure.why}; {tries}\n".encode())
        raise AssertionError

    def _clear(self, outs: Sequence[Out]) -> None:
        """Remove what a failed try wrote where nothing was."""
        for out in outs:
            self.workspace.check_inside(str(PurePosixPath(out.path).parent))
            aside.remove(self.workspace.path(out.path))
            self.workspace.forget(out.path)

    def _run(self, stage: Stage, before: Now, output: StageOutput, task: Task) -> Course[Made]:
        """Run the command with the outs out of the way; they come back if it fails."""
        keep = self.keep()
        with keep.reserved(stage), keep.aside(stage) as committed:
            with keep.unlocked():
                ran = yield from self._ran(task, output)
            if ran.why:
                raise StageFailed(ran.why, code=ran.code, seconds=ran.seconds, tail=output.tail, again=True)
            yield from self._hashed(stage)
            try:
                entry = self._written(stage, before)
                self._check_again(stage, entry, task, output)
            except (StageFailed, ConfigError) as failure:
                raise StageFailed(failure.args[0], seconds=ran.seconds, tail=output.tail) from failure
            committed()
        return Made(entry, before, ran.seconds)

    def _task(self, stage: Stage, before: Now, asked: Wishes, gpus: Sequence[str]) -> Task:
        """Give a stage's run as a value."""
        deps = {dep.path: content.hash for dep in stage.local_deps if (content := before.deps[dep.spelled])}
        outs = tuple(out.path for out in stage.outs)
        lines = shell.lines_of(stage.cmd or ())
        env = {**self.environment(stage, gpus), **self.keep().mark}
        return Task(stage.address, lines, stage.wdir, env, deps, outs, asked.timeout)

    def _ran(self, task: Task, output: StageOutput) -> Course[Ran]:
        try:
            ran: Ran = yield partial(self.executor.run, task, output)
        except (OSError, ValueError) as error:
            message = f"the command could not be started: {error}"
            raise StageFailed(message) from error
        return ran

    def _check_again(self, stage: Stage, entry: LockEntry, task: Task, output: StageOutput) -> None:
        """Fail, or warn of, a stage that does something else the second time."""
        differs = self.again.differs(stage, entry, task, output) if self.again else ""
        if differs and self.again and self.again.strict:
            message = f"run a second time it does not write the same: {differs}"
            raise StageFailed(message)
        if differs:
            logger.warning("stage %s, run a second time, does not write the same: %s", stage.address, differs)

    @cached_property
    def _ready(self) -> list[str]:
        """Setup texts that have run."""
        return []

    def _set_up(self, stage: Stage, output: StageOutput) -> Course[None]:
        """Run the setup before the first command of this run: one script of /bin/sh, which ends at its first error."""
        if self._ready:
            return
        env = {**self.environment(stage, ()), **self.keep().mark}
        env.pop("SHELL", None)
        script = (f"set -e\n{self.setup}",)
        with self.keep().unlocked():
            ran = yield from self._ran(Task(stage.address, script, ".", env, is_setup=True), output)
        if ran.why:
            message = f"the setup ended with exit code {ran.code}" if ran.code > 0 else f"the setup: {ran.why}"
            raise StageFailed(message, code=ran.code, seconds=ran.seconds, tail=output.tail)
        self._ready.append(self.setup)

    def _hashed(self, stage: Stage) -> Course[None]:
        """Hash large outs beside what else goes on."""
        kind = self.known.pipeline.kind
        for out in stage.outs:
            self.workspace.forget(out.path)
        large = [out.path for out in stage.outs if self.workspace.is_large(out.path)]
        for path in large:
            look = yield partial(self.workspace.look, path, kind)
            if not isinstance(look, ConfigError):  # said where the out is taken in
                self.workspace.remember(path, kind, look)

    def _written(self, stage: Stage, before: Now) -> LockEntry:
        """Hash what the stage wrote and take it into the cache; check that it left its inputs alone."""
        self._check_inputs(stage, before)
        outs = []
        for out in stage.outs:
            content = self.out(stage, out)
            if out.cache or (self.keep().may_remember(stage, before) and (out.metric or out.plot)):
                self.keep().add(out, content)
            if out.cache:
                self.keep().recording.ignore(stage, out)
            outs.append(recorded_as(out.spelled, content))
        contents = ((dep.spelled, before.deps[dep.spelled]) for dep in stage.deps)
        deps = tuple(recorded_as(spelled, content) for spelled, content in contents if content)
        values = {param.spelled: dict(before.params[param.spelled] or {}) for param in stage.params}
        return LockEntry(stage.cmd, deps, values, tuple(outs))

    def out(self, stage: Stage, out: Out) -> Content:
        """Give what lies in the place of an out, or fail the stage that was to write it."""
        content = self.known.written(stage, out)
        if content is None:
            message = f"output {out.path!r} does not exist after the command"
            raise StageFailed(message)
        return content

    def _check_inputs(self, stage: Stage, before: Now) -> None:
        """Fail a stage that changed what it reads. Deps may overlap: all are noted before one is forgotten."""
        old = {dep.path: self._files(dep, before) for dep in stage.local_deps}
        for dep in stage.local_deps:
            self.workspace.forget(dep.path)
        for dep in stage.local_deps:
            was = before.deps[dep.spelled]
            now = self.workspace.observe(dep.path, was.hash.name) if was else None
            if not (was and now and was.hash == now.hash):
                raise StageFailed(_changed(dep, old[dep.path], self._files(dep, before)))
        self.known.reread()
        for param in stage.params:
            if not _same(before.params[param.spelled], self.known.values(param)):
                message = (
                    f"params in {param.path!r} were changed while the command ran; let a stage before it write them"
                )
                raise StageFailed(message)

    def _files(self, dep: Dep, before: Now) -> dict[str, str]:
        """Give the files of a directory, by path inside it, hashed as before the run; none for a file."""
        was = before.deps[dep.spelled]
        kind = was.hash.name if was else MD5
        content = self.workspace.observe(dep.path, kind)
        return dict(self.workspace.tree(dep.path, kind)) if content and content.hash.is_dir else {}


def _changed(dep: Dep, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))[:3]
    inside = f" ({', '.join(changed)})" if changed else ""
    return (
        f"dependency {dep.path!r} was changed while the command ran{inside}; declare it as an out, "
        "or name what it writes there in .dvcignore"
    )


def _same(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Compare as DVC does, except that what was not a number (NaN) and still is not has not changed."""
    return params.equal(was, now) or repr(was) == repr(now)
