"""Datasets: what dvc.yaml says of one (`datasets:`), and what dvc.lock records of it there and in deps (`ds://name`).

Both are given in the form in which DVC writes them: its keys, its order, defaults left out.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

from runner.hashes import Hash, hash_bytes
from runner.pipeline import shape
from runner.pipeline.shape import Page

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from runner.pipeline.shape import Shape, Where

KIND: Final = "dataset"
"""The kind of hash that a dataset is known by."""
_SPEC: Final[Shape] = {"name": shape.STRING, "url": shape.STRING, "type": shape.STRING}
# Type -> what its lock needs beside name, url and type.
_LOCKED: Final[Mapping[str, Shape]] = {
    "dvc": {"rev_lock": shape.STRING},
    "url": {"meta": shape.MAPPING},
    "dc": {"version": shape.INTEGER, "created_at": shape.MOMENT},
    "dvcx": {"version": shape.INTEGER, "created_at": shape.MOMENT},  # what DVC called dc at first
}
_FILES: Final[Shape] = {"files": shape.NULLABLE_LIST}
_FILE: Final[Shape] = {"relpath": shape.STRING, "meta": shape.MAPPING}
_SOURCE: Final = ("path", "rev")  # of type dvc
_META: Final = (
    "isdir", "size", "nfiles", "isexec", "version_id", "etag", "checksum", "md5", "inode", "mtime",
    "remote", "is_link", "destination", "nlink",
)  # fmt: skip
_DEFAULTS: Final[Mapping[str, Any]] = {"isdir": False, "isexec": False, "is_link": False, "nlink": 1}
_COMPARED: Final = frozenset(_META[:10])


def spec(page: Page, written: Any, at: Where) -> dict[str, Any] | None:  # noqa: ANN401 - a document is of any shape
    """Read what a dvc.yaml says of a dataset; `None` where it cannot be told, which is noted.

    Other keys than a dataset's are passed over (DVC's rule).
    """
    return _spec(written) if _is_dataset(page, written, at) else None


def locked(page: Page, written: Any, at: Where) -> dict[str, Any] | None:  # noqa: ANN401 - a document is of any shape
    """Read what a dvc.lock records of a dataset; `None` where it cannot be told, which is noted."""
    if not _is_dataset(page, written, at):
        return None
    needed = _LOCKED[written["type"]]
    is_sound = _holds_all(page, written, needed, at) and page.fits(_only(written, _FILES), _FILES, at)
    files = (written.get("files") or ()) if is_sound and "meta" in needed else ()
    are_sound = [
        page.holds(file, shape.MAPPING, (*at, "files", number))
        and _holds_all(page, file, _FILE, (*at, "files", number))
        for number, file in enumerate(files)
    ]
    return _record(written, files) if is_sound and all(are_sound) else None


def hash_of(written: Any) -> Hash | None:  # noqa: ANN401 - a document is of any shape
    """Name what a record says by its version and a digest of all in it that DVC compares; `None` where it is none.

    What a storage says of links, and the name of its remote, does not count.
    """
    record = locked(Page("", ""), written, ())
    if record is None:
        return None
    if "created_at" in record:
        record["created_at"] = _moment(record["created_at"]).timestamp()
    for holder in (record, *record.get("files", ())):
        if "meta" in holder:
            holder["meta"] = _only(holder["meta"], _COMPARED)
    text = json.dumps(record, sort_keys=True, default=str)
    return Hash(f"{_version(record)} {hash_bytes(text.encode())}", KIND)


def _version(record: Mapping[str, Any]) -> str:
    """Give what tells a person which version a record is of."""
    meta = record.get("meta", {})
    found = (
        record.get("rev_lock"),
        record.get("version"),
        *(meta.get(key) for key in ("version_id", "etag", "checksum")),
    )
    return next((f"{version}" for version in found if version), f"{len(record.get('files', ()))} files")


def is_of(record: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Whether a record was made of what the dvc.yaml says."""
    return _spec(record) == spec


def _is_dataset(page: Page, written: Any, at: Where) -> bool:  # noqa: ANN401 - a document is of any shape
    if not (page.holds(written, shape.MAPPING, at) and _holds_all(page, written, _SPEC, at)):
        return False
    if written["type"] not in _LOCKED:
        message = f"{written['type']!r} is no type of dataset"
        page.wrong((*at, "type"), message, shape.nearest(written["type"], _TYPES), kind="wrong-value")
    return written["type"] in _LOCKED


_TYPES: Final[Shape] = dict.fromkeys(_LOCKED, shape.STRING)


def _holds_all(page: Page, written: Mapping[str, Any], needed: Shape, at: Where) -> bool:
    """Whether all that is needed is there and of its kind; other keys may be there too."""
    absent = [key for key in needed if key not in written]
    for key in absent:
        page.wrong(at, f"{key!r} is missing", "it is required here", kind="missing-key")
    return page.fits(_only(written, needed), needed, at) and not absent


def _only(written: Mapping[str, Any], keys: Container[str]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if key in keys}


def _spec(written: Mapping[str, Any]) -> dict[str, Any]:
    keys = (*_SPEC, *(_SOURCE if written["type"] == "dvc" else ()))
    return {key: written[key] for key in keys if written.get(key) not in (None, "")}


def _record(written: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    record = _spec(written) | {key: written[key] for key in _LOCKED[written["type"]]}
    if "created_at" in record:
        record["created_at"] = _moment(record["created_at"]).isoformat()
    if "meta" in record:
        record["meta"] = _meta(record["meta"])
    ordered = sorted(files, key=lambda file: str(file["relpath"]))
    told = [{"relpath": file["relpath"], "meta": _meta(file["meta"])} for file in ordered]
    return record | ({"files": told} if told else {})


def _moment(written: str | dt.datetime) -> dt.datetime:
    return dt.datetime.fromisoformat(written) if isinstance(written, str) else written


def _meta(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: written[key] for key in _META if key in written and written[key] != _DEFAULTS.get(key)}
