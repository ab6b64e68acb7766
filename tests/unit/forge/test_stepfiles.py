"""The files through which a step answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ForgeError
from runner.forge.stepfiles import SUMMARY_LIMIT, append_summary, write_outputs
from tests.support.outputs import parse_outputs

if TYPE_CHECKING:
    from pathlib import Path


@given(st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True), st.text(alphabet="ab=<\n\r:_"), max_size=4))
def test_outputs_come_back_as_they_were_given(
    tmp_path_factory: pytest.TempPathFactory, outputs: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("outputs") / "file"
    write_outputs(path, outputs)
    assert parse_outputs(path) == outputs


def test_outputs_are_added_to_those_of_others(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.write_text("theirs=1\n")
    write_outputs(path, {"verdict": "passed", "stale-stages": "a\nb"})
    assert parse_outputs(path) == {"theirs": "1", "verdict": "passed", "stale-stages": "a\nb"}


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\n", "1"])
def test_a_name_that_would_break_the_file_of_outputs_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for an output"):
        write_outputs(tmp_path / "outputs", {"verdict": "x", name: "y"})
    assert not (tmp_path / "outputs").exists()


def test_a_summary_is_rendered_into_the_room_that_github_has_left(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    append_summary(path, lambda _: "# one\n")
    for _ in range(2):
        append_summary(path, lambda budget: "x" * budget)
        assert path.stat().st_size == SUMMARY_LIMIT


def test_files_that_cannot_be_written_are_the_forges_error(tmp_path: Path) -> None:
    with pytest.raises(ForgeError, match="Is a directory"):
        append_summary(tmp_path, str)
    with pytest.raises(ForgeError, match="Is a directory"):
        write_outputs(tmp_path, {"verdict": "x"})
