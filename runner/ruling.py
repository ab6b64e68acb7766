"""The gate file that rules a call: where it lies, what it sets, and what the base commit has in its place."""

from __future__ import annotations

import json
import logging
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runner import inputs, settings
from runner.errors import ConfigError, Location
from runner.locating import directory, read_text, root_of
from runner.pipeline import yaml12
from runner.review import baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.git import Git
    from runner.review.commit import Commit
    from runner.review.gatefile import GateFile
    from runner.settings import Settings

    Own = dict[str, tuple[object, Location]]

logger = logging.getLogger("retrain")
_GATES: Final = frozenset({"baseline", "gates", "lint"})


def checked(root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> GateFile | None:
    """Read and check the gate file of a project, and the settings in it; `None` where there is none.

    Raises:
        ConfigErrors: every mistake in it, with its place.

    """
    place, text = found(root, flags, environ)
    gates, own, _ = read_gates(text, os.path.relpath(place, root), judges=True)
    settings.resolve(flags, environ, own)
    return gates


def settings_alone(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Check the settings of a verb that needs no project; a gate file is read where there is one."""
    file, text = found(root_of(directory(flags, environ)), flags, environ)
    return settings.resolve(flags, environ, read_gates(text, file.name, judges=False)[1])


def found(root: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> tuple[Path, str | None]:
    """Give the gate file's place and text: where it is named relative to where we started, else beside `.dvc`."""
    name = inputs.early("config", flags, environ)
    given = bool(flags.get("config") or environ.get(inputs.variable("config"), "").strip())
    place = (Path(inputs.early("working-directory", flags, environ)).absolute() if given else root) / name
    text = read_text(place, name)
    if not given:
        _refuse_others(root, Path(inputs.early("working-directory", flags, environ)).absolute(), name)
    if text is None and given:
        message = f"the gate file {name} does not exist"
        raise ConfigError(message, "name an existing file with --config, or leave it out")
    return place, text


def _refuse_others(root: Path, directory: Path, name: str) -> None:
    """Refuse a gate file between where one is and the project's root: who wrote it believes that it counts."""
    folders = [one for one in (directory, *directory.parents) if root in one.parents]
    other = next((one / name for one in folders if (one / name).is_file()), None)
    if other:
        message = (
            f"{other.relative_to(root).as_posix()} is not read: this project's gate file is {name}, beside .dvc or .git"
        )
        raise ConfigError(message, "move its gates there, or name it with --config")


def refuse_outside(git: Git, file: Path) -> None:
    """Refuse a gate file that a pull request made a link to somewhere else: an error in it would show what is there.

    Raises:
        ConfigError: it is one.

    """
    if file.is_symlink() and not file.resolve().is_relative_to(git.root.resolve()):
        message = f"{file.name} is a link that leads outside of the repository, and is not read"
        raise ConfigError(message, "put a file in its place")


def read_gates(text: str | None, name: str, *, judges: bool) -> tuple[GateFile | None, Own, str]:
    """Give the gates, the settings beside them, and the rule for the baseline."""
    if text is None:
        return None, {}, baseline.MERGE_BASE
    if not judges:
        return None, *_keys(text, name)
    gatefile = import_module("runner.review.gatefile")
    gates: GateFile = gatefile.parse_gates(text, name)
    return gates, {key: (one.value, one.where) for key, one in gates.settings.items()}, gates.baseline


def _keys(text: str, name: str) -> tuple[Own, str]:
    """Read the settings of a gate file without its gates, which a verb that does not judge does not pay for."""
    document = yaml12.parse(text, name)
    keys: dict[Any, Any] = document if isinstance(document, dict) else {}
    own = {key: (value, Location(name, *yaml12.locate(text, key))) for key, value in keys.items() if key not in _GATES}
    return own, str(keys.get("baseline", baseline.MERGE_BASE))


def of_base(git: Git, base: Commit | None, file: Path) -> tuple[Own, str]:
    """Give the settings and the rule of the gate file as the base commit has it."""
    text = _text_at(git, base, file)
    return _keys(text, file.name) if text else ({}, baseline.MERGE_BASE)


def gone(git: Git, base: Commit | None, file: Path, now: str) -> tuple[str, ...]:
    """Name the gates of the base that the checkout lacks or has otherwise: a reviewer has to see by what is judged."""
    text = _text_at(git, base, file)
    lost = tuple(_changes(_rows(text, file.name), _rows(now, file.name))) if text != now else ()
    for line in lost:
        logger.warning("%s", line)
    return lost


def _rows(text: str, name: str) -> list[Mapping[str, object]]:
    document = yaml12.parse(text, name) if text else None
    listed = document.get("gates") if isinstance(document, dict) else None
    return [row for row in listed or () if isinstance(row, dict) and _label(row)]


def _changes(before: Sequence[Mapping[str, object]], now: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for was in before:
        same = [row for row in now if _label(row) == _label(was)]
        if not same:
            yield f"the gate {_label(was)} of the base is gone"
        elif was not in same:
            keys = [key for key in {**was, **same[0]} if was.get(key) != same[0].get(key)]
            told = ", ".join(f"{key} was {_shown(was, key)} and is {_shown(same[0], key)}" for key in keys)
            yield f"the gate {_label(was)} is not that of the base: {told}"


def _shown(row: Mapping[str, object], key: str) -> str:
    return json.dumps(row[key], ensure_ascii=False, default=str) if key in row else "none"


def _label(row: Mapping[str, object]) -> str:
    """Give a rule's name, as `Gate.label` has it; empty where it is about nothing that is known."""
    if "metric" in row:
        return str(row["metric"])
    return next((f"{subject}: {row[subject]}" for subject in ("size", "duration") if subject in row), "")


def _text_at(git: Git, base: Commit | None, file: Path) -> str:
    """Give the gate file as the base commit has it; empty where it has none. A link counts only if the base has it."""
    top, place = git.root.resolve(), file.parent.resolve() / file.name
    if base is None or not place.is_relative_to(top):
        return ""
    if link := git.link(base.sha, place.relative_to(top).as_posix()):
        place = Path(os.path.normpath(place.parent / link))
        if not place.is_relative_to(top):
            return ""
    content = git.show(base.sha, place.relative_to(top).as_posix())
    try:
        return content.decode("utf-8-sig") if content else ""
    except UnicodeDecodeError as error:
        message = f"{file.name} of the base commit {base.sha[:12]} is not UTF-8"
        raise ConfigError(message, "mend it on the target branch") from error
