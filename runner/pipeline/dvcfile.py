"""`.dvc` files: data that `dvc add`, `dvc import` and `dvc import-url` track, and stages as DVC 0.x wrote them.

The latter may also be named `Dvcfile`. They are read by the rules of DVC 2.58, the last that did.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from runner.errors import Location
from runner.hashes import Hash, hash_listing
from runner.pipeline import lock, shape
from runner.pipeline.checksum import checksum, checksum_before_1
from runner.pipeline.model import Dep, Excerpt, LockedPath, LockEntry, Out, Stage
from runner.pipeline.source import REV, Repo, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.pipeline.shape import Page, Shape, Where

_TOP: Final[Shape] = {
    "md5": shape.CHECKSUM,
    "cmd": shape.NULLABLE_COMMAND,
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
    "metric": shape.BOOL_OR_MAPPING,
    "plot": shape.BOOL_OR_MAPPING,
    "checkpoint": shape.BOOL,
    "tags": shape.ANYTHING,
}
_METRIC: Final[Shape] = {"type": shape.NULLABLE_STRING, "xpath": shape.NULLABLE_STRING}
_METRIC_TYPES: Final = ("json", "csv", "hcsv", "tsv", "htsv", "raw")
_REPO: Final[Shape] = {
    "url": shape.STRING,
    "rev": shape.STRING,
    "rev_lock": shape.STRING,
    "config": shape.STRING_OR_MAPPING,
    "remote": shape.STRING_OR_MAPPING,
}

_FILE: Final[Shape] = {"relpath": shape.STRING, **lock.CHECKSUMS, **lock.META, "cloud": shape.MAPPING}


def parse(page: Page, document: object, root: str) -> tuple[Stage, LockEntry]:
    """Read a `.dvc` file as a stage, without a cmd a data source, and the hashes in it as its entry.

    Args:
        page: the file; mistakes are noted on it.
        document: its content as parsed; an empty mapping for an empty file.
        root: the repository's absolute path, or empty.

    """
    spec = document if _may_be_read(page, document) and isinstance(document, dict) else {}
    outs = {number: one for number, one in enumerate(spec.get("outs") or ()) if _is_out(page, one, ("outs", number))}
    written = [one for number, one in enumerate(spec.get("deps") or ()) if _is_dep(page, one, ("deps", number))]
    wdir = _wdir(page, spec, root)
    cmd = spec.get("cmd")
    cmd = tuple(cmd) if isinstance(cmd, list) else cmd or None
    stage = Stage(
        address=page.file,
        file=page.file,
        name="",
        cmd=cmd,
        wdir=wdir,
        deps=tuple(_dep(page, wdir, one, root, ("deps", number)) for number, one in enumerate(written)),
        outs=tuple(_out(page, wdir, one, root, ("outs", number)) for number, one in outs.items()),
        frozen=spec.get("frozen", False) or spec.get("locked", False),
        always_changed=spec.get("always_changed", False),
        desc=spec.get("desc", ""),
        meta=spec.get("meta"),
        where=Location(page.file, 1, 1),
    )
    if stage.is_import and (source := stage.deps[0].source) and (source.repo or source.versioned):
        stage = replace(stage, outs=(replace(stage.outs[0], origin=page.file),))
    entry = LockEntry(
        cmd=cmd,
        deps=tuple(map(_locked_dep, written)),
        outs=tuple(lock.locked_path(one, ()) for one in outs.values()),
        checksum=None if page.mistakes else _other_checksum(spec),
    )
    return stage, entry


def _may_be_read(page: Page, document: object) -> bool:
    if not page.fits(document, _TOP, ()) or not isinstance(document, dict):
        return False
    return not page.mistakes


def _other_checksum(spec: Mapping[str, Any]) -> str | None:
    """Give the md5 at the top of an import, if the file says something else than when that was written."""
    recorded, found = spec.get("md5") or "", checksum(spec)
    return recorded if found and recorded not in {found, checksum_before_1(spec)} else None


def _is_dep(page: Page, written: object, at: Where) -> bool:
    if isinstance(written, dict) and "db" in written:
        page.wrong((*at, "db"), "imports from a database are not supported", "export the data, and import the export")
        return False
    if not page.fits(written, _DEP, at, required="path") or not isinstance(written, dict):
        return False
    if not written["path"] or shape.CONTROL.search(written["path"]):
        page.wrong((*at, "path"), f"{written['path']!r} is neither a path nor a url", "correct it")
        return False
    files = enumerate(written.get("files") or ())
    rows = [page.fits(row, _FILE, (*at, "files", number), required="relpath") for number, row in files]
    return all(rows) and lock.names_object(page, written, at)


def _dep(page: Page, wdir: str, written: Mapping[str, Any], root: str, at: Where) -> Dep:
    """Tell a dep in the project from one that has to be had from elsewhere."""
    spelled = written["path"]
    if "repo" in written:
        repo = _repo(page, written["repo"], (*at, "repo"))
        return _foreign(Source(spelled, repo), spelled)
    path = spelled if shape.URL.match(spelled) else shape.relative(wdir, spelled, root)
    if not (shape.URL.match(spelled) or shape.is_outside(path)):
        return Dep(page.path(wdir, spelled, root, (*at, "path")), spelled)
    options = dict(written.get("fs_config") or {})
    versioned = bool(options.pop("version_aware", False) or written.get("version_id") or written.get("files"))
    return _foreign(Source(path, None, options, versioned), spelled)


def _foreign(source: Source, spelled: str) -> Dep:
    return Dep(source.shown, spelled, source)


def _repo(page: Page, written: object, at: Where) -> Repo | None:
    fits = page.fits(written, _REPO, at, required="url") and isinstance(written, dict)
    return Repo(**written) if fits else None  # type: ignore[arg-type]  # fits() has just said so


def _locked_dep(written: Mapping[str, Any]) -> LockedPath:
    """Give what is recorded of a dep: of one in a repository the commit, of a versioned directory its files' ETags."""
    if "files" in written:
        names = ((row["relpath"], Hash(row.get("etag") or "", "etag")) for row in written["files"])
        return replace(lock.locked_path(written), hash=hash_listing(names))
    if "repo" not in written:
        return lock.locked_path(written)
    rev = written["repo"].get(REV) if isinstance(written["repo"], dict) else None
    return LockedPath(written["path"], Hash(rev, REV) if rev else None)


