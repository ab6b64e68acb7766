"""The nouns of a DVC project: what a stage is, and what the lock says of its last run. Pure values.

Paths inside the project are repository-relative POSIX strings, normalised (`path`); beside them stands the
text as written in the DVC file (`spelled`), because DVC's lock records and looks up paths by their spelling.
"""

from __future__ import annotations

import posixpath
from dataclasses import field
from typing import TYPE_CHECKING, Any

from runner.pipeline.addresses import address
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.errors import Location
    from runner.hashes import Hash
    from runner.pipeline.source import Source


@dataclass(frozen=True, slots=True)
class Dep:
    """A file or directory that a stage reads.

    Attributes:
        path: where it is, repository-relative; of one that has a source, that source in words.
        spelled: as the DVC file writes it, relative to the stage's wdir.
        source: where it is to be had, if that is not the project.

    """

    path: str
    spelled: str
    source: Source | None = None

    @property
    def dataset(self) -> str:
        """The name of the dataset that it is; empty where it is none."""
        return self.source.dataset if self.source else ""


@dataclass(frozen=True, slots=True)
class Param:
    """What a stage reads of one params file.

    Attributes:
        path: the params file, repository-relative.
        spelled: the params file as seen from the stage's wdir, which is how DVC's lock names it.
        keys: dotted keys, in the order written; empty means the whole file.

    """

    path: str
    spelled: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of a metrics file DVC 0.x took for the metric.

    Attributes:
        type: how the file is read: `json`, `csv`, `hcsv` (with a header), `tsv`, `htsv`, `raw`; empty: by its suffix.
        xpath: JSONPath, or `row,column` of a table, either of them empty for all; empty: the whole file.

    """

    type: str = ""
    xpath: str = ""


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
        style: how the plot is drawn: `x`, `y`, `x_label`, `y_label`, `title`, `template`, `header`, as written.
        excerpt: what of a metrics file is the metric, as DVC 0.x was told; `None`: all of it.
        remote: the only remote it is sent to and pulled from; empty: the default one.
        origin: the `.dvc` file from whose source it is had, and from no remote; empty: it is kept in a remote.

    """

    path: str
    spelled: str
    cache: bool = True
    persist: bool = False
    push: bool = True
    metric: bool = False
    plot: bool = False
    style: tuple[tuple[str, str], ...] = ()
    remote: str = ""
    excerpt: Excerpt | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a `dvc.yaml`, or a `.dvc` file, which has one entry of its own (and a cmd only if DVC 0.x wrote it).

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
        used: the variables of templates it uses that come from files: file -> dotted keys. For `params diff`; they are
            no deps: what they change of the stage is its cmd and paths.
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
    used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: Location | None = field(default=None, compare=False)

    def address_from(self, cwd: str) -> str:
        """Give the address as DVC prints it in the folder `cwd`, repository-relative: `../dvc.yaml:train`."""
        return address(posixpath.relpath(self.file, cwd), self.name)

    @property
    def is_data_source(self) -> bool:
        """Whether nothing is ever run for it: a `.dvc` file, or a stage with an empty cmd."""
        return not self.cmd

    @property
    def is_import(self) -> bool:
        """Whether its only out is a copy of its only dep (DVC's rule): it is made by importing, not by a command."""
        return not (self.cmd or self.name) and len(self.deps) == 1 and len(self.outs) == 1

    @property
    def is_tracked(self) -> bool:
        """Whether nothing makes its data: what lies in the workspace is what there is."""
        return self.is_data_source and not self.is_import

    @property
    def reads(self) -> tuple[str, ...]:
        """The paths in the project that it reads: its deps and its params files."""
        return (*(dep.path for dep in self.local_deps), *(param.path for param in self.params))

    @property
    def local_deps(self) -> tuple[Dep, ...]:
        """The deps that lie in the project."""
        return tuple(dep for dep in self.deps if dep.source is None)

    @property
    def is_callback(self) -> bool:
        """Whether it has a cmd and neither deps, params nor outs: DVC runs such a stage every time."""
        return bool(self.cmd) and not (self.deps or self.params or self.outs)


@dataclass(frozen=True, slots=True)
class LockedPath:
    """What a lock, or a `.dvc` file, records of a dep or an out.

    Attributes:
        spelled: the path as written there.
        hash: the content's name; `None` where nothing was recorded. Of a dep with a source it may be an ETag, a
            checksum, or a commit, as its kind says.
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
        cmd: the command as it was; `None` for a `.dvc` file without one.
        deps, outs: in the order of the file.
        params: params file as spelled, then flat dotted key, then value.
        checksum: the md5 at the top of a `.dvc` file with deps, if it is not that of what the file says.

    """

    cmd: str | tuple[str, ...] | None
    deps: tuple[LockedPath, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outs: tuple[LockedPath, ...] = ()
    checksum: str | None = None

    def dep(self, spelled: str) -> LockedPath | None:
        """Give the entry of the dep written `spelled` (exact text, DVC's rule)."""
        return next((dep for dep in self.deps if dep.spelled == spelled), None)

    def out(self, spelled: str) -> LockedPath | None:
        """Give the entry of the out written `spelled` (exact text, DVC's rule)."""
        return next((out for out in self.outs if out.spelled == spelled), None)
