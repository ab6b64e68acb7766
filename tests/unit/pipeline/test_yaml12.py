"""Reading YAML: DVC's own answers, errors with a place, and bounds on what a hostile text costs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ConfigError
from runner.pipeline.yaml12 import locate, parse

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "yaml_load.json").read_text(encoding="utf-8"))


def refusal(text: str) -> ConfigError:
    """Read `text`, which must be refused with a place in the file."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "dvc.yaml")
    assert caught.value.where is not None
    assert caught.value.where.file == "dvc.yaml"
    return caught.value


def place(error: ConfigError) -> tuple[int, int]:
    assert error.where is not None
    return error.where.line, error.where.column


def as_recorded(value: Any) -> Any:
    """Put a value as the vectors hold it: what is empty as {}, and keys as JSON writes them."""
    return json.loads(json.dumps(value or {}))


@pytest.mark.parametrize("vector", VECTORS, ids=[repr(vector["text"])[:60] for vector in VECTORS])
def test_every_text_of_the_vectors_is_read_as_dvc_reads_it(vector: dict[str, Any]) -> None:
    if "error" in vector:
        refusal(vector["text"])
        return
    value = parse(vector["text"], "dvc.yaml")
    if isinstance(value, set):
        assert value == {"a", "b"}
    elif "python_repr" in vector:
        assert repr(value) == vector["python_repr"]
    else:
        assert as_recorded(value) == vector["value"]
        assert type(value or {}) is type(vector["value"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing but a comment\n", None),
        ("--- \n...\n", None),
        ("\ufeffa: 1\n", {"a": 1}),
        ("a: 1\r\nb:\r\n- x\r\n", {"a": 1, "b": ["x"]}),
        ("cmd: 'a b'\n", {"cmd": "a b"}),
        ("cmd: python a.py \n  --lr 1\n", {"cmd": "python a.py --lr 1"}),
        ("cmd: \n      " + "x" * 100, {"cmd": "x" * 100}),
        ("a: !!str 12\nb: ! 12\nc: !!float 3\n", {"a": "12", "b": 12, "c": 3.0}),
        ("a: !!int '7'\nb: !!bool yes\n", {"a": 7, "b": True}),
        ("a: !!str\nb: !\nc: !!null x\n", {"a": "", "b": None, "c": None}),
        ("!!omap [a: 1, b: 2]", {"a": 1, "b": 2}),
        ("!!pairs [a: 1, a: 2]", [("a", 1), ("a", 2)]),
        ("!!binary aGk=", b"hi"),
        ("? [1, 2]\n: x\n=: y\n~: z\n", {(1, 2): "x", "=": "y", None: "z"}),
        ("'<<': 1\n!!str 5: 2\n", {"<<": 1, "5": 2}),
        ('{"a": [1, null, true], "b":"x"}', {"a": [1, None, True], "b": "x"}),
    ],
)
def test_a_document_becomes_plain_python(text: str, value: object) -> None:
    found = parse(text, "dvc.yaml")
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2020-02-29", date(2020, 2, 29)),
        ("2020-01-02 03:04:05", datetime(2020, 1, 2, 3, 4, 5)),  # noqa: DTZ001 (a time without a zone is meant)
        ("2020-1-2T3:04:05.5Z", datetime(2020, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
        ("2020-01-02 03:04:05.1234567", datetime(2020, 1, 2, 3, 4, 5, 123_457)),  # noqa: DTZ001
        ("2020-01-02 03:04:59.9999999", datetime(2020, 1, 2, 3, 5)),  # noqa: DTZ001
        ("2020-01-02 03:04:05 -1:30", datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-1, minutes=-30)))),
    ],
)
def test_dates_and_times_are_read_to_the_microsecond(text: str, value: date) -> None:
    assert parse(text, "params.yaml") == value


def test_under_a_directive_for_1_1_its_rules_hold_and_only_there() -> None:
    text = "a: yes\nb: 010\nc: 1:30\nd: 1:30.5\ne: 08\nf: -0b11\ng: Off\nh: 0x1F\ni: 0\n"
    old = {"a": True, "b": 8, "c": 90, "d": 90.5, "e": "08", "f": -3, "g": False, "h": 31, "i": 0}
    new = {"a": "yes", "b": 10, "c": "1:30", "d": "1:30.5", "e": 8, "f": -3, "g": "Off", "h": 31, "i": 0}
    assert parse(f"%YAML 1.1\n---\n{text}", "params.yaml") == old
    assert parse(f"%YAML 1.2\n---\n{text}", "params.yaml") == new
    assert parse(text, "params.yaml") == new


