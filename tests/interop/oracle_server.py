"""Real DVC in one long-lived process: a line of JSON in is one question, a line of JSON out is the answer.

`{"cwd": ..., "argv": [...]}` runs a command and gives what it printed; `{"cwd": ..., "resolve": true}` gives the
stages as DVC's own resolver and loader make them. Importing DVC costs more than most questions do, so the tests pay
for it once; and for what takes most of a question's time, reading the same YAML as before. Run as a script; needs no
runner.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import diskcache.core  # type: ignore[import-untyped]
from dvc.cli import main as dvc
from dvc.dependency.param import ParamsDependency
from dvc.dependency.repo import RepoDependency
from dvc.repo import Repo
from dvc.repo.reproduce import get_active_graph, plan_repro
from dvc.utils import serialize, strictyaml
from dvc.utils.serialize import _yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dvc.output import Output
    from dvc.stage import Stage


def hasten() -> None:
    """Let DVC parse each text of YAML once, and not wait for the disk at the end of each command."""
    parse = _yaml.parse_yaml

    @lru_cache(1000)
    def parsed(text: str) -> Any:
        return parse(text, "")

    def parse_yaml(text: str, path: str, typ: str = "safe") -> Any:
        if typ != "safe":
            return parse(text, path, typ)
        try:
            return deepcopy(parsed(text))
        except _yaml.YAMLFileCorruptedError:
            return parse(text, path)  # whose error names the path

    for module in (_yaml, serialize, strictyaml):
        module.parse_yaml = parse_yaml
    diskcache.core.DEFAULT_SETTINGS["sqlite_synchronous"] = 0


def serve() -> None:
    """Answer until standard input ends; the commands' own output is kept apart from the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        asked = json.loads(line)
        os.chdir(asked["cwd"])
        answer = resolved() if asked.get("resolve") else printed(asked["argv"])
        answers.write(json.dumps(answer, default=repr, skipkeys=True) + "\n")
        answers.flush()


def printed(argv: list[str]) -> dict[str, object]:
    """Run one DVC command; give its exit code, standard output and standard error."""
    with _captured() as (out, err):
        code = dvc(argv)
        sys.stdout.flush()
        sys.stderr.flush()
        return {"code": code, "out": _text(out), "err": _text(err)}


def resolved() -> dict[str, object]:
    """Give every stage of the repository, and the order of `dvc repro --all-pipelines`; or the error."""
    with _captured(), _sorted_folders():
        try:
            with Repo() as repo:
                stages, graph = repo.index.stages, repo.index.graph
                order = [stage.addressing for stage in plan_repro(get_active_graph(graph))]
                return {"error": "", "stages": [_stage(stage, repo.root_dir) for stage in stages], "order": order}
        except Exception as error:  # noqa: BLE001 - DVC also fails by errors that it does not know
            return {"error": f"{type(error).__name__}: {error}", "stages": [], "order": []}


def _stage(stage: Stage, root: str) -> dict[str, Any]:
    return {
        "stage": stage.addressing,
        "cmd": stage.cmd,
        "wdir": os.path.relpath(stage.wdir, root),
        "deps": [[dep.def_path, _inside(dep, root)] for dep in stage.deps if not isinstance(dep, ParamsDependency)],
        "params": {_inside(dep, root): sorted(dep.params) for dep in stage.deps if isinstance(dep, ParamsDependency)},
        "outs": [_out(out, root) for out in stage.outs],
        "frozen": bool(stage.frozen),
        "always_changed": bool(stage.always_changed),
        "desc": stage.desc or "",
        "meta": stage.meta,
    }


def _out(out: Output, root: str) -> dict[str, Any]:
    return {
        "spelled": out.def_path,
        "path": _inside(out, root),
        "cache": out.use_cache,
        "persist": bool(out.persist),
        "push": out.can_push,
        "metric": bool(out.metric),
        "plot": bool(out.plot),
        "remote": out.remote or "",
    }


def _inside(path: Output, root: str) -> str:
    if isinstance(path, RepoDependency):
        return str(path)  # with the repository it is imported from
    return os.path.relpath(path.fs_path, root) if path.protocol == "local" else path.def_path


@contextmanager
def _sorted_folders() -> Iterator[None]:
    """Let DVC come by folders in the order of their names: it takes them as the disk gives them, which is chance."""
    walk = os.walk

    def in_order(*args: Any, **options: Any) -> Iterator[Any]:
        for folder, folders, files in walk(*args, **options):
            folders.sort()
            files.sort()
            yield folder, folders, files

    os.walk = in_order
    try:
        yield
    finally:
        os.walk = walk


@contextmanager
def _captured() -> Iterator[tuple[object, object]]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        yield out, err


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return file.read().decode(errors="replace")  # type: ignore[attr-defined, no-any-return]


if __name__ == "__main__":
    hasten()
    serve()
