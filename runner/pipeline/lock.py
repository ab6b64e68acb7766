"""dvc.lock: what each stage's last run read and wrote. Parses it, and gives entries in the form that DVC dumps."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigErrors, Corrupt
from runner.hashes import LEGACY, MD5, Hash, Tree, check_row
from runner.pipeline import datasets, shape, yaml12
from runner.pipeline.addresses import PARAMS_FILE
from runner.pipeline.model import LockedPath, LockEntry
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.pipeline.shape import Page, Shape, Where

SCHEMA = "2.0"

FOREIGN: Final = ("etag", "checksum")
"""The kinds of hash that a storage gives: S3 and Google Cloud an ETag, HTTP a checksum."""

CHECKSUMS: Final[Shape] = {"md5": shape.CHECKSUM, "etag": shape.CHECKSUM, "checksum": shape.CHECKSUM}
META: Final[Shape] = {
    "size": shape.INTEGER,
    "nfiles": shape.INTEGER,
    "isexec": shape.BOOL,
    "version_id": shape.STRING,
}
ITEM: Final[Shape] = {
    "path": shape.STRING,
    "hash": shape.STRING,
    **CHECKSUMS,
    **META,
    "cloud": shape.MAPPING,
    "files": shape.LIST,
    "dataset": shape.MAPPING,
}
_FILE: Final[Shape] = {
    "relpath": shape.STRING,
    "hash": shape.STRING,
    **CHECKSUMS,
    **META,
    "cloud": shape.MAPPING,
    "remote": shape.STRING,
}
_TOP: Final[Shape] = {"schema": shape.ANYTHING, "datasets": shape.NULLABLE_LIST, "stages": shape.MAPPING}
_ENTRY: Final[Shape] = {
    "cmd": shape.COMMAND,
    "deps": shape.LIST,
    "params": shape.MAPPING,
    "outs": shape.LIST,
}
_EXTRA: Final = frozenset(ITEM) - {"path", "hash", "md5", "size", "nfiles", "isexec"}


@dataclass(frozen=True)
class Lock:
    """One dvc.lock.

    Attributes:
        entries: by stage name; also those of stages that are no more.
        datasets: what is recorded of datasets, by name (`datasets.locked`).

    """

    entries: Mapping[str, LockEntry]
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse(text: str, file: str) -> Lock:
    """Read a dvc.lock of schema 2.0.

    Raises:
        ConfigErrors: every mistake in it, each with its line.
        ConfigError: not YAML; a merge conflict is named as such.

    """
    page = shape.Page(file, text)
    document = yaml12.parse(text, file)
    lock = Lock(_entries(page, document), _datasets(page, document)) if _is_lock(page, document) else Lock({})
    if page.mistakes:
        raise ConfigErrors(list(page.errors()))
    return lock


def parse_entry(text: str, file: str) -> LockEntry:
    """Read one entry that stands alone, as a record of the run cache does.

    Raises:
        ConfigErrors: every mistake in it.
        ConfigError: not YAML.

    """
    page = shape.Page(file, text)
    document = yaml12.parse(text, file)
    fitting = page.fits(document, _ENTRY, (), required="cmd")
    entry = _entry(page, document, ()) if fitting else LockEntry(None)
    if page.mistakes:
        raise ConfigErrors(list(page.errors()))
    return entry


def _is_lock(page: Page, document: object) -> bool:
    if not document:
        page.wrong((), "the lock file is empty", "restore it from git, or delete it: the next run writes it anew")
        return False
    if not page.fits(document, _TOP, (), required="schema"):
        return False
    assert isinstance(document, dict)  # noqa: S101 - fits() has just said so; mypy cannot know
    if document["schema"] != SCHEMA or not isinstance(document["schema"], str):
        page.wrong(("schema",), f"expected schema: '{SCHEMA}', found {document['schema']!r}", "the quotes matter")
    return not page.mistakes


def _entries(page: Page, document: Mapping[str, Any]) -> dict[str, LockEntry]:
    found = {}
    for name, entry in document.get("stages", {}).items():
        at = ("stages", name)
        if page.holds(name, shape.STRING, at) and page.fits(entry, _ENTRY, at, required="cmd"):
            found[name] = _entry(page, entry, at)
    return found


def _datasets(page: Page, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Read what is recorded of datasets; of two with one name the first counts (DVC's rule)."""
    written = document.get("datasets") or ()
    records = [datasets.locked(page, one, ("datasets", number)) for number, one in enumerate(written)]
    return {record["name"]: record for record in reversed(records) if record}


def _entry(page: Page, entry: Mapping[str, Any], at: Where) -> LockEntry:
    cmd = entry["cmd"]
    return LockEntry(
        cmd=tuple(cmd) if isinstance(cmd, list) else cmd,
        deps=_locked_paths(page, entry.get("deps", ()), (*at, "deps"), FOREIGN),
        params=_params(page, entry.get("params", {}), (*at, "params")),
        outs=_locked_paths(page, entry.get("outs", ()), (*at, "outs"), ()),
    )


def _locked_paths(page: Page, items: Sequence[Any], at: Where, foreign: Sequence[str]) -> tuple[LockedPath, ...]:
    return tuple(
        locked_path(one, foreign)
        for number, one in enumerate(items)
        if page.fits(one, ITEM, (*at, number), required="path") and names_object(page, one, (*at, number))
    )


