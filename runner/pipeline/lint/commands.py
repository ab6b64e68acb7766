"""Rules about commands and deps: what a stage runs and reads without saying so, and what a shell makes of its lines."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from runner.pipeline.graph import PathTree
from runner.pipeline.lint import catalogue, shell
from runner.pipeline.lint.modules import imported
from runner.regexes import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.pipeline.lint.finding import Finding
    from runner.pipeline.lint.material import Material
    from runner.pipeline.lint.scripts import Script
    from runner.pipeline.model import Stage

_FORGOTTEN: Final = frozenset({"cd", "export", "source", ".", "conda", "set", "alias", "shopt", "ulimit", "module"})
_OPENED: Final = {"if": "fi", "for": "done", "while": "done", "until": "done", "case": "esac"}
_BASH: Final = regex(r"(?:^|[\s;(])(\[\[\s|set -\w* ?-?o pipefail|<\(|<<<|&>)")
_QUOTED: Final = regex(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
_FEW: Final = 3
_NO_INPUTS: Final = frozenset({"params.yaml", "dvc.yaml", "dvc.lock", "requirements.txt", "pyproject.toml"})


def _watched(material: Material) -> Iterator[Stage]:
    """Yield the stages whose deps matter: neither frozen nor run every time."""
    return (stage for stage in material.stages if not (stage.frozen or stage.always_changed))


def scripts(material: Material) -> Iterator[Finding]:
    """Yield scripts that a command runs and that are neither deps nor outs of the stage."""
    for stage in _watched(material):
        for script in material.scripts(stage):
            if not material.is_covered(stage, script.path):
                message = f"{stage.name!r} runs {script.path}, which is not one of its deps"
                hint = f"add {posixpath.relpath(script.path, stage.wdir)} to its deps, or a change of it goes unnoticed"
                yield material.finding(catalogue.SCRIPT, stage, message, hint, ("cmd", script.word))


def inputs(material: Material) -> Iterator[Finding]:
    """Yield words of a command that are files of git, or outs of another stage, and no deps of this one."""
    for stage in _watched(material):
        own = PathTree((out.path, out) for out in stage.outs)
        ran = {script.path for script in material.scripts(stage)}
        for word, path in dict.fromkeys(_paths(material, stage)):
            if path in ran or material.is_covered(stage, path) or own.at_or_above(path) or own.below(path):
                continue
            origin = _origin(material, stage, path)
            if origin:
                message = f"{stage.name!r} names {path}, {origin}, and does not depend on it"
                hint = f"add {posixpath.relpath(path, stage.wdir)} to its deps, or a change of it goes unnoticed"
                yield material.finding(catalogue.INPUT, stage, message, hint, ("cmd", word))


def _origin(material: Material, stage: Stage, path: str) -> str:
    """Say where a path comes from, if it is sure to be an input: a whole out, or a text file of git."""
    found = material.pipeline.producer(path)
    if found:
        return f"which {found[0].address!r} writes" if found[1].path == path else ""
    if any(param.path == path for one in material.stages for param in one.params) or path in _NO_INPUTS:
        return ""
    inside = any(dep.path.startswith(f"{path}/") for dep in stage.deps)
    is_file = not inside and material.read(path) is not None
    return "a file of git" if is_file and material.tracked([path]) else ""


def _paths(material: Material, stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield what may be paths among the words of a command, each with its repository-relative path."""
    for simple in material.commands(stage):
        for word in simple.words[1:] if simple.folder is not None else ():
            value = word.rpartition("=")[2] if word.startswith("-") else word
            if shell.is_fixed(value) and not value.startswith(("-", "/")):
                yield value, posixpath.normpath(posixpath.join(stage.wdir, simple.folder or ".", value))


def imports(material: Material) -> Iterator[Finding]:
    """Yield stages whose Python scripts import files of the repository that are no deps; one finding a script."""
    known: dict[Script, tuple[str, ...]] = {}
    for stage in _watched(material):
        for script in material.scripts(stage):
            if script.path.endswith(".py") and script not in known:
                names = imported(material.read(script.path) or "", script.roots, material.exists)
                known[script] = tuple(dict.fromkeys(name.path for name in names if name.path != script.path))
            lacking = [path for path in known.get(script, ()) if not material.is_covered(stage, path)]
            if lacking:
                shown = ", ".join(lacking[:_FEW]) + (f" and {len(lacking) - _FEW} more" if len(lacking) > _FEW else "")
                message = f"{script.path}, which {stage.name!r} runs, imports {shown}: no deps of the stage"
                hint = "add them, or the folder that holds them, if a change of them should rerun the stage"
                yield material.finding(catalogue.IMPORT, stage, message, hint, ("cmd", script.word))