def test_an_alias_names_the_same_object_again() -> None:
    document = parse("a: &x [1]\nb: *x\nc: &x {d: 2}\ne: *x\n", "dvc.yaml")
    assert document == {"a": [1], "b": [1], "c": {"d": 2}, "e": {"d": 2}}
    assert document["a"] is document["b"]
    assert document["c"] is document["e"]


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("<<: {a: 1, b: 2}\nb: 3\n", {"a": 1, "b": 3}),
        ("b: 3\n<<: {a: 1, b: 2}\n", {"a": 1, "b": 3}),
        ("<<: [{a: 1}, {a: 2, b: 3}]\n", {"a": 1, "b": 3}),
        ("x: &x {<<: {p: 1}, q: 2}\n<<: *x\nq: 5\n", {"p": 1, "q": 5, "x": {"p": 1, "q": 2}}),
    ],
)
def test_own_keys_win_over_merged_ones_and_the_first_source_over_the_next(text: str, merged: object) -> None:
    assert parse(text, "dvc.yaml") == merged


def test_merged_keys_come_first_as_dvc_orders_them() -> None:
    assert list(parse("c: 1\n<<: {a: 1, b: 2}\nb: 3\n", "dvc.yaml")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "at", "message", "hint"),
    [
        ("a: 1\nb: x: y\n", (2, 5), "mapping values", "quotes"),
        ("a:\n\tb: 1\n", (2, 1), "a tab", "blanks"),
        ("a: b\tc\n", (1, 5), "a tab", "quotes"),
        ("a: [b\tc]\n", (1, 6), "a tab", "quotes"),
        ("a:\tb\n", (1, 3), "a tab", "blanks"),
        ("a: 'b'\t# c\n", (1, 7), "a tab", "blanks"),
        ("a: |\t\n  b\n", (1, 5), "a tab", "blanks"),
        ("a: 1\nb: 2\na: 3\n", (3, 1), "'a' comes twice", "remove or rename"),
        ("s:\n  - {a: 1, 'a': 2}\n", (2, 12), "'a' comes twice", "remove or rename"),
        ("1: a\n1.0: b\n", (2, 1), "1.0 comes twice", "remove"),
        ("<<: {a: 1}\nb: 1\nb: 2\n", (3, 1), "'b' comes twice", "remove"),
        ("<<: {a: 1}\n<<: {b: 1}\n", (2, 1), "'<<' comes twice", "remove"),
        ("<<: 1\n", (1, 5), "'<<' takes", ""),
        ("<<: [{a: 1}, 2]\n", (1, 5), "'<<' takes", ""),
        ("a: 1\n---\nb: 1\n", (2, 1), "a second document", "---"),
        ("a: !env X\n", (1, 4), "the tag !env", "remove"),
        ("a: !!python/object/apply:os.system [x]\n", (1, 4), "!!python/object/apply:os.system", "remove"),
        ("a: !!str {b: 1}\n", (1, 4), "the tag !!str", "remove"),
        ("a: !!omap [1]\n", (1, 4), "not what the tag !!omap asks for", "remove"),
        ("a: !!timestamp noon\n", (1, 4), "'noon' cannot be read", "quotes"),
        ("a: !!bool maybe\n", (1, 4), "'maybe' cannot be read", "quotes"),
        ("a: [1, *x]\n", (1, 8), "no anchor &x", ""),
        ("a: &x [1, *x]\n", (1, 11), "no anchor &x", ""),
        ("a: =\n", (1, 4), "'=' cannot be read", "quotes"),
        ("a: 2020-13-01\n", (1, 4), "'2020-13-01' cannot be read", "quotes"),
        ("a: 9999-12-31 23:59:59.9999999\n", (1, 4), "cannot be read", "quotes"),
        ("a: 0b_\n", (1, 4), "'0b_' cannot be read", "quotes"),
        ("a: " + "9" * 5000, (1, 4), "cannot be read", "quotes"),
        ("? {a: 1}\n: b\n", (1, 3), "can be keys", "quotes"),
        ("{{x}}: 1\n", (1, 2), "can be keys", "quotes"),
        ("a: [${x}, 1]\n", (1, 6), "did not find expected ','", "template"),
        ("a: &x.y 1\n", (1, 6), "anchor", "letters"),
        ("a: *.csv\n", (1, 5), "alias", "quotes"),
        ("a: @x\n", (1, 4), "cannot start any token", "quotes"),
        ("a: 'x\n", (2, 1), "unexpected end of stream", "quote is not closed"),
        ("é: é\nb: \x01\n", (2, 4), "U+0001", "escape"),
        ("a: \ud800\n", (1, 4), "U+D800", "escape"),
        ("a: 1\n\ufeffb: 2\n", (2, 1), "U+FEFF", "remove"),
        ("&a: x\n", (1, 1), "no key after it", "a blank"),
        ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> topic\n", (2, 1), "merge conflict", "resolve"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place_and_a_way_out(
    text: str, at: tuple[int, int], message: str, hint: str
) -> None:
    error = refusal(text)
    assert place(error) == at
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "text",
    ["a: 'b\tc'\n", 'a: "b\tc"\n', "a: |\n  b\tc\n", "# b\tc\na: 1\n", "a: 1 # b\tc\n", "a: [b,\tc]\n", "a: {b:\t1}\n"],
)
def test_a_tab_is_read_where_dvc_reads_it(text: str) -> None:
    assert "a" in parse(text, "dvc.yaml")


