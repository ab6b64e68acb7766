"""Since which commit a stage differs from what the lock says: `decide` asked again of commits, back from HEAD.

Reads git's objects and listings of the cache or remote; runs nothing and writes nothing.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from runner.engine.committed import Committed
from runner.engine.decide import differences
from runner.engine.decision import Change, Content, Reason
from runner.engine.dvcignore import Ignore
from runner.engine.known import Known
from runner.engine.recorded import content_of
from runner.engine.seen import Seen
from runner.errors import RunnerError
from runner.git.history import cut_off, touching
from runner.hashes import MD5, Hash, Tree
from runner.store.digest import digest_of
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from runner.engine.project import Project
    from runner.engine.seen import Look
    from runner.pipeline.model import Dep, LockedPath, Stage

MOST = 1000
_NOWHERE_IN_GIT = frozenset(
    {
        *(Change.OUT_DELETED, Change.FORCED, Change.MISSING_OBJECT, Change.ALWAYS, Change.CALLBACK),
        *(Change.SOURCE, Change.UPDATE, Change.OUT_OF_SYNC),
    }
)


@dataclass(frozen=True, slots=True)
class Since:
    """From when on something differs.

    Attributes:
        commit: the first commit of those, up to HEAD, in which it does; empty: in none, only in the working tree.
        known: whether it did not differ before; otherwise history was not read further, or is not here.
        looked: how many commits were looked at.

    """

    commit: str
    known: bool
    looked: int


class History:
    """What a stage was in the commits behind HEAD."""

    def __init__(self, project: Project, stage: Stage, most: int = MOST) -> None:
        """Look at the commits that changed what `stage` is made of, at no more than `most` of them."""
        self._project = project
        self._stage = stage
        self._most = most
        self._differing = cache(self._differences)

    @cached_property
    def _commits(self) -> Mapping[str, tuple[str, ...]]:
        return touching(self._project.git, [f"{self._project.prefix}{path}" for path in self._paths()])

    @cached_property
    def _cut_off(self) -> frozenset[str]:
        return cut_off(self._project.git)

    def since(self, reason: Reason) -> Since | None:
        """Find the commit with which `reason` came; `None` where commits cannot tell."""
        if reason.change in _NOWHERE_IN_GIT or not self._commits:
            return None
        at = next(iter(self._commits))
        if not self._has(at, reason):
            return Since("", known=True, looked=1)
        for looked in range(1, self._most):
            before = self._commits.get(at, ())
            differing = next((parent for parent in before if self._has(parent, reason)), "")
            if not differing:
                return Since(at, at not in self._cut_off, looked)
            at = differing
        return Since(at, known=False, looked=self._most)

    def _has(self, commit: str, reason: Reason) -> bool:
        """Whether `reason`, or one that is larger, was there: that it never ran, or that all of a mapping was new."""
        for change, path in self._differing(commit):
            if change is Change.NEVER_RUN or (path == reason.path and _kind(change) == _kind(reason.change)):
                return True
            if path and reason.path.startswith(f"{path}."):
                return True
        return False

    def _differences(self, commit: str) -> AbstractSet[tuple[Change, str]]:
        project = self._project
        then = Committed(project.git, project.prefix, commit, project.unpacking)
        pipeline = then.pipeline
        stage = next((one for one in pipeline.stages if one.address == self._stage.address), None) if pipeline else None
        if pipeline is None or stage is None:
            return frozenset()
        entry = pipeline.entries.get(stage.address)
        if entry is None:
            return frozenset({(Change.NEVER_RUN, "")})
        known = Known(pipeline, _Tree(then), project.objects, _Unasked())
        try:
            found = differences(stage, entry, known.now(stage, ()))
        except RunnerError:  # that commit's files cannot be read, or are not to be had: it says nothing of before
            return frozenset()
        # No commit has an out that the cache keeps: that it is not there says nothing.
        return frozenset((reason.change, reason.path) for reason in found if reason.change is not Change.OUT_DELETED)

    def _paths(self) -> list[str]:
        """Name the files that decide over the stage, and over what it reads."""
        pipeline, stage = self._project.pipeline, self._stage
        files = [name for one in (stage, *pipeline.upstream(stage)) for name in (one.file, *one.used, *_lock_of(one))]
        kept = [out.path for out in stage.outs if not out.cache]
        return list(dict.fromkeys([*files, *stage.reads, *kept]))


class _Tree:
    """The files of one commit, looked at as if they lay in the workspace."""

    def __init__(self, then: Committed) -> None:
        self._then = then
        self._ignore = Ignore(self._dvcignore)
        self._seen = Seen()

    def is_there(self, relative: str) -> bool:
        return self.observe(relative) is not None

    def may_be_lent(self, _: str) -> bool:
        """Say no: nothing is put into a commit."""
        return False

    def read(self, relative: str) -> str | None:
        content = self._then.content(relative)
        return None if content is None else content.decode("utf-8-sig", "replace")

    def observe(self, relative: str, kind: str = MD5) -> Content | None:
        if (relative, kind) not in self._seen:
            self._seen.keep(relative, kind, self._look(relative, kind))
        return self._seen.content(relative, kind)

    observe_out = observe

    def tree(self, relative: str, kind: str = MD5) -> Tree:
        tree = self._seen.tree(relative, kind)
        assert tree is not None  # noqa: S101 - what git has is looked at as a whole
        return tree

    def forget(self, relative: str) -> None:
        """Do nothing: a commit does not change."""

    def _look(self, relative: str, kind: str) -> Look:
        content = self._then.content(relative)
        if content is not None:
            return Content(Hash(_named(content, kind), kind), len(content)), None
        inside = [path for path in self._then.inside(relative) if not self._is_hidden(path)]
        files = ((path[len(relative) + 1 :], _named(self._then.content(path) or b"", kind)) for path in inside)
        tree = Tree.of(files, kind)
        return (Content(tree.hash, nfiles=len(tree)), tree) if inside else None

    def _is_hidden(self, path: str) -> bool:
        rules = self._ignore.inside(path.rpartition("/")[0])
        return bool(rules.patterns) and rules.hides(path)

    def _dvcignore(self, relative: str) -> str | None:
        content = self._then.content(relative)
        return None if content is None else content.decode("utf-8", "replace")


class _Unasked:
    """Sources outside the project, of which nobody knows any more what they held: they differ in nothing."""

    def look(self, _: Dep, recorded: LockedPath | None) -> Content | None:
        return content_of(recorded) if recorded else None


def _named(content: bytes, kind: str) -> str:
    digest = digest_of(kind)
    digest.update(content)
    return digest.hexdigest()


def _kind(change: Change) -> str:
    """Give what a change is a change of: a dep that is gone and one that is modified both differ."""
    return change.value.partition(" ")[0]


def _lock_of(stage: Stage) -> tuple[str, ...]:
    return (f"{stage.file.removesuffix('dvc.yaml')}dvc.lock",) if stage.name else ()
