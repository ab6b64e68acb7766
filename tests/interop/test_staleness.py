"""One change at a time on a project that was up to date: `retrain plan` and `dvc status` name the same stale stages."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import Project, commit, git, put

if TYPE_CHECKING:
    from tests.interop.oracle import Sides

STAGES = Project(
    "stages",
    """\
    stages:
      read:
        cmd: cat raw > clean
        deps: [raw]
        outs: [clean]
      split:
        cmd: mkdir -p parts/deep && cp clean parts/a && echo b > parts/deep/b
        deps: [clean]
        params: [rate, deep.list, flag]
        outs: [parts]
      fit:
        cmd: cat parts/a > model && echo 1 > m.json
        deps: [parts, tool.sh]
        outs: [model]
        metrics:
        - m.json:
            cache: false
      other:
        cmd: cat added folder/x > other
        deps: [added, folder]
        outs: [other]
      inner:
        cmd: cat folder/x > inner
        deps: [folder/x]
        outs: [inner]
    """,
    {
        "raw": "r\n",
        "tool.sh": "#!/bin/sh\n",
        "params.yaml": "rate: 1\ndeep:\n  list: [1, 2.0]\nflag: true\nunused: 1\n",
        "added": "a",
        "folder/x": "x",
        "folder/y": "y",
    },
    added=("added", "folder"),
)

Change = Callable[[Path], object]


def replace(path: str, old: str, new: str) -> Change:
    """Replace a text that occurs in the file."""

    def change(root: Path) -> None:
        text = (root / path).read_text(encoding="utf-8")
        assert old in text
        (root / path).write_text(text.replace(old, new), encoding="utf-8")

    return change


def write(path: str, content: str | None) -> Change:
    """Write a file, or remove it."""
    return lambda root: put(root, {path: content})


def remove(path: str) -> Change:
    """Remove a directory."""
    return lambda root: shutil.rmtree(root / path)


def after(*changes: Change) -> Change:
    """Make several changes."""

    def change(root: Path) -> None:
        for each in changes:
            each(root)

    return change


def capitals(root: Path) -> None:
    """Write the hash of `raw` in the lock in capital letters (T26)."""
    lines = (root / "dvc.lock").read_text(encoding="utf-8").splitlines()
    at = lines.index("    - path: raw") + 2
    lines[at] = "      md5: " + lines[at].removeprefix("      md5: ").upper()
    (root / "dvc.lock").write_text("\n".join(lines) + "\n", encoding="utf-8")


NOTHING: frozenset[str] = frozenset()
FOLDER_AND_READERS = frozenset({"folder.dvc", "other", "inner"})

# What is changed, how, and which stages are stale. Where a stage gets what an upstream run will give it, `wait` is
# right as well; what we know better than `dvc status` has a row of its own below.
SAME: tuple[tuple[str, Change, frozenset[str]], ...] = (
    ("nothing", lambda _: None, NOTHING),
    ("a dep", write("raw", "changed"), frozenset({"read"})),
    ("a dep's time", lambda root: (root / "raw").touch(), NOTHING),
    ("a dep's mode", lambda root: (root / "tool.sh").chmod(0o755), NOTHING),
    ("a dep removed", write("raw", None), frozenset({"read"})),
    ("a dep replaced by a directory", after(write("raw", None), write("raw/x", "r\n")), frozenset({"read"})),
    ("a parameter", replace("params.yaml", "rate: 1", "rate: 2"), frozenset({"split"})),
    ("a parameter 1 to 1.0", replace("params.yaml", "rate: 1", "rate: 1.0"), NOTHING),
    ("a parameter 1 to true", replace("params.yaml", "rate: 1", "rate: true"), NOTHING),
    ("a parameter 1 to text", replace("params.yaml", "rate: 1", "rate: '1'"), frozenset({"split"})),
    ("a parameter true to 1", replace("params.yaml", "flag: true", "flag: 1"), NOTHING),
    ("a parameter true to yes", replace("params.yaml", "flag: true", "flag: yes"), frozenset({"split"})),
    ("a parameter inside a list", replace("params.yaml", "[1, 2.0]", "[1, 2]"), NOTHING),
    ("the order of a list", replace("params.yaml", "[1, 2.0]", "[2.0, 1]"), frozenset({"split"})),
    ("a parameter removed", replace("params.yaml", "rate: 1\n", ""), frozenset({"split"})),
    ("a parameter to NaN", replace("params.yaml", "rate: 1", "rate: .nan"), frozenset({"split"})),
    ("the params file removed", write("params.yaml", None), frozenset({"split"})),
    ("an unused parameter", replace("params.yaml", "unused: 1", "unused: 2"), NOTHING),
    ("a comment in the params file", replace("params.yaml", "rate: 1", "# note\nrate: 1 # one"), NOTHING),
    ("a command", replace("dvc.yaml", "cat raw > clean", "cat raw  > clean"), frozenset({"read"})),
    ("a command to a list", replace("dvc.yaml", "cmd: cat raw > clean", "cmd: [cat raw > clean]"), frozenset({"read"})),
    ("a command in quotes", replace("dvc.yaml", "cmd: cat raw > clean", "cmd: 'cat raw > clean'"), NOTHING),
    ("a comment in dvc.yaml", replace("dvc.yaml", "stages:", "# note\nstages:"), NOTHING),
    ("a description", replace("dvc.yaml", "  read:", "  read:\n    desc: For people."), NOTHING),
    ("a dep more", replace("dvc.yaml", "deps: [raw]", "deps: [raw, tool.sh]"), frozenset({"read"})),
    ("a dep less", replace("dvc.yaml", "deps: [parts, tool.sh]", "deps: [parts]"), NOTHING),
    ("a dep spelled otherwise", replace("dvc.yaml", "deps: [raw]", "deps: [./raw]"), frozenset({"read"})),
    ("a parameter more", replace("dvc.yaml", "[rate, ", "[unused, rate, "), frozenset({"split"})),
    ("a parameter less", replace("dvc.yaml", "[rate, ", "["), NOTHING),
    ("an out spelled otherwise", replace("dvc.yaml", "outs: [model]", "outs: [./model]"), frozenset({"fit"})),
    ("an out that persists", replace("dvc.yaml", "outs: [model]", "outs: [{model: {persist: true}}]"), NOTHING),
    ("a stage renamed", replace("dvc.yaml", "  other:", "  renamed:"), frozenset({"renamed"})),
    ("a stage removed", replace("dvc.yaml", "  other:\n", "  fit2:\n"), frozenset({"fit2"})),
    ("always_changed", replace("dvc.yaml", "  fit:", "  fit:\n    always_changed: true"), frozenset({"fit"})),
    ("a wdir spelled out", replace("dvc.yaml", "  read:", "  read:\n    wdir: ."), NOTHING),
    ("an out", write("model", "changed"), frozenset({"fit"})),
    ("an out removed", write("model", None), frozenset({"fit"})),
    ("an uncached metric", write("m.json", "2"), frozenset({"fit"})),
    ("an uncached metric removed", write("m.json", None), frozenset({"fit"})),
    ("a file more in an added directory", write("folder/z", "z"), frozenset({"folder.dvc", "other"})),
    ("a file less in an added directory", write("folder/y", None), frozenset({"folder.dvc", "other"})),
    (
        "a file renamed in an added directory",
        after(write("folder/y", None), write("folder/z", "y")),
        frozenset({"folder.dvc", "other"}),
    ),
    ("a file that a stage reads in an added directory", write("folder/x", "2"), FOLDER_AND_READERS),
    ("that file removed", write("folder/x", None), FOLDER_AND_READERS),
    ("an empty folder in an added directory", lambda root: (root / "folder" / "empty").mkdir(), NOTHING),
    (
        "an ignored file in an added directory",
        after(write(".dvcignore", "*.tmp\n"), write("folder/z.tmp", "")),
        NOTHING,
    ),
    ("an added file", write("added", "changed"), frozenset({"added.dvc", "other"})),
    ("the lock removed", write("dvc.lock", None), frozenset({"read", "split", "fit", "other", "inner"})),
    ("a hash in the lock in capitals", capitals, frozenset({"read"})),
    ("a size in the lock", replace("dvc.lock", "size: 2\n", "size: 3\n"), NOTHING),
    ("a change and its revert", after(write("raw", "changed"), write("raw", "r\n")), NOTHING),
)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Path:
    """Give the project, up to date by DVC's own hands."""
    root = tmp_path_factory.mktemp("staleness") / "template"
    STAGES.write(root, sides.dvc)
    sides.dvc.run(root, "repro", "--quiet")
    commit(root)
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    """Give a copy to change."""
    return Path(shutil.copytree(template, tmp_path / "root", symlinks=True))