def test_markers_of_a_conflict_inside_a_command_are_text() -> None:
    assert parse("cmd: |\n  echo\n  <<<<<<< x\n", "dvc.yaml") == {"cmd": "echo\n<<<<<<< x\n"}


def nested_aliases(first: str, row: str) -> str:
    rows = (row.format(i=i, many=",".join([f"*a{i - 1}"] * 10)) for i in range(1, 10))
    return "\n".join((f"a0: &a0 {first}", *rows))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (nested_aliases("[x,x,x,x,x,x,x,x,x,x]", "a{i}: &a{i} [{many}]"), "aliases"),
        (nested_aliases("{k0: x}", "a{i}: &a{i} {{<<: [{many}], k{i}: 1}}"), "aliases"),
        ("[" * 100_000, "nest"),
        ("- " * 100_000, "nested"),
        ("{a: " * 100_000, "nested"),
        ("? " * 100_000, "nested"),
    ],
    ids=["aliases", "merge keys", "brackets", "dashes", "braces", "question marks"],
)
def test_a_bomb_is_refused_before_it_grows(text: str, message: str) -> None:
    assert message in refusal(text).message


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    assert "too large" in refusal("a: 1\n" * 10_000_000).message


def test_more_values_than_can_be_read_in_time_are_refused_where_they_become_too_many() -> None:
    error = refusal("- 1\n" * 1_000_000)
    assert "more than 500,000 values" in error.message
    assert place(error)[0] > 499_000


def test_a_hundred_levels_are_read() -> None:
    assert json.dumps(parse("[" * 100 + "]" * 100, "x.yaml")) == "[" * 100 + "]" * 100


def test_a_repeated_alias_within_the_bound_is_read() -> None:
    text = "d: &d {a: 1, b: 2}\n" + "".join(f"k{i}: {{<<: *d, c: {i}}}\n" for i in range(3000))
    assert parse(text, "params.yaml")["k2999"] == {"a": 1, "b": 2, "c": 2999}


TEXT = """\
stages:
  train:
    cmd: x
    deps:
    - a
    - {path: b}
  1: one
  '1': text
"""


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ((), (1, 1)),
        (("stages",), (1, 1)),
        (("stages", "train"), (2, 3)),
        (("stages", "train", "deps"), (4, 5)),
        (("stages", "train", "deps", 0), (5, 7)),
        (("stages", "train", "deps", 1, "path"), (6, 8)),
        (("stages", 1), (7, 3)),
        (("stages", "1"), (8, 3)),
        (("stages", "train", "deps", 2), (4, 5)),
        (("stages", "train", "cmd", "deeper"), (3, 5)),
        (("stages", "gone", "cmd"), (1, 1)),
        (("nothing",), (1, 1)),
    ],
)
def test_a_path_is_located_at_its_key_or_nearest_ancestor(path: tuple[str | int, ...], at: tuple[int, int]) -> None:
    assert locate(TEXT, *path) == at


@pytest.mark.parametrize("text", ["", "a: [", "\ud800", "a: 1\n---\nb: 2\n", "._: 1"])
def test_locating_in_what_is_not_a_document_gives_its_start(text: str) -> None:
    assert locate(text, "a", "b") == (1, 1)


def test_without_libyaml_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['yaml._yaml'] = None\nimport runner.pipeline.yaml12"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3]
    )
    assert run.returncode == 1
    assert "pip install --force-reinstall" in run.stderr