def nowhere(material: Material) -> Iterator[Finding]:
    """Yield deps that a checkout does not have and no stage writes."""
    wanted = {
        dep.path: (stage, dep.spelled)
        for stage in reversed(material.stages)
        for dep in stage.deps
        if not (stage.frozen or dep.source or dep.path == "." or _is_made(material, dep.path))
    }
    there = material.checked_out(wanted)
    for path in (path for path in wanted if path not in there):
        stage, spelled = wanted[path]
        here = material.exists(path)
        message = f"{path} is in neither git nor DVC" + (", only in this workspace" if here else "")
        hint = "git add or dvc add it" if here else "correct the path, or add the stage or the .dvc file that makes it"
        yield material.finding(catalogue.NOWHERE, stage, message, hint, ("deps", spelled))


def _is_made(material: Material, path: str) -> bool:
    return bool(material.pipeline.producer(path) or material.pipeline.outs_inside(path))


def without_deps(material: Material) -> Iterator[Finding]:
    """Yield stages that run once and never again, and stages that run every time."""
    for stage in _watched(material):
        if stage.is_callback:
            message = f"{stage.name!r} has neither deps, params nor outs, so it runs every time"
            yield material.finding(catalogue.CALLBACK, stage, message, "say always_changed: true if it is meant to")
        elif stage.cmd and stage.outs and not (stage.deps or stage.params):
            message = f"{stage.name!r} depends on nothing, so it never runs again once its outs are there"
            hint = "add what it reads to its deps, or always_changed: true; freeze it if once is right"
            yield material.finding(catalogue.NO_DEPS, stage, message, hint)


def lines(material: Material) -> Iterator[Finding]:
    """Yield commands of several lines that do not survive that each line has a shell of its own."""
    for stage in material.stages:
        if isinstance(stage.cmd, str):
            written = stage.cmd.splitlines()
            yield from _cut(material, stage, written)
            yield from _forgotten(material, stage, written)


def _cut(material: Material, stage: Stage, written: Sequence[str]) -> Iterator[Finding]:
    for line in written:
        if line.rstrip(" ").endswith("\\") and line is not written[-1] and not line.rstrip(" ").endswith("\\\\"):
            message = "a backslash does not join lines here: DVC runs each line of cmd in a shell of its own"
            hint = "use a folded block, cmd: >-, without backslashes"
        elif (first := line.split(maxsplit=1)[:1]) and first[0] in _OPENED and _is_open(line, _OPENED[first[0]]):
            message = f"{first[0]!r} is not closed on its line: DVC runs each line of cmd in a shell of its own"
            hint = "make it one line, one item of a list (- |), or a script"
        else:
            continue
        yield material.finding(catalogue.BROKEN, stage, message, hint, ("cmd", line.strip().split(" ")[0]))
        return
    if len(written) == 1 and re.search(r"(?<!\\)\\ +\S", _QUOTED.sub("''", written[0])) and _is_folded(material, stage):
        message = "a backslash at the end of a folded line stays in the command, before a blank"
        yield material.finding(
            catalogue.BROKEN, stage, message, "remove the backslashes: the lines are joined anyway", ("cmd", "")
        )


def _is_folded(material: Material, stage: Stage) -> bool:
    """Whether the text of the cmd has a backslash at the end of a line, and not just an escaped blank."""
    return bool(re.search(r"\\\s*\n", material.written(stage, "cmd")))


def _is_open(line: str, closing: str) -> bool:
    return closing not in re.split(r"[\s;]+", line)


def _forgotten(material: Material, stage: Stage, written: Sequence[str]) -> Iterator[Finding]:
    for line in written[:-1]:
        found = _only_sets(line)
        if found:
            message = f"{found!r} has no effect on the next line: DVC runs each line of cmd in a shell of its own"
            hint = "join them with &&, or use wdir; a list item of several lines is one script"
            yield material.finding(catalogue.LOST, stage, message, hint, ("cmd", line.strip()))
            return


def _only_sets(line: str) -> str:
    """Give the line where all it does is to change its own shell."""
    words = re.split(r"\s*(?:&&|;)\s*", line.strip())
    plain = bool(words[0]) and all(word.split(maxsplit=1)[0] in _FORGOTTEN if word else True for word in words)
    runs = any(word.startswith("conda ") and not word.startswith("conda activate") for word in words)
    return line.strip() if plain and not runs and not re.search(r"[|<>`]|\$\(", line) else ""


def bash(material: Material) -> Iterator[Finding]:
    """Yield commands that `sh` does not understand, as far as that is beyond doubt."""
    for stage in material.stages:
        for line in shell.lines_of(stage.cmd):
            plain = _QUOTED.sub("''", line)
            sourced = any(simple.words[0] == "source" for simple in shell.commands([line]))
            found = "source" if sourced else (match[1].strip() if (match := _BASH.search(plain)) else "")
            if found:
                message = f"{found!r} is not known to every sh, which runs the command where $SHELL is not set"
                hint = "write `.` for source; for the rest, call bash -c '...', or a script with bash"
                yield material.finding(catalogue.BASH, stage, message, hint, ("cmd", ""))
                break
