"""Where entries stand: replacing the lines of one must change nothing else."""

from __future__ import annotations

import pytest

from runner.pipeline.yaml12 import parse, parse_spans

LOCK = """\
# written by hand
schema: '2.0'
stages:
  # about a
  a:
    cmd: x
    outs:
    - path: o  # the model
      size: 1
  # between a and b

  b:
    cmd: |
      x
      # text, not a comment

  # after b
  c:
    params:
      p.yaml:
        empty:
        list:
        -
  d: {cmd: y,
    deps: []
  }
  ? "a long
    key"
  : - 1
    - 2
# at the end
other: 1
"""
BODIES = {
    "a": ["  a:", "    cmd: x", "    outs:", "    - path: o  # the model", "      size: 1"],
    "b": ["  b:", "    cmd: |", "      x", "      # text, not a comment", ""],
    "c": ["  c:", "    params:", "      p.yaml:", "        empty:", "        list:", "        -"],
    "d": ["  d: {cmd: y,", "    deps: []", "  }"],
    "a long key": ['  ? "a long', '    key"', "  : - 1", "    - 2"],
}


def bodies(text: str) -> dict[str, list[str]]:
    _, spans = parse_spans(text, "dvc.lock", "stages")
    lines = text.splitlines()
    return {name: lines[start:end] for name, (start, end) in spans.items()}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_span_runs_from_the_key_to_the_last_line_of_content(newline: str) -> None:
    assert bodies(LOCK.replace("\n", newline)) == BODIES


def test_the_value_is_the_one_that_parse_gives() -> None:
    assert parse_spans(LOCK, "dvc.lock", "stages")[0] == parse(LOCK, "dvc.lock")


@pytest.mark.parametrize("name", BODIES)
def test_other_lines_in_place_of_a_span_change_that_entry_alone(name: str) -> None:
    document, spans = parse_spans(LOCK, "dvc.lock", "stages")
    start, end = spans[name]
    lines = LOCK.splitlines()
    new = "\n".join((*lines[:start], f"  {name}: new", *lines[end:]))
    assert parse(new, "dvc.lock") == {**document, "stages": {**document["stages"], name: "new"}}
    comments = [line for line in lines if line.strip().startswith("#") and "text" not in line]
    assert all(comment in new for comment in comments)


@pytest.mark.parametrize(
    "text",
    [
        "stages:\n  a: 1",
        "stages:\n  a: 1\n\n# end",
        "stages:\n  a: 1\n...\n",
        "\ufeffstages:\n  a: 1\n",
        "x: &x 1\nstages:\n  a: 1\ny: *x\n",
        "before:\n  stages:\n    b: 2\nstages:\n  a: 1\n",
        "'stages':\n  a: 1\n",
    ],
)
def test_the_only_entry_is_found_whatever_stands_around_it(text: str) -> None:
    assert bodies(text) == {"a": ["  a: 1"]}


def test_an_anchor_used_inside_its_own_entry_or_set_before_all_does_no_harm() -> None:
    text = (
        "q: &q 1\nstages:\n  a:\n    x: &id001 [1]\n    y: *id001\n  b:\n    x: &id001 [2]\n    y: *id001\n    z: *q\n"
    )
    assert list(bodies(text)) == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\n",
        "stages:\n",
        "stages: text\n",
        "stages: {}\n",
        "stages: {a: 1}\n",
        "stages: [a]\n",
        "- stages\n- a: 1\n",
        "stages: &s\n  a: 1\n",
        "stages: !!map\n  a: 1\n",
        "stages:\n  a: &x {b: 1}\n  c: *x\n",
        "stages:\n  a: &x {b: 1}\nother: *x\n",
        "x: &x {a: 1}\nstages:\n  <<: *x\n  b: 1\n",
        "stages:\n  1: a\n",
        "stages:\n  true: a\n",
        "stages:\n  [a]: 1\n",
        "stages:\n  ?\n    a\n  : 1\n",
        "? stages\n: a: 1\n",
        "[x]: stages\ny:\n  a: 1\n",
    ],
)
def test_no_spans_where_entries_cannot_be_replaced_line_by_line(text: str) -> None:
    document, spans = parse_spans(text, "dvc.lock", "stages")
    assert spans == {}
    assert document == parse(text, "dvc.lock")
