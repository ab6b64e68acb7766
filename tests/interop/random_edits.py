"""Random edits of a project that was run: of sources, outs, parameters, and of what dvc.yaml says."""

from __future__ import annotations

import json
import posixpath
import shutil
from typing import TYPE_CHECKING, Any, Final

from runner.pipeline import yaml12
from tests.interop import random_values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from tests.interop.random_projects import RandomProject

Spec = dict[str, Any]
_CONTENTS: Final = ("", "a\n", "b\n", "a\nb\n")
_KEPT: Final = (".yaml", ".yml", ".json", ".JSON", ".toml", ".py", ".dvc", ".dvcignore", ".gitignore", "config", "keep")


def edit(rng: Random, root: Path, project: RandomProject, outs: list[str]) -> list[str]:
    """Make one to three changes below `root`; say which. `outs` are what its stages write."""
    made = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(sorted(_EDITS))
        _EDITS[kind](rng, root, project, outs)
        made.append(kind)
    return made


# Files


def _source(rng: Random, root: Path, project: RandomProject) -> Path | None:
    """Choose a source that is still there."""
    paths = [path for path in project.files if not path.endswith(_KEPT) and (root / path).is_file()]
    return root / rng.choice(paths) if paths else None


def _change_source(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
    if source := _source(rng, root, project):
        source.write_text(rng.choice(_CONTENTS))


def _touch_source(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
    if source := _source(rng, root, project):
        source.write_bytes(source.read_bytes())


def _make_executable(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
    if source := _source(rng, root, project):
        source.chmod(0o755)


def _remove_source(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
    if source := _source(rng, root, project):
        source.unlink()


def _add_member(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
    source = _source(rng, root, project)
    if source and source.parent != root:
        (source.parent / rng.choice(("new", "new.tmp"))).write_text("new\n")


def _change_out(rng: Random, root: Path, _: RandomProject, outs: list[str]) -> None:
    place = root / rng.choice(outs) if outs else root
    if place.is_dir() and outs:
        place /= "a"
    if place.is_file():
        place.unlink()
        is_metric = place.suffix in {".json", ".yaml"}
        place.write_text(f"{random_values.scores(rng)}\n" if is_metric else rng.choice(_CONTENTS))


def _remove_out(rng: Random, root: Path, _: RandomProject, outs: list[str]) -> None:
    place = root / rng.choice(outs) if outs else root / "nowhere"
    if place.is_dir():
        shutil.rmtree(place)
    elif place.is_file():
        place.unlink()


# What the DVC files say


def _change_parameter(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
    """Change one value of a params.yaml, mostly within its kind: where a template names it, it has to stay usable."""
    paths = [path for path in project.files if posixpath.basename(path) == "params.yaml"]
    if not paths:
        return
    place = root / rng.choice(paths)
    document = yaml12.parse(place.read_text(encoding="utf-8-sig"), "params.yaml")
    found = [keys for keys, value in random_values.leaves(document) if not isinstance(value, (dict, list))]
    *above, last = rng.choice(found)
    holder = document
    for key in above:
        holder = holder[key]
    holder[last] = _other(rng, holder[last])
    place.write_text(yaml12.render(document), encoding="utf-8")


def _other(rng: Random, value: Any) -> Any:
    """Give another value, or one that DVC takes for the same."""
    if isinstance(value, str):
        return random_values.word(rng)
    numbers = (1, 1.0, True, 0, False, -1, 0.5, float("nan"))
    return rng.choice(numbers) if isinstance(value, (int, float)) else rng.choice((None, "x"))


def _spec_changed(change: Callable[[Random, Spec], None]) -> Callable[..., None]:
    def edit_one(rng: Random, root: Path, project: RandomProject, _: list[str]) -> None:
        paths = [path for path in project.files if posixpath.basename(path) == "dvc.yaml" and (root / path).is_file()]
        path = rng.choice([path for path in paths if "this is no dvc.yaml" not in str(project.files[path])])
        document = yaml12.parse((root / path).read_text(encoding="utf-8-sig"), path)
        spec = document["stages"][rng.choice(sorted(document["stages"]))]
        change(rng, spec.get("do", spec))
        (root / path).write_text(json.dumps(document, indent=1), encoding="utf-8")

    return edit_one


def _change_cmd(rng: Random, spec: Spec) -> None:
    remark = f" # {rng.randint(0, 9)}"
    cmd = spec["cmd"]
    spec["cmd"] = [*cmd[:-1], cmd[-1].rstrip("\n") + remark] if isinstance(cmd, list) else cmd.rstrip("\n") + remark


def _flip(flag: str) -> Callable[[Random, Spec], None]:
    def flip(_: Random, spec: Spec) -> None:
        spec[flag] = not spec.get(flag, False)

    return flip


def _drop_dep(_: Random, spec: Spec) -> None:
    spec["deps"] = spec.get("deps", [])[1:]


def _respell_dep(_: Random, spec: Spec) -> None:
    deps = spec.get("deps", [])
    spec["deps"] = [f"./{dep}" for dep in deps[:1]] + deps[1:]


def _drop_params(_: Random, spec: Spec) -> None:
    spec["params"] = spec.get("params", [])[1:]


def _describe(_: Random, spec: Spec) -> None:
    spec["desc"] = "Changed."


_EDITS: Final[dict[str, Callable[..., None]]] = {
    "change a source": _change_source,
    "change another source": _change_source,
    "touch a source": _touch_source,
    "make a source executable": _make_executable,
    "remove a source": _remove_source,
    "add a member": _add_member,
    "change an out": _change_out,
    "change another out": _change_out,
    "remove an out": _remove_out,
    "change a parameter": _change_parameter,
    "change another parameter": _change_parameter,
    "change a cmd": _spec_changed(_change_cmd),
    "freeze or thaw": _spec_changed(_flip("frozen")),
    "always or not": _spec_changed(_flip("always_changed")),
    "drop a dep": _spec_changed(_drop_dep),
    "respell a dep": _spec_changed(_respell_dep),
    "drop params": _spec_changed(_drop_params),
    "describe": _spec_changed(_describe),
}
