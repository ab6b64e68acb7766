"""Stage files of DVC 0.x to the dvc.yaml and dvc.lock beside them, which DVC 3 reads. Text in, text out.

A stage keeps its paths, as its dvc.yaml lies where its own file lay; the lock keeps the hashes as they were recorded,
and DVC 3 verifies what has no `hash:` by the old rule, in the old layout. Nothing is dropped in silence: what has no
place in a dvc.yaml goes below `meta:`, comments go above the stage, and what can go nowhere is refused.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from runner.errors import ConfigError, ConfigErrors, Location
from runner.pipeline import dvcfile_write, files, yaml12
from runner.pipeline.addresses import LOCK_FILE, PROJECT_FILE, STAGE_FILE, address
from runner.pipeline.checksum import checksum
from runner.pipeline.lockfile import LockFile
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from runner.pipeline.model import LockEntry, Stage
    from runner.pipeline.pipeline import Pipeline

    Read = Callable[[str], str | None]

_NO_NAME: Final = regex(r"[^\w-]+")
"""What DVC takes in no name of a stage that it writes itself."""
_FLAGS: Final = ("desc", "type", "labels", "remote", "checkpoint")
_OLD: Final = ("metric", "plot", "checkpoint", "tags")
"""Keys of outs that DVC 3 knows in no `.dvc` file."""


@dataclass(frozen=True)
class Migration:
    """What is to be done.

    Attributes:
        written: by file, its new text.
        removed: stage files that are no longer needed once that is written.
        stages: by stage file, the address of the stage in its dvc.yaml.
        stale: stage files whose stages will run again, as they ran not at all or were changed since.

    """

    written: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    stages: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()


def migrate(pipeline: Pipeline, read: Read, root: str = "") -> Migration:
    """Say how the project is written as DVC 3 reads it.

    Args:
        pipeline: the project as it is.
        read: gives a file's text; `None` where there is none.
        root: the repository's absolute path.

    Raises:
        ConfigErrors: what would be lost, each with its place.

    """
    old = [stage for stage in pipeline.in_order() if stage.cmd and not stage.name]
    data = [stage for stage in pipeline.stages if not (stage.cmd or stage.name)]
    refused: list[ConfigError] = []
    written = dict(_plain_data(data, read, refused))
    folders: defaultdict[str, list[Stage]] = defaultdict(list)
    for stage in old:
        folders[posixpath.dirname(stage.file)].append(stage)
    moved: dict[str, str] = {}
    for folder, stages in folders.items():
        writing = _Folder(folder, read, pipeline)
        for stage in stages:
            try:
                moved[stage.file] = writing.take(stage)
            except ConfigError as error:
                refused.append(error)
        written |= writing.texts
    if refused:
        raise ConfigErrors(refused)
    made = Migration(written, tuple(moved), moved, tuple(file for file in moved if not _is_recorded(pipeline, file)))
    _prove(pipeline, made, read, root)
    return made


def _is_recorded(pipeline: Pipeline, file: str) -> bool:
    """Whether what a stage file records is complete, and of the stage as it is."""
    entry = pipeline.entries[file]
    stage = pipeline.stage(file)
    hashes = [recorded.hash for recorded in (*entry.deps, *entry.outs)]
    return entry.checksum is None and all(hashes) and len(hashes) == len(stage.deps) + len(stage.outs)


class _Folder:
    """The dvc.yaml and dvc.lock of one folder, as they are being written."""

    def __init__(self, folder: str, read: Read, pipeline: Pipeline) -> None:
        self._read = read
        self._pipeline = pipeline
        self._file = posixpath.join(folder, PROJECT_FILE)
        self._lock_file = posixpath.join(folder, LOCK_FILE)
        self._text = read(self._file) or ""
        self._lock = LockFile(read(self._lock_file), self._lock_file)
        self._locked = False
        document = yaml12.parse(self._text, self._file) or {}
        self._names = dict.fromkeys(document.get("stages") or {})

    @property
    def texts(self) -> dict[str, str]:
        """Both files; the lock where there is something to be recorded."""
        return {self._file: self._text} | ({self._lock_file: self._lock.text} if self._locked else {})

    def take(self, stage: Stage) -> str:
        """Take in one stage; give its address."""
        text = self._read(stage.file) or ""
        document = yaml12.parse(text, stage.file)
        name = _name(stage, self._names)
        block = yaml12.render({"stages": {name: _escaped(_definition(document, stage.file, text))}})
        comments = "".join(f"  {comment}\n" for comment in _comments(text))
        self._text = _appended(self._text, self._file, comments + block.removeprefix("stages:\n"))
        self._names[name] = None
        if _is_recorded(self._pipeline, stage.file):
            self._lock.set(name, self._pipeline.entries[stage.file])
            self._locked = True
        return address(self._file, name)


def _name(stage: Stage, taken: Collection[str]) -> str:
    """Name a stage after its file, without the suffix of the out that this was named after; a Dvcfile after its out."""
    stem = posixpath.basename(stage.file).removesuffix(".dvc")
    if stem == STAGE_FILE:
        stem = posixpath.basename(stage.outs[0].path if stage.outs else posixpath.dirname(stage.file)) or "stage"
    whole = _NO_NAME.sub("-", stem).strip("-") or "stage"
    short = _NO_NAME.sub("-", posixpath.splitext(stem)[0]).strip("-") or whole
    numbered = (f"{whole}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (short, whole, *numbered) if name not in taken)


def _definition(document: Mapping[str, Any], file: str, text: str) -> dict[str, Any]:
    """Give the stage as DVC writes it into a dvc.yaml: its keys, in its order."""
    wdir = posixpath.normpath(document.get("wdir") or ".")
    outs: dict[str, list[Any]] = {"outs": [], "metrics": [], "plots": []}
    for written in document.get("outs") or ():
        section = "metrics" if written.get("metric") else "plots" if written.get("plot") else "outs"
        flags = _flags(written)
        outs[section].append({written["path"]: flags} if flags else written["path"])
    spec = {
        "desc": document.get("desc"),
        "cmd": document["cmd"],
        "wdir": wdir if wdir != "." else "",
        "deps": [_dep(written, file, text, number) for number, written in enumerate(document.get("deps") or ())],
        **outs,
        "frozen": document.get("frozen") or document.get("locked"),
        "always_changed": document.get("always_changed"),
        "meta": document.get("meta"),
    }
    return {key: value for key, value in spec.items() if value}


def _dep(written: Mapping[str, Any], file: str, text: str, number: int) -> str:
    if written.get("repo"):
        where = Location(file, *yaml12.locate(text, "deps", number))
        message = "a stage of a dvc.yaml cannot read from another repository"
        raise ConfigError(message, "import it with `dvc import`, and depend on what that brings", where)
    return str(written["path"])


def _flags(written: Mapping[str, Any]) -> dict[str, Any]:
    """Give an out's flags; what DVC 3 has no word for is kept below `meta`."""
    flags = {key: written[key] for key in _FLAGS if written.get(key)}
    flags |= {key: False for key in ("cache", "push") if written.get(key) is False}
    flags |= {"persist": True} if written.get("persist") else {}
    meta = dict(written.get("meta") or {}) | _without_words(written)
    return flags | ({"meta": meta} if meta else {})


