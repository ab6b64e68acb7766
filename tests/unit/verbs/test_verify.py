"""`retrain verify` and `retrain push --check` as processes: what they print, and what they exit with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.pipelines import Workshop, finished

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.environment import Program

pytestmark = pytest.mark.slow

PIPELINE = "stages:\n  one:\n    cmd: cp seed out\n    deps: [seed]\n    outs: [out]\n"


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    return finished(tmp_path, PIPELINE, {"seed": "1\n"})


def test_a_good_project_is_said_to_be_good(made: Workshop, retrain: Program) -> None:
    lines = retrain("verify", "--cloud", cwd=made.root).stdout.splitlines()
    assert lines == ["cache: 1 object good, 2 B", "remote: 1 object good, 2 B", "nothing is wrong"]
    assert retrain("push", "--check", cwd=made.root).stdout == "1 of 1 objects that the lock names are in the remote\n"


def test_a_broken_object_is_named_and_repaired(made: Workshop, retrain: Program) -> None:
    (key,) = made.objects("out")
    place = made.remote / key
    place.chmod(0o644)
    place.write_text("2\n")
    found = json.loads(retrain("verify", "--cloud", "--json", cwd=made.root, exits=4).stdout)["findings"]
    assert [(one["side"], one["name"], one["state"], one["path"]) for one in found] == [
        ("remote", key, "corrupt", "out")
    ]
    done = retrain("verify", "--cloud", "--repair", cwd=made.root)
    assert done.stdout.splitlines()[-1] == "0 wrong, 1 repaired"
    assert key in done.stderr
    assert place.read_text() == "1\n"


def test_what_the_remote_lacks_fails_the_check_and_nothing_is_sent(made: Workshop, retrain: Program) -> None:
    (key,) = made.objects("out")
    (made.remote / key).unlink()
    done = retrain("push", "--check", cwd=made.root, exits=4)
    assert done.stdout == "0 of 1 objects that the lock names are in the remote\n"
    assert key in done.stderr
    assert not (made.remote / key).exists()
    told = json.loads(retrain("push", "--check", "--json", cwd=made.root, exits=4).stdout)
    assert (told["objects"], [one["name"] for one in told["missing"]]) == (1, [key])