@pytest.mark.parametrize(("change", "stale"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_both_name_the_same_stale_stages(change: Change, stale: frozenset[str], root: Path, sides: Sides) -> None:
    change(root)
    assert set(sides.dvc.status(root)) == stale
    plan = sides.retrain.plan(root)
    assert {stage for stage, row in plan.items() if row["decision"] in {"run", "restore"}} == stale - waiting(plan)
    assert waiting(plan) <= downstream(stale)


def waiting(plan: dict[str, dict[str, object]]) -> set[str]:
    """Give the stages that wait for what an upstream run will give them."""
    return {stage for stage, row in plan.items() if row["decision"] == "wait"}


def downstream(stale: frozenset[str]) -> set[str]:
    """Give what may have to wait for the `stale` stages."""
    order = ("read", "split", "fit")
    first = min((order.index(stage) for stage in stale if stage in order), default=len(order))
    return set(order[first + 1 :]) | ({"other"} if stale & {"added.dvc", "folder.dvc"} else set())


def test_a_missing_out_is_put_back_and_its_reader_stays_fresh(root: Path, sides: Sides) -> None:
    shutil.rmtree(root / "parts")
    assert set(sides.dvc.status(root)) == {"split", "fit"}
    plan = sides.retrain.plan(root)
    assert (plan["split"]["decision"], plan["fit"]["decision"]) == ("restore", "fresh")


def test_a_missing_member_of_an_out_is_put_back_and_its_reader_stays_fresh(root: Path, sides: Sides) -> None:
    (root / "parts" / "deep" / "b").unlink()
    assert set(sides.dvc.status(root)) == {"split", "fit"}
    plan = sides.retrain.plan(root)
    assert (plan["split"]["decision"], plan["fit"]["decision"]) == ("restore", "fresh")


def test_an_object_missing_from_the_cache_alone_is_no_reason_to_run(root: Path, sides: Sides) -> None:
    shutil.rmtree(root / ".dvc" / "cache")
    assert "not in cache" in str(sides.dvc.status(root))
    assert {row["decision"] for row in sides.retrain.plan(root).values()} == {"fresh"}


def test_a_fresh_clone_without_any_data_is_fresh(root: Path, sides: Sides, tmp_path: Path) -> None:
    put(root, {".dvc/config": f'[core]\n    remote = r\n[remote "r"]\n    url = {tmp_path / "remote"}\n'})
    commit(root)
    sides.dvc.run(root, "push", "--quiet")
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    assert {row["decision"] for row in sides.retrain.plan(tmp_path / "clone").values()} == {"fresh"}
    assert not (tmp_path / "clone" / "folder").exists()


def test_a_frozen_stage_does_not_look_at_its_deps(root: Path, sides: Sides) -> None:
    replace("dvc.yaml", "  read:", "  read:\n    frozen: true")(root)
    put(root, {"raw": "changed"})
    assert sides.dvc.status(root) == {}
    plan = sides.retrain.plan(root)
    assert plan["read"]["decision"] == "frozen"
    assert {row["decision"] for stage, row in plan.items() if stage != "read"} == {"fresh"}


def test_frozen_stages_are_left_alone_by_both_when_their_deps_change(root: Path, sides: Sides, tmp_path: Path) -> None:
    replace("dvc.yaml", "  read:", "  read:\n    frozen: true")(root)
    put(root, {"raw": "changed", "tool.sh": "changed"})
    theirs = Path(shutil.copytree(root, tmp_path / "theirs", symlinks=True))
    sides.dvc.run(theirs, "repro", "--quiet")
    sides.retrain.run(root, "repro")
    assert (root / "dvc.lock").read_bytes() == (theirs / "dvc.lock").read_bytes()
    assert (root / "clean").read_text() == (theirs / "clean").read_text() == "r\n"


STALE_ROWS = tuple(row for row in SAME if row[2])


@pytest.mark.parametrize("row", STALE_ROWS, ids=[row[0] for row in STALE_ROWS])
def test_both_leave_the_same_lock_when_they_can_run(
    row: tuple[str, Change, frozenset[str]], root: Path, sides: Sides, tmp_path: Path
) -> None:
    row[1](root)
    theirs = Path(shutil.copytree(root, tmp_path / "theirs", symlinks=True))
    done = sides.dvc.ask(theirs, "repro", "--quiet")
    ours = sides.retrain.ask(root, "repro")
    assert (ours.code == 0) == (done.code == 0), (done, ours)
    if done.code == 0:
        assert (root / "dvc.lock").read_bytes() == (theirs / "dvc.lock").read_bytes()
