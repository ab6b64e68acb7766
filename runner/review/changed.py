"""The report's rows about data that changed, where it comes from, and plots. Plain values, as in `model`."""

from __future__ import annotations

from typing import Literal

from runner.values import dataclass

Kind = Literal["data", "code", "model", "metric", "plot", "param"]
Alteration = Literal["added", "changed", "removed"]
Side = Literal["base", "head"]


@dataclass(frozen=True, slots=True)
class PathRow:
    """A file or directory that a stage reads or writes.

    Attributes:
        path: repository-relative; of data from elsewhere its source in words.
        kind: what it is to a reader.
        hash: what it holds; empty where that is not recorded.
        bytes: its size; `None` where that is not recorded.
        files: how many files a directory has; `None` for a file.

    """

    path: str
    kind: Kind = "data"
    hash: str = ""
    bytes: int | None = None
    files: int | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file inside of a directory that differs between base and head."""

    path: str
    change: Alteration


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRow:
    """Tracked data that differs between base and head.

    Attributes:
        path: of the file or directory, repository-relative.
        kind: what it is to a reader.
        change: what happened to it.
        base, head: hashes; empty on the side where it is not, or where nothing is recorded.
        base_bytes, head_bytes: sizes; `None` where unknown.
        added, changed, removed: numbers of files in a directory; `None` for a file, and where a listing is not at hand.
        files: the first of those files.

    """

    path: str
    kind: Kind = "data"
    change: Alteration
    base: str = ""
    head: str = ""
    base_bytes: int | None = None
    head_bytes: int | None = None
    added: int | None = None
    changed: int | None = None
    removed: int | None = None
    files: tuple[FileRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What went into an out: a dep with its hash, or a param with its value.

    Attributes:
        name: the path, or the params file and key.
        kind: `param`, or the kind of the dep.
        value: the hash or the value.
        was: the same at the base, if it differs; empty if it does not, or was not there.
        changed: whether it differs from the base.

    """

    name: str
    kind: Kind
    value: str
    was: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageRow:
    """Where the changed outs of a stage come from.

    Attributes:
        outs: their paths.
        stage: the stage that wrote them.
        how: `ran here`, `restored from an earlier run`, `recorded in the lock`.
        commit: the commit whose files went in.
        cmd: the command.
        ingredients: deps and params.

    """

    outs: tuple[str, ...]
    stage: str
    how: str
    commit: str
    cmd: str = ""
    ingredients: tuple[Ingredient, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file of one side.

    Attributes:
        side: `base` or `head`.
        media: its media type.
        content: its bytes in base64; empty where `why` says why it is not shown.
        why: why it is not shown.

    """

    side: Side
    media: str
    content: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotRow:
    """A plot, base against head.

    Attributes:
        id: as DVC names it: a path, or the name of a definition.
        title: as the definition says, else the id.
        template: the name of DVC's template, or of one of the project's; empty for images.
        x, y: the fields drawn.
        spec: Vega-Lite, with `"<DVC_METRIC_DATA>"` where the rows go; empty for images and where `why` says why.
        points: the rows as a JSON array; each has its `rev`, `base` or `head`.
        pictures: the image files.
        changed: whether the sides differ.
        why: why it is not drawn, or only in part.

    """

    id: str
    title: str
    template: str = ""
    x: str = ""
    y: str = ""
    spec: str = ""
    points: str = "[]"
    pictures: tuple[Picture, ...] = ()
    changed: bool = True
    why: str = ""
