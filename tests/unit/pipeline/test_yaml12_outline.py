"""Where things stand in a YAML text."""

from __future__ import annotations

import pytest

from runner.pipeline.yaml12 import Outline

TEXT = """\
stages:
  train:
    cmd: >-
      python src/train.py
      --rate 1
    deps: [data/raw, data, 'src/train.py']
    params:
    - train.lr
    - lr
  1:
    cmd: x
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("stages", "train"), (2, 3)),
        (("stages", 1), (10, 3)),
        (("stages", "train", "deps", 1), (6, 22)),
        (("stages", "train", "nowhere"), (2, 3)),
    ],
)
def test_an_entry_is_where_its_key_is_and_what_is_not_there_where_it_would_be(
    path: tuple[str, ...], place: object
) -> None:
    assert Outline(TEXT).locate(*path) == place


@pytest.mark.parametrize(
    ("word", "section", "place"),
    [
        ("data", "deps", (6, 22)),
        ("src/train.py", "deps", (6, 29)),
        ("src/train.py", "cmd", (4, 14)),
        ("lr", "params", (9, 7)),
        ("absent", "params", None),
    ],
)
def test_a_word_is_found_inside_a_value_but_not_inside_a_longer_word(word: str, section: str, place: object) -> None:
    assert Outline(TEXT).spot(word, "stages", "train", section) == place


def test_what_is_not_there_is_told_apart() -> None:
    outline = Outline(TEXT)
    assert outline.has("stages", "train", "params", 1)
    assert not outline.has("stages", "train", "params", 2)
    assert not outline.has("stages", "other")


def test_of_what_is_no_yaml_everything_stands_at_the_beginning() -> None:
    assert Outline("a: [").locate("a") == (1, 1)
    assert not Outline("a: [").has()


def test_a_byte_order_mark_is_no_column() -> None:
    assert Outline("\ufeffa: b").find("b", "a") == (1, 4)
