"""Real DVC beside the sections of dvc.yaml that are no stages: it takes and refuses what we take and refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.interop.projects import Project, commit, git, put
from tests.support.sections import ACCEPTED, REFUSED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.oracle import Sides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sections") / "root"
    git(root.parent, "init", "--quiet", str(root))
    put(root, {".dvc/config": ""})
    return root


def test_dvc_accepts_what_we_accept_and_refuses_what_we_refuse(empty: Path, sides: Sides) -> None:
    answers = {}
    for text in (*ACCEPTED, *REFUSED):
        put(empty, {"dvc.yaml": text})
        answers[text] = sides.dvc.ask(empty, "status").code == 0
    assert [text for text in ACCEPTED if not answers[text]] == []
    assert [text for text in REFUSED if answers[text]] == []


DECLARED = Project(
    "declared beside stages",
    """\
    params: [conf.toml, conf.py]
    metrics: [git.json, kept/, both.json]
    stages:
      fit:
        cmd: mkdir many && echo '{"a":' 4 '}' > many/one.json && cp many/one.json both.json
        deps: [git.json]
        params: [{conf.toml: [a, t.b]}]
        outs: [both.json]
        metrics: [many]
    """,
    {
        "git.json": '{"g": {"h": 1, "list": [1], "none": null}, "t": "x", "yes": true}',
        "kept/deep/one.yaml": "k: 1e3\n",
        "kept/two.toml": "a = 0.5\n[b]\nc = 'x'\n",
        "kept/three.py": "class C:\n    acc = 0.5\n    def __init__(self):\n        self.seen = (1, 2)\n",
        "conf.toml": "a = 1\n[t]\nb = [1, 'x']\n",
        "conf.py": "lr = 0.1\nclass C:\n    shape = [1, 2]\n",
        "sub/dvc.yaml": "params: [p.json]\nmetrics: [m.json, ../git.json]\n",
        "sub/m.json": "0.5",
        "sub/p.json": '{"p": 1}',
    },
    edits={
        "git.json": '{"g": {"h": 2}, "t": "y"}',
        "conf.toml": "a = 2\n[t]\nb = [1, 'y']\nc = 1\n",
        "conf.py": "lr = 0.2\nclass C:\n    shape = [1, 3]\n",
        "sub/m.json": "0.75",
        "sub/p.json": '{"p": 2}',
    },
)
ASKED = (
    ("metrics", "show", "--json"),
    ("metrics", "diff", "--json"),
    ("params", "diff", "--json"),
    ("params", "diff", "--json", "--deps"),
)


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Path:
    root = tmp_path_factory.mktemp("declared") / "root"
    DECLARED.write(root, sides.dvc)
    sides.dvc.run(root, "repro", "--quiet")
    commit(root)
    DECLARED.edit(root)
    return root


@pytest.mark.parametrize("argv", ASKED, ids=" ".join)
def test_metrics_and_params_declared_beside_stages_are_shown_as_dvc_shows_them(
    argv: tuple[str, ...], edited: Path, sides: Sides
) -> None:
    theirs = json.loads(sides.dvc.run(edited, *argv))
    assert theirs
    assert json.loads(sides.retrain.run(edited, *argv)) == theirs