def _is_out(page: Page, written: object, at: Where) -> bool:
    if not page.fits(written, _OUT, at, required="path") or not isinstance(written, dict):
        return False
    return _is_metric(page, written.get("metric"), (*at, "metric")) and lock.names_object(page, written, at)


def _is_metric(page: Page, written: object, at: Where) -> bool:
    if not isinstance(written, dict):
        return True
    if not page.fits(written, _METRIC, at):
        return False
    kind = (written.get("type") or "").strip().lower()
    if kind and kind not in _METRIC_TYPES:
        page.wrong((*at, "type"), f"{kind!r} is no type of metric", f"DVC 0.x knew {', '.join(_METRIC_TYPES)}")
    return not page.mistakes


def _wdir(page: Page, spec: Mapping[str, Any], root: str) -> str:
    wdir = shape.relative(posixpath.dirname(page.file) or ".", spec.get("wdir") or ".", root)
    if shape.is_outside(wdir):
        page.wrong(("wdir",), f"the wdir {spec['wdir']!r} is outside the repository", kind="outside-repository")
    return wdir


def _out(page: Page, wdir: str, written: Mapping[str, Any], root: str, at: Where) -> Out:
    spelled = written["path"]
    if shape.URL.match(spelled):
        page.wrong((*at, "path"), f"the URL {spelled!r} is not supported as an out", "track a file of the repository")
    return Out(
        path=page.path(wdir, spelled, root, (*at, "path"), writes=True),
        spelled=spelled,
        metric=bool(written.get("metric")),
        plot=bool(written.get("plot")),
        excerpt=_excerpt(written.get("metric")),
        **{flag: written[flag] for flag in ("cache", "persist", "push", "remote") if flag in written},
    )


def _excerpt(metric: object) -> Excerpt | None:
    if not isinstance(metric, dict):
        return None
    kind, xpath = ((metric.get(key) or "").strip() for key in ("type", "xpath"))
    return Excerpt(kind.lower(), xpath) if kind or xpath else None