def _without_words(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: written[key] for key in ("metric", "tags") if isinstance(written.get(key), dict) and written[key]}


def _escaped(node: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Write `${` such that no template begins with it: in a stage file it is the shell's."""
    if isinstance(node, str):
        return node.replace("${", r"\${")
    if isinstance(node, list):
        return [_escaped(one) for one in node]
    if isinstance(node, dict):
        return {_escaped(key): _escaped(value) for key, value in node.items()}
    return node


def _comments(text: str) -> Iterator[str]:
    """Yield the comments of a YAML text: what follows a `#` that stands in no value."""
    scalars = [
        (token.start_mark.index, token.end_mark.index)
        for token in yaml.scan(text)
        if isinstance(token, yaml.ScalarToken)
    ]
    end = 0
    for found in re.finditer(r"(?:(?<=\s)|^)#[^\n]*", text):
        start = found.start()
        if start >= end and not any(first <= start < last for first, last in scalars):
            end = found.end()
            yield found.group().rstrip()


def _appended(text: str, file: str, block: str) -> str:
    """Give a dvc.yaml with a stage (indented by two) behind its last one."""
    document, spans = yaml12.parse_spans(text, file, "stages")
    whole = text if not text or text.endswith("\n") else f"{text}\n"
    if not document or "stages" not in document:
        return f"{whole}stages:\n{block}"
    if not document["stages"] or list(spans) != list(document["stages"]):
        message = "its stages are not written one below the other, so none can be added"
        raise ConfigError(message, "write them in block style first", Location(file, *yaml12.locate(text, "stages")))
    lines = whole.splitlines(keepends=True)
    first, bottom = next(iter(spans.values()))[0], max(end for _, end in spans.values())
    margin = len(lines[first]) - len(lines[first].lstrip(" "))
    added = [" " * margin + line.removeprefix("  ") for line in block.splitlines(keepends=True)]
    return "".join([*lines[:bottom], *added, *lines[bottom:]])


def _plain_data(data: Iterable[Stage], read: Read, refused: list[ConfigError]) -> Iterator[tuple[str, str]]:
    """Yield the `.dvc` files of data that hold keys of DVC 0.x, without them.

    DVC 3 keeps no md5 at the top of data that is only tracked, and takes a file that has one for changed.
    """
    for stage in data:
        text = read(stage.file) or ""
        document = yaml12.parse(text, stage.file) or {}
        outs = document.get("outs") or []
        outdated = "md5" in document and not checksum(document)
        if not (outdated or any(key in out for out in outs for key in _OLD)):
            continue
        for number, out in enumerate(outs):
            if out.get("metric") or out.get("plot"):
                where = Location(stage.file, *yaml12.locate(text, "outs", number))
                message = f"{out['path']} is a metric or a plot that no stage writes"
                refused.append(ConfigError(message, "list it in a dvc.yaml, below `metrics:` or `plots:`", where))
        kept = {key: value for key, value in document.items() if not (outdated and key == "md5")}
        wanted = kept | {"outs": [_plain_out(out) for out in outs]}
        yield stage.file, dvcfile_write.rewritten(text, stage.file, document, wanted)


def _plain_out(out: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in out.items() if key not in _OLD}
    kept = _without_words(out)
    return plain | ({"meta": dict(out.get("meta") or {}) | kept} if kept else {})


def _prove(pipeline: Pipeline, made: Migration, read: Read, root: str) -> None:
    """Read what is to be written, and compare it with what was read: every stage, and all that is recorded of it."""
    paths = dict.fromkeys([*(stage.file for stage in pipeline.stages), *made.written])
    left = [path for path in paths if path not in made.removed and posixpath.basename(path) != LOCK_FILE]
    new = files.load(left, lambda path: made.written.get(path) or read(path), root)
    for file, name in made.stages.items():
        was, now = pipeline.stage(file), new.stage(name)
        same = _comparable(was) == _comparable(replace(now, address=file, file=file, name=""))
        if not (same and (file in made.stale or _recorded(pipeline.entries[file]) == _recorded(new.entries[name]))):
            message = f"{file} cannot be written into a dvc.yaml such that it says the same"
            raise ConfigError(message, "move it by hand", Location(file, 1))


def _comparable(stage: Stage) -> Stage:
    outs = sorted((replace(out, excerpt=None) for out in stage.outs), key=lambda out: out.path)
    return replace(stage, outs=tuple(outs), where=None)


def _recorded(entry: LockEntry) -> LockEntry:
    deps, outs = (tuple(sorted(paths, key=lambda one: one.spelled)) for paths in (entry.deps, entry.outs))
    return replace(entry, deps=deps, outs=outs)
