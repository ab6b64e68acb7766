"""Real DVC as the oracle of templates: the stages that it resolves we resolve, what it refuses we refuse."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import ConfigError
from runner.pipeline import files
from runner.pipeline.config import Config
from runner.pipeline.unpack import Unpacking
from tests.interop.projects import put
from tests.interop.templates import CASES, FILES, STRICTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.pipeline.model import Stage

dvc_repo: Any = pytest.importorskip("dvc.repo")
dvc_exceptions: Any = pytest.importorskip("dvc.exceptions")
pytestmark = pytest.mark.slow  # DVC's index of each case takes 20 ms

Resolved = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a DVC repository with the files beside the cases, and stand in it: DVC names stages from there."""
    root = tmp_path_factory.mktemp("templates").resolve()
    before = Path.cwd()
    os.chdir(root)
    dvc_repo.Repo.init(str(root), no_scm=True).close()
    put(root, FILES)
    yield root
    os.chdir(before)


def theirs(root: Path, text: str, file: str = "dvc.yaml") -> Resolved | None:
    """Give the stages that DVC resolves; `None` where it refuses the file, in words or by failing on it."""
    put(root, {file: text})
    repo = dvc_repo.Repo(str(root))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # DVC's own business
            repo.index.check_graph()
            return {stage.addressing: _their_stage(root, stage) for stage in repo.index.stages}
    except Exception:  # noqa: BLE001 - DVC lets any error through
        return None
    finally:
        repo.close()
        put(root, {file: None})


def _their_stage(root: Path, stage: Any) -> dict[str, Any]:
    params = [dep for dep in stage.deps if hasattr(dep, "params")]
    return {
        "cmd": stage.cmd,
        "wdir": os.path.relpath(stage.wdir, root),
        "deps": [dep.def_path for dep in stage.deps if dep not in params],
        "params": {dep.def_path: list(dict.fromkeys(dep.params)) for dep in params},
        "outs": [
            (out.def_path, out.use_cache, out.persist, bool(out.metric), bool(out.plot), out.can_push)
            for out in stage.outs
        ],
        "flags": (stage.frozen, stage.always_changed, str(stage.desc or ""), stage.meta),
        "used": {file: list(values) for file, values in stage.tracked_vars.items()},
    }


def ours(root: Path, text: str, file: str = "dvc.yaml") -> Resolved | None:
    """Give the stages that we resolve; `None` where we refuse the file."""

    def read(path: str) -> str | None:
        return text if path == file else FILES.get(path)

    try:
        pipeline = files.load([file], read, str(root))
    except ConfigError as error:
        assert all(problem.where for problem in error.problems)  # noqa: PT017
        return None
    return {stage.address: _our_stage(stage) for stage in pipeline.stages}


def _our_stage(stage: Stage) -> dict[str, Any]:
    return {
        "cmd": list(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd,
        "wdir": stage.wdir,
        "deps": [dep.spelled for dep in stage.deps],
        "params": {param.spelled: list(param.keys) for param in stage.params},
        "outs": [(out.spelled, out.cache, out.persist, out.metric, out.plot, out.push) for out in stage.outs],
        "flags": (stage.frozen, stage.always_changed, stage.desc, stage.meta),
        "used": {file: list(keys) for file, keys in stage.used.items()},
    }


@pytest.mark.parametrize("text", CASES, ids=lambda text: text.removeprefix("stages:\n  s:\n    ")[:70])
def test_a_templated_file_gives_the_stages_that_dvc_gives(text: str, root: Path) -> None:
    assert repr(ours(root, text)) == repr(theirs(root, text))  # 1, 1.0 and true are told apart, and so is the order


@pytest.mark.parametrize("text", CASES[:60:3])
def test_in_a_folder_the_params_file_beside_it_counts(text: str, root: Path) -> None:
    assert repr(ours(root, text, "sub/dvc.yaml")) == repr(theirs(root, text, "sub/dvc.yaml"))


@pytest.mark.parametrize("text", STRICTER)
def test_what_dvc_stumbles_over_later_is_refused_at_once(text: str, root: Path) -> None:
    assert theirs(root, text)
    assert ours(root, text) is None


GROUPS = {
    "dvc.yaml": (
        "stages:\n  s: {foreach: [a, e:f, g/h], do: {cmd: x}}\n  m: {matrix: {x: [1, 2]}, cmd: x}\n"
        "  none: {foreach: [], do: {cmd: x}}\n  t: {cmd: x}\n  s@q: {foreach: [z], do: {cmd: x}}\n"
    ),
    "sub/dvc.yaml": "stages:\n  s: {foreach: {k: 1}, do: {cmd: x}}\n",
}


@pytest.mark.parametrize(
    "target",
    [
        *("s", "s@a", "s@e:f", "s@g/h", "m", "m@2", "none", "t", ":t", "s@q", "s@q@z", "dvc.yaml", "dvc.yaml:s"),
        *("dvc.yaml:s@e:f", "sub/dvc.yaml", "sub/dvc.yaml:s", "sub/dvc.yaml:s@k"),
        *("s@zz", "s@", "k", "sub/dvc.yaml:t", "dvc.lock", "dvc.lock:s", "gone/dvc.yaml:s"),
    ],
)
def test_a_target_names_the_stages_that_it_names_to_dvc(target: str, root: Path) -> None:
    put(root, GROUPS)
    repo = dvc_repo.Repo(str(root))
    try:
        named_there = [stage.addressing for stage in repo.stage.from_target(target)]
    except dvc_exceptions.DvcException:
        named_there = None
    finally:
        repo.close()
        put(root, dict.fromkeys(GROUPS))
    try:
        named_here = [stage.address for stage in files.load(GROUPS, GROUPS.get).named(target)]
    except ConfigError:
        named_here = None
    assert named_here == named_there


@pytest.mark.parametrize("flags", ["store_true", "boolean_optional"])
@pytest.mark.parametrize("lists", ["nargs", "append"])
def test_mappings_become_the_options_that_the_configuration_asks_for(flags: str, lists: str, root: Path) -> None:
    text = "stages: {s: {cmd: 'x ${d} ${u}'}}"
    section = {"bool": flags, "list": lists}
    own = (root / ".dvc/config").read_text()
    options = "".join(f"    {name} = {value}\n" for name, value in section.items())
    put(root, {".dvc/config": f"{own}[parsing]\n{options}"})
    unpacking = Unpacking.of(Config(settings={f"parsing.{name}": value for name, value in section.items()}))
    (stage,) = files.load(["dvc.yaml"], {**FILES, "dvc.yaml": text}.get, unpacking=unpacking).stages
    resolved = theirs(root, text)
    put(root, {".dvc/config": own})
    assert resolved
    assert stage.cmd == resolved["s"]["cmd"]
