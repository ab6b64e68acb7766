"""dvc.lock against dvc.yaml, by text alone."""

from __future__ import annotations

import pytest

from runner.pipeline import yaml12
from tests.support.linting import found, shown

MD5 = "d3b07384d113edec49eaa6238ad5ff00"
STAGE = """\
stages:
  fit:
    cmd: python fit.py
    deps:
    - data
    - fit.py
    params:
    - lr
    outs:
    - model
"""


def locked(**changes: object) -> str:
    """Give a dvc.lock with one entry that fits the stage, but for the changes."""
    entry = {
        "cmd": "python fit.py",
        "deps": [{"path": path, "hash": "md5", "md5": MD5} for path in ("data", "fit.py")],
        "params": {"params.yaml": {"lr": 0.1}},
        "outs": [{"path": "model", "hash": "md5", "md5": MD5}],
    }
    return yaml12.render({"schema": "2.0", "stages": {"fit": entry | changes}})


def told(code: str, stage: str = STAGE, lock: str | None = None, params: str = "lr: 0.1\n") -> list[str]:
    texts = {"dvc.yaml": stage, "params.yaml": params, "data": "", "fit.py": ""}
    return shown(texts | ({"dvc.lock": lock} if lock else {}), code)


def test_a_lock_that_fits_is_left_alone() -> None:
    assert told("RT4", lock=locked()) == []


def test_a_stage_without_an_entry_is_told_and_a_lock_that_is_not_there_once() -> None:
    more = STAGE + "  other:\n    cmd: x\n    outs: [o]\n"
    assert told("RT401", more, locked()) == ["dvc.yaml:11:3: dvc.lock has no entry for 'other'"]
    assert told("RT401", more) == [
        "dvc.yaml:2:3: there is no dvc.lock: no stage has been run, or its record is not committed"
    ]


def test_what_changed_since_the_last_run_is_named_in_one_finding() -> None:
    changed = STAGE.replace("fit.py\n    deps", "fit.py --fast\n    deps").replace("- data", "- data\n    - more")
    assert told("RT402", changed, locked(), params="lr: 0.2\n") == [
        "dvc.yaml:2:3: 'fit' changed since it ran last: another cmd, new dep more, lr was 0.1, is 0.2"
    ]
    assert told("RT402", f"{changed}    frozen: true\n", locked(), params="lr: 0.2\n") == []


def test_values_are_compared_as_dvc_does() -> None:
    assert told("RT402", lock=locked(params={"params.yaml": {"lr": 1}}), params="lr: 1.0\n") == []
    assert told("RT402", lock=locked(params={"params.yaml": {"lr": 1, "old": 2}}), params="lr: 1\n") == []


def test_a_path_that_is_only_spelled_otherwise_is_told_as_that() -> None:
    other = STAGE.replace("- data", "- ./data/")
    assert told("RT40", other, locked()) == [
        "dvc.yaml:5:7: the dep './data/' of 'fit' stands in dvc.lock as 'data': the stage is stale"
    ]


def test_an_entry_whose_stage_went_is_told_in_the_lock() -> None:
    lock = locked() + "  gone:\n    cmd: x\n"
    assert [line.partition(": ")[2] for line in told("RT403", lock=lock)] == ["there is no stage 'gone' in dvc.yaml"]
    assert told("RT403", lock=lock)[0].startswith("dvc.lock:19:3")


@pytest.mark.parametrize(("blanks", "told"), [("  ", True), (" ", False)])
def test_a_command_that_dvcs_lock_cannot_hold_is_told(blanks: str, *, told: bool) -> None:
    """A line of the lock breaks after 80 columns; two blanks at that place come back as one."""
    lost = []
    for length in range(20, 80):
        stage = STAGE.replace("python fit.py", f"echo {'x' * length}{blanks}{'y' * 30}")
        lost += found({"dvc.yaml": stage, "params.yaml": "lr: 1\n", "fit.py": "", "data": ""}, "RT405")
    assert bool(lost) is told
    assert len(lost) < 60


def test_a_number_that_dvc_would_write_otherwise_is_noted() -> None:
    for value, expected in ((8.349999999999999e-08, 1), (1e-05, 0), (0.1, 0), (2.5e-07, 0)):
        lock = locked(params={"params.yaml": {"lr": value}})
        assert len(told("RT406", lock=lock, params=f"lr: {value!r}\n")) == expected, value


def test_a_broken_lock_is_an_error_and_says_nothing_of_stages() -> None:
    lock = locked().replace("schema: '2.0'", "schema: 2.0")
    assert [line.partition(": ")[0] for line in told("RT", lock=lock)] == ["dvc.lock:1:1"]
