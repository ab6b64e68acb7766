"""What a run is at, in words: short, in order, and harmless whatever stages are called."""

from __future__ import annotations

from runner.review.underway import Underway, to_markdown


def underway(*stages: str, ended: tuple[str, ...] = (), begun: tuple[str, ...] = (), page: str = "") -> Underway:
    return Underway(
        head="a" * 40,
        page=page,
        stages=stages,
        ended=dict.fromkeys(ended, ("ran", 0.0)),
        begun=dict.fromkeys(begun, "14:05 UTC"),
    )


def test_what_runs_comes_first_then_what_has_ended_then_what_waits() -> None:
    text = to_markdown(underway("a", "b", "c", ended=("a",), begun=("a", "b")))
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == ["| `b` | running since 14:05 UTC |", "| `a` | ran |", "| `c` | waiting |"]


def test_before_it_is_known_what_is_to_be_run_there_is_no_table() -> None:
    assert to_markdown(underway()) == ("**Running**\n\nA run for `aaaaaaa` is under way; its report will stand here.\n")


def test_of_many_stages_the_first_fifty_are_shown_and_the_others_counted() -> None:
    names = [f"stage-{'x' * 300}-{number}" for number in range(5000)]
    text = to_markdown(underway(*names, begun=(names[4999],)))
    assert "running since" in text.splitlines()[6]
    assert text.endswith("| and 4,950 more stages | |\n")
    assert len(text.encode()) < 30_000


def test_a_stage_cannot_change_the_shape_of_the_comment() -> None:
    hostile = "a|b`c\n<!-- x -->\u202e@octocat [x](javascript:1)"
    text = to_markdown(underway(hostile, begun=(hostile,)))
    (row,) = [line for line in text.splitlines() if "running since" in line]
    assert "<!--" not in text
    assert "\u202e" not in text
    assert row.startswith("| ``a\\|b`c")
    assert row.count("|") - row.count("\\|") == 3