def names_object(page: Page, written: Mapping[str, Any], at: Where) -> bool:
    """Whether the md5 of a dep or out, if it has one, is an md5; a mistake is noted where it is not.

    The same of the files of a directory whose md5s are recorded one by one.
    """
    fitting = [_is_file(page, row, (*at, "files", number)) for number, row in enumerate(written.get("files") or ())]
    if not all(fitting):
        return False
    name = locked_path(written).hash
    if (
        name is None or name.name in {*FOREIGN, datasets.KIND} or Hash(name.value.lower()).is_valid
    ):  # in capitals its stage is stale, as with DVC
        return True
    hint = "an md5 has 32 hexadecimal digits, of a directory followed by .dir; restore the file from git"
    page.wrong((*at, "md5"), f"{name.value!r} is not an md5", hint)
    return False


def _is_file(page: Page, row: object, at: Where) -> bool:
    """Whether `row` is one of a directory's files, and stays inside the directory."""
    if not page.fits(row, _FILE, at, required="relpath"):
        return False
    assert isinstance(row, dict)  # noqa: S101 - fits() has just said so; mypy cannot know
    try:
        check_row(row["relpath"], row.get("md5") or "0" * 32, page.file)
    except Corrupt as error:
        page.wrong(at, error.message, "restore the file from git")
        return False
    return True


def _params(page: Page, params: Mapping[Any, Any], at: Where) -> Mapping[str, Mapping[str, Any]]:
    for file, values in params.items():
        if page.holds(file, shape.STRING, (*at, file)) and page.holds(values, shape.MAPPING, (*at, file)):
            for key in values:
                page.holds(key, shape.STRING, (*at, file, key))
    return params


def locked_path(written: Mapping[str, Any], foreign: Sequence[str] = FOREIGN) -> LockedPath:
    """Read one dep or out of a lock or a `.dvc` file, already checked.

    Without `hash:` the md5 is of the kind of DVC before 3.0. What is recorded of a source may be one of the `foreign`
    kinds of hash; an out has none.
    """
    kind = written.get("hash", LEGACY)
    value = (written.get("md5") or _listed(written)) if kind in {MD5, LEGACY} else None
    other = next((key for key in foreign if written.get(key)), "") if not value else ""
    name = Hash(value, kind) if value else Hash(written[other], other) if other else _dataset(written)
    return LockedPath(
        spelled=written["path"],
        hash=name,
        size=written.get("size"),
        nfiles=written.get("nfiles"),
        isexec=written.get("isexec", False),
        extra={key: written[key] for key in written if key in _EXTRA and key != other},
    )


def _listed(written: Mapping[str, Any]) -> str | None:
    """Give the name of the listing of a directory whose files are recorded one by one; all need an md5."""
    rows = written.get("files") or ()
    if not rows or not all(row.get("md5") for row in rows):
        return None
    return Tree.of((row["relpath"], row["md5"]) for row in rows).hash.value


def cmd_read_back(cmd: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Give a cmd as it comes back from a lock: DVC breaks long lines, and blanks or a tab at the break are lost."""
    written = list(cmd) if isinstance(cmd, tuple) else cmd
    read = yaml12.parse(yaml12.render({"stages": {"stage": {"cmd": written}}}), "dvc.lock")["stages"]["stage"]["cmd"]
    return tuple(read) if isinstance(read, list) else str(read)


def _dataset(written: Mapping[str, Any]) -> Hash | None:
    return datasets.hash_of(written[datasets.KIND]) if datasets.KIND in written else None


def entry_data(entry: LockEntry) -> dict[str, Any]:
    """Give the entry as DVC dumps it: its keys, its order, empty sections left out.

    Deps and outs are sorted by path, in order of code points; `params.yaml` comes before other
    params files; keys of params are sorted, what is inside them is not.
    """
    sections = {
        "cmd": list(entry.cmd) if isinstance(entry.cmd, tuple) else entry.cmd,
        "deps": [path_data(dep) for dep in sorted(entry.deps, key=_spelled)],
        "params": _params_data(entry.params),
        "outs": [path_data(out) for out in sorted(entry.outs, key=_spelled)],
    }
    return {key: section for key, section in sections.items() if key == "cmd" or section}


def _spelled(path: LockedPath) -> str:
    return path.spelled


def _params_data(params: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    files = sorted(params, key=lambda file: (file != PARAMS_FILE, file))
    return {file: {key: params[file][key] for key in sorted(params[file])} for file in files}


def path_data(path: LockedPath) -> dict[str, Any]:
    """Give one dep or out as DVC dumps it: what is unknown is left out, `size: 0` is not."""
    data: dict[str, Any] = {"path": path.spelled}
    if datasets.KIND in path.extra:
        return data | dict(path.extra)
    if path.hash is None or path.hash.name != LEGACY:
        data["hash"] = MD5
    if path.hash is not None and "files" not in path.extra:
        data["md5" if path.hash.name == LEGACY else path.hash.name] = path.hash.value
    if "files" in path.extra:
        data.pop("md5", None)  # it follows from them
    known = {"size": path.size, "nfiles": path.nfiles, "isexec": path.isexec or None}
    known = {} if "files" in path.extra else known
    early = {key: value for key, value in path.extra.items() if key in CHECKSUMS}
    late = {key: value for key, value in path.extra.items() if key not in CHECKSUMS}
    return data | early | {key: value for key, value in known.items() if value is not None} | late
