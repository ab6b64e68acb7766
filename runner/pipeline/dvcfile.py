"""`.dvc` files: data that `dvc add` and `dvc import` track. Reads them, and writes new hashes into them.

Imports are read as data that is simply there; their source is never asked.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError, Location
from runner.pipeline import lock, shape, yaml12
from runner.pipeline.model import LockEntry, Out, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.pipeline.model import LockedPath
    from runner.pipeline.shape import Page, Shape, Where

_TOP: Final[Shape] = {
    "md5": shape.CHECKSUM,
    "wdir": shape.NULLABLE_STRING,
    "deps": shape.NULLABLE_LIST,
    "outs": shape.NULLABLE_LIST,
    "frozen": shape.BOOL,
    "locked": shape.BOOL,
    "always_changed": shape.BOOL,
    "desc": shape.STRING,
    "meta": shape.ANYTHING,
}
_PATH: Final[Shape] = {key: kind for key, kind in lock.ITEM.items() if key != "dataset"} | {
    "persist": shape.BOOL,
    "fs_config": shape.MAPPING,
}
_DEP: Final[Shape] = {**_PATH, "repo": shape.MAPPING, "db": shape.MAPPING}
_OUT: Final[Shape] = {
    **_PATH,
    "cache": shape.BOOL,
    "push": shape.BOOL,
    "remote": shape.STRING,
    "desc": shape.STRING,
    "type": shape.STRING,
    "labels": shape.STRINGS,
    "meta": shape.ANYTHING,
}
_LEGACY: Final = ("cmd", "metric", "plot", "tags", "erepo")
_WRITTEN: Final[tuple[str, ...]] = ("md5", "size", "nfiles", "isexec", "hash")
_RECORDED: Final = frozenset({*_WRITTEN, "etag", "checksum", "version_id", "cloud", "files"})
_COMMENT: Final = re.compile(r"\s+#.*\Z")


def parse(page: Page, document: object, root: str) -> tuple[Stage, LockEntry]:
    """Read a `.dvc` file as a data source, and the hashes in it as its entry.

    Args:
        page: the file; mistakes are noted on it.
        document: its content as parsed; an empty mapping for an empty file.
        root: the repository's absolute path, or empty.

    """
    spec = document if _may_be_read(page, document) and isinstance(document, dict) else {}
    outs = {number: one for number, one in enumerate(spec.get("outs") or ()) if _is_out(page, one, ("outs", number))}
    wdir = _wdir(page, spec, root)
    stage = Stage(
        address=page.file,
        file=page.file,
        name="",
        cmd=None,
        wdir=wdir,
        outs=tuple(_out(page, wdir, one, root, ("outs", number)) for number, one in outs.items()),
        frozen=spec.get("frozen", False) or spec.get("locked", False),
        always_changed=spec.get("always_changed", False),
        desc=spec.get("desc", ""),
        meta=spec.get("meta"),
        where=Location(page.file, 1, 1),
    )
    return stage, LockEntry(cmd=None, outs=tuple(lock.locked_path(one) for one in outs.values()))


def _may_be_read(page: Page, document: object) -> bool:
    if isinstance(document, dict) and "cmd" in document:
        page.wrong(("cmd",), "stage files with a cmd (DVC 0.x) are not supported yet", "move the stage to dvc.yaml")
        return False
    if not page.fits(document, _TOP, ()) or not isinstance(document, dict):
        return False
    deps = document.get("deps") or ()
    frozen = document.get("frozen") or document.get("locked")
    if deps and not frozen:
        page.wrong(
            ("deps",), "an import that is not frozen is not supported yet", "dvc freeze it; its source is not asked"
        )
    fitting = [page.fits(dep, _DEP, ("deps", number)) for number, dep in enumerate(deps)]
    return all(fitting)


def _is_out(page: Page, written: object, at: Where) -> bool:
    legacy = [word for word in _LEGACY if isinstance(written, dict) and word in written]
    for word in legacy:
        page.wrong((*at, word), f"{word} in a .dvc file (DVC 0.x) is not supported yet", "move it to dvc.yaml")
    if legacy or not page.fits(written, _OUT, at, required="path"):
        return False
    return isinstance(written, dict) and lock.names_object(page, written, at)


def _wdir(page: Page, spec: Mapping[str, Any], root: str) -> str:
    wdir = shape.relative(posixpath.dirname(page.file) or ".", spec.get("wdir") or ".", root)
    if wdir.startswith(("/", "../")) or wdir == "..":
        page.wrong(("wdir",), f"the wdir {spec['wdir']!r} is outside the repository", kind="outside-repository")
    return wdir


def _out(page: Page, wdir: str, written: Mapping[str, Any], root: str, at: Where) -> Out:
    spelled = written["path"]
    if shape.URL.match(spelled):
        page.wrong((*at, "path"), f"the URL {spelled!r} is not supported as an out", "track a file of the repository")
    return Out(
        path=page.path(wdir, spelled, root, (*at, "path"), writes=True),
        spelled=spelled,
        **{flag: written[flag] for flag in ("cache", "persist", "push", "remote") if flag in written},
    )


def updated(text: str, file: str, outs: Sequence[LockedPath]) -> str:
    """Give the text of a `.dvc` file with new hashes: comments and the order of keys stay (DVC's rule).

    Args:
        text: the present text, already read once without a mistake.
        file: its path, for messages.
        outs: what is recorded anew, found in the file by path as spelled; others stay as they are.

    """
    plain = text.replace("\r\n", "\n")
    fresh = {out.spelled: lock.path_data(out) for out in outs}
    document = yaml12.parse(plain, file)
    lines = plain.split("\n")
    for number, written in reversed(list(enumerate(document["outs"]))):
        if recorded := fresh.get(written["path"]):
            values = {key: recorded[key] for key in _WRITTEN if key in recorded}
            _edit(lines, {key: yaml12.locate(plain, "outs", number, key) for key in written}, values)
            document["outs"][number] = _merged(written, values)
    edited = "\n".join(lines)
    return edited if _says(edited, file, document) else yaml12.render(document)


def _merged(written: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the out is to say: keys keep their place, new ones come last, what is outdated goes."""
    kept = {key: values.get(key, old) for key, old in written.items() if key in values or key not in _RECORDED}
    return kept | {key: value for key, value in values.items() if key not in kept}


def _edit(lines: list[str], places: Mapping[str, tuple[int, int]], values: Mapping[str, Any]) -> None:
    """Change the lines of one out; right where each key has a line of its own, else undone by the caller."""
    bottom = max(line for line, _ in places.values())
    margin = " " * (places["path"][1] - 1)
    lines[bottom:bottom] = [margin + _line(key, value) for key, value in values.items() if key not in places]
    for key, (line, column) in sorted(places.items(), key=lambda place: place[1], reverse=True):
        before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
        if key in values:
            comment = _COMMENT.search(after)
            lines[line - 1] = before + _line(key, values[key]) + (comment.group() if comment else "")
        elif key in _RECORDED:
            del lines[line - 1]


def _line(key: str, value: object) -> str:
    return yaml12.render({key: value}).removesuffix("\n")


def _says(text: str, file: str, document: object) -> bool:
    try:
        return bool(yaml12.parse(text, file) == document)
    except ConfigError:
        return False
