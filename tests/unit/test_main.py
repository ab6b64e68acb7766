"""What runs where nobody says a verb."""

from __future__ import annotations

import pytest

from runner.__main__ import arguments


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        (["plan", "--json"], {"INPUT_COMMAND": "run"}, ["plan", "--json"]),
        (["metrics diff", "--json"], {}, ["metrics", "diff", "--json"]),
        ([""], {}, [""]),
        ([], {"INPUT_COMMAND": " plan "}, ["plan"]),
        ([], {"INPUT_COMMAND": "params diff"}, ["params", "diff"]),
        ([], {"INPUT_COMMAND": "", "GITHUB_ACTIONS": "true"}, ["run"]),
        ([], {"GITHUB_ACTIONS": "true"}, ["run"]),
        ([], {}, []),
    ],
)
def test_the_verb_is_the_argument_then_the_input_then_run_in_a_job(
    given: list[str], environ: dict[str, str], expected: list[str]
) -> None:
    assert arguments(given, environ) == expected
