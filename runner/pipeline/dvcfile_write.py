"""Writes new hashes into a `.dvc` file, as DVC does: comments and the order of keys stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runner.errors import ConfigError
from runner.pipeline import lock, yaml12
from runner.pipeline.checksum import checksum
from runner.pipeline.source import REV
from runner.regexes import regex
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.pipeline.model import LockedPath, LockEntry
    from runner.pipeline.shape import Where

_WRITTEN: Final[tuple[str, ...]] = (
    "md5",
    "etag",
    "checksum",
    "size",
    "nfiles",
    "isexec",
    "version_id",
    "hash",
    "files",
)
_SECTIONS: Final = ("deps", "outs")
_RECORDED: Final = frozenset({*_WRITTEN, "cloud"})
_DEFAULTS: Final[Mapping[str, object]] = {"cache": True, "push": True, "persist": False, "plot": False, "metric": False}
_TOP_DEFAULTS: Final[Mapping[str, object]] = {"wdir": ".", "locked": False, "frozen": False, "always_changed": False}
_COMMENT: Final = regex(r"\s+#.*\Z")


def updated(text: str, file: str, entry: LockEntry, rev: str = "") -> str:
    """Give the text of a `.dvc` file with new hashes.

    Args:
        text: the present text, already read once without a mistake.
        file: its path, for messages.
        entry: what is recorded anew, found in the file by path as spelled; other deps and outs stay as they are.
        rev: what its source in a git repository is to follow from now on; empty: what it followed.

    """
    document = yaml12.parse(text, file)
    return rewritten(text, file, document, _wanted(document, entry, rev))


def rewritten(text: str, file: str, document: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Give the text that says `wanted` instead of `document`: comments and the order of keys stay."""
    plain = text.replace("\r\n", "\n")
    lines = plain.split("\n")
    for change in reversed(_changes(document, wanted)):
        _edit(lines, change, {key: yaml12.locate(plain, *change.at, key) for key in change.before})
    edited = "\n".join(lines)
    return edited if _says(edited, file, wanted) else yaml12.render(wanted)


def _wanted(document: dict[str, Any], entry: LockEntry, rev: str) -> dict[str, Any]:
    """Give what the file is to say."""
    deps = {dep.spelled: dep for dep in entry.deps}
    outs = {out.spelled: out for out in entry.outs}
    sections = {
        "deps": [_dep_data(one, deps.get(one["path"]), rev) for one in document.get("deps") or ()],
        "outs": [_merged(_without(one, _DEFAULTS), outs.get(one["path"])) for one in document.get("outs") or ()],
    }
    said = _without(document, _TOP_DEFAULTS)
    if said.pop("locked", False):
        said["frozen"] = True
    wanted = {key: sections.get(key, value) if value else value for key, value in said.items()}
    md5 = checksum(wanted)
    return wanted | {"md5": md5} if md5 else {key: value for key, value in wanted.items() if key != "md5"}


def _without(written: dict[str, Any], defaults: Mapping[str, object]) -> dict[str, Any]:
    """Leave out what goes without saying, as DVC does when it writes a file again; `null` says nothing either."""
    return {
        key: value
        for key, value in written.items()
        if key not in defaults or (value is not None and value != defaults[key])
    }


def _dep_data(written: dict[str, Any], recorded: LockedPath | None, rev: str) -> dict[str, Any]:
    if not written.get("repo"):
        return _merged(written, recorded)
    name = recorded.hash if recorded else None
    known = {"rev": rev, REV: name.value if name else ""}
    return written | {"repo": written["repo"] | {key: value for key, value in known.items() if value}}


def _merged(written: dict[str, Any], recorded: LockedPath | None) -> dict[str, Any]:
    """Give what a dep or out is to say: keys keep their place, new ones come last, what is outdated goes."""
    if recorded is None:
        return written
    data = lock.path_data(recorded)
    values = {key: data[key] for key in _WRITTEN if key in data}
    kept = {key: values.get(key, old) for key, old in written.items() if key in values or key not in _RECORDED}
    return kept | {key: value for key, value in values.items() if key not in kept}


@dataclass(frozen=True, slots=True)
class _Change:
    """A mapping of the file that is to say something else: where it is, what it says, what it is to say."""

    at: Where
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def _changes(document: dict[str, Any], wanted: dict[str, Any]) -> list[_Change]:
    """Give the innermost mappings that change, in the order of the file; the top one first."""
    top = {key: document.get(key, value) if key in _SECTIONS else value for key, value in wanted.items()}
    found = [_Change((), document, top)]
    for section in (key for key in document if key in _SECTIONS):
        for number, (before, after) in enumerate(zip(document[section] or (), wanted[section] or (), strict=True)):
            if section == "deps" and before.get("repo"):
                found.append(_Change((section, number, "repo"), before["repo"], after["repo"]))
            else:
                found.append(_Change((section, number), before, after))
    return [change for change in found if change.before != change.after]


def _edit(lines: list[str], change: _Change, places: Mapping[str, tuple[int, int]]) -> None:
    """Change the lines of one mapping; right where each key has a line of its own, else undone by the caller."""
    bottom = max(line for line, _ in places.values()) if change.at else len(lines) - (not lines[-1])
    margin = " " * (min(column for _, column in places.values()) - 1)
    lines[bottom:bottom] = [margin + _line(key, value) for key, value in change.after.items() if key not in places]
    for key, (line, column) in sorted(places.items(), key=lambda place: place[1], reverse=True):
        before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
        if key not in change.after:
            del lines[line - 1]
        elif change.after[key] != change.before[key]:
            comment = _COMMENT.search(after)
            lines[line - 1] = before + _line(key, change.after[key]) + (comment.group() if comment else "")


def _line(key: str, value: object) -> str:
    return yaml12.render({key: value}).removesuffix("\n")


def _says(text: str, file: str, document: object) -> bool:
    try:
        return bool(yaml12.parse(text, file) == document)
    except ConfigError:
        return False
