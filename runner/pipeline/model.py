"""The nouns of a DVC project: what stages are, and what the lock says of their last run. Pure values.

Paths inside the project are repository-relative POSIX strings, normalised (`path`); beside them stands the
text as written in the DVC file (`spelled`), because DVC's lock records and looks up paths by their spelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.errors import Location
    from runner.hashes import Hash


@dataclass(frozen=True, slots=True)
class Dep:
    """A file or directory that a stage reads.

    Attributes:
        path: where it is, repository-relative.
        spelled: as the DVC file writes it, relative to the stage's wdir.

    """

    path: str
    spelled: str


@dataclass(frozen=True, slots=True)
class Param:
    """What a stage reads of one params file.

    Attributes:
        path: the params file, repository-relative.
        spelled: the params file as the DVC file writes it (`params.yaml` where it names none).
        keys: dotted keys, in the order written; empty means the whole file.

    """

    path: str
    spelled: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Out:
    """A file or directory that a stage writes, or that a `.dvc` file tracks.

    Attributes:
        path: where it is, repository-relative.
        spelled: as the DVC file writes it, relative to the stage's wdir.
        cache: whether its bytes are kept in the cache (otherwise git tracks it).
        persist: whether it stays in place when the stage runs again.
        push: whether it is sent to the remote.
        metric: whether it is a metrics file.
        plot: whether it is a plot.
        remote: the only remote it is sent to and pulled from; empty: the default one.

    """

    path: str
    spelled: str
    cache: bool = True
    persist: bool = False
    push: bool = True
    metric: bool = False
    plot: bool = False
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a `dvc.yaml`, or a `.dvc` file (which has no cmd and one entry of its own).

    Attributes:
        address: as DVC prints it from the root: `train`, `sub/dvc.yaml:train@a`, `data.csv.dvc`.
        file: the DVC file, repository-relative.
        name: the name in its dvc.yaml; empty for a `.dvc` file.
        cmd: the command, one string or several; `None` for a data source.
        wdir: working directory, repository-relative; `.` for the root.
        deps, params, outs: in the order written; metrics and plots are outs.
        frozen: its dependencies are not looked at.
        always_changed: it runs every time.
        desc, meta: for people; never hashed.
        where: line and column of the stage's definition.

    """

    address: str
    file: str
    name: str
    cmd: str | tuple[str, ...] | None
    wdir: str
    deps: tuple[Dep, ...] = ()
    params: tuple[Param, ...] = ()
    outs: tuple[Out, ...] = ()
    frozen: bool = False
    always_changed: bool = False
    desc: str = ""
    meta: Any = None
    where: Location | None = field(default=None, compare=False)

    @property
    def is_data_source(self) -> bool:
        """Whether nothing is ever run for it: a `.dvc` file, or a stage with an empty cmd."""
        return not self.cmd

    @property
    def is_callback(self) -> bool:
        """Whether it has a cmd and neither deps, params nor outs: DVC runs such a stage every time."""
        return bool(self.cmd) and not (self.deps or self.params or self.outs)


@dataclass(frozen=True, slots=True)
class LockedPath:
    """What a lock, or a `.dvc` file, records of a dep or an out.

    Attributes:
        spelled: the path as written there.
        hash: the content's name; `None` where nothing was recorded.
        size: bytes, of the file or of all files of the directory; `None` where unknown.
        nfiles: number of files, only for directories.
        isexec: whether a single file is executable.
        extra: further keys as read (`cloud`, `files`, ...), kept when the entry is written again.

    """

    spelled: str
    hash: Hash | None
    size: int | None = None
    nfiles: int | None = None
    isexec: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LockEntry:
    """What a stage's last run read and wrote.

    Attributes:
        cmd: the command as it was; `None` for a `.dvc` file.
        deps, outs: in the order of the file.
        params: params file as spelled, then flat dotted key, then value.

    """

    cmd: str | tuple[str, ...] | None
    deps: tuple[LockedPath, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outs: tuple[LockedPath, ...] = ()

    def dep(self, spelled: str) -> LockedPath | None:
        """Give the entry of the dep written `spelled` (exact text, DVC's rule)."""
        return next((dep for dep in self.deps if dep.spelled == spelled), None)

    def out(self, spelled: str) -> LockedPath | None:
        """Give the entry of the out written `spelled` (exact text, DVC's rule)."""
        return next((out for out in self.outs if out.spelled == spelled), None)
