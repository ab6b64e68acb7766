"""What `gate --explain`, `gate --suggest` and `metrics history` print, called as from a command line."""

from __future__ import annotations

import json
import logging
import os
import signal
from typing import TYPE_CHECKING

import pytest

from runner import cli
from runner.review import gatefile
from tests.interop.projects import commit, git, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Call = Callable[..., tuple[int, str]]

GATES = """\
gates:
- metric: m.json:$.score
  better: higher
  at-least: 0.5
  allow-drop: 10%
- size: m.json
  at-most: 5 B
"""


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Give a repository without DVC, with seven values of two metrics on main."""
    root = tmp_path / "plain"
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    for number in (80, 82, 81, 83, 82, 84, 83):
        put(root, {"m.json": f'{{"score": 0.{number}, "loss": 0.{100 - number}}}\n'})
        commit(root, f"value {number}")
    put(root, {"retrain.yaml": GATES, "sub/x": ""})
    commit(root, "gates")
    return root


@pytest.fixture
def call(recorded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Give a function that runs one command line there: exit code and standard output."""
    monkeypatch.chdir(recorded)

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.start(arguments, dict(os.environ))
        return code, capsys.readouterr().out

    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield run
    logging.getLogger("retrain").handlers.clear()  # they write to what was captured, which is gone
    for number, before in signals.items():
        signal.signal(number, before)


def test_an_explanation_has_every_number_of_every_limit(call: Call) -> None:
    code, out = call("gate", "--explain", "-q")
    assert code == 1
    assert "  base: 0.83, from the file at " in out
    assert "  at-least: 0.5: passed  (0.83 >= 0.5)\n" in out
    assert "  allow-drop: 10%: passed  (0.83 - 0.83 = 0 <= 10% of 0.83 = 0.083)\n" in out
    assert "  at-most: 5 B: failed  (30 B > 5 B)\n" in out
    assert "  the head's value is only claimed" in out
    assert out.endswith("verdict: failed\n")


def test_what_is_only_claimed_is_said_on_the_terminal(call: Call) -> None:
    assert "\nclaimed, not made here: m.json: no stage makes it\n" in call("gate", "-q")[1]


def test_an_explanation_as_json_holds_the_verdicts_and_the_claims(call: Call) -> None:
    code, out = call("gate", "--explain", "--json", "-q")
    explained = json.loads(out)
    assert (code, explained["verdict"], explained["exit_code"]) == (1, "failed", 1)
    assert [row["status"] for row in explained["gates"]] == ["passed", "failed"]
    assert explained["gates"][0]["checks"][1]["arithmetic"] == "0.83 - 0.83 = 0 <= 10% of 0.83 = 0.083"
    assert [claim["why"] for claim in explained["claims"]] == ["no stage makes it"]


def test_a_proposal_can_be_used_as_it_is(call: Call, recorded: Path) -> None:
    code, out = call("gate", "--suggest", "--lower", "lo*", "-q")
    assert code == 0
    score, loss = gatefile.parse_gates(out, "retrain.yaml").gates
    assert (score.label, score.limit) == ("m.json:$.score", "at least 0.8, may drop 0.045")
    assert (loss.better, loss.limit) == ("lower", "at most 0.2, may rise 0.045")
    (recorded / "retrain.yaml").write_text(out)
    assert call("gate", "-q")[0] == 0


def test_history_is_a_row_a_value_with_paths_from_where_one_stands(
    call: Call, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recorded / "sub")
    code, out = call("metrics", "history", "--last", "2", "-q")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [row[1:] for row in rows[1:3]] == [
        ["../m.json", "score", "0.83", "-0.01"],
        ["../m.json", "loss", "0.17", "+0.01"],
    ]
    assert len(rows) == 5
    found = json.loads(call("metrics", "history", "../m.json", "--json", "-q")[1])
    assert found["trends"][0]["values"] == [0.8, 0.82, 0.81, 0.83, 0.82, 0.84, 0.83]
    assert [one["subject"] for one in found["commits"]][-1] == "value 83"


def test_the_first_commit_of_all_proposes_nothing(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q", "-b", "main", str(tmp_path / "empty"))
    monkeypatch.chdir(tmp_path / "empty")
    code, out = call("gate", "--suggest", "-q")
    assert code == 0
    assert gatefile.parse_gates(out, "retrain.yaml").gates == ()
    assert "there is no base to read from" in out
