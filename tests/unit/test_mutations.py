"""Whatever happens to a valid file (bytes flipped, lines swapped, cut, indented), it is read, or refused in words.

`RETRAIN_FUZZ=1000` tries that many mutations of each file instead of a few.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.engine.dvcignore import NAME, Ignore
from runner.errors import ConfigError
from runner.pipeline import config, files
from runner.review.gatefile import parse_gates
from runner.review.metrics import parse_metrics
from tests.support.examples import examples
from tests.unit.bad_inputs import PIPELINE, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.errors import RunnerError

EXAMPLES: Final = int(os.environ.get("RETRAIN_FUZZ") or examples(40))
SECONDS: Final = 2.0
_MD5: Final = "d41d8cd98f00b204e9800998ecf8427e"
TEMPLATED: Final = """\
vars:
- where: data
stages:
  fit:
    foreach: {a: 1, b: two}
    do:
      cmd: fit ${key} ${item}
      deps: ["${where}/${key}"]
      outs:
      - model-${key}: {cache: false}
  grid:
    matrix: {x: [1, 2], y: [a, "b"]}
    cmd: grid ${item.x} ${item.y}
    plots: ['p-${item.x}-${item.y}.csv']
plots:
- p.csv: {x: a, y: {q.csv: [b]}}
artifacts:
  model: {path: model-a, type: model}
"""
VALID: Final[Mapping[str, str]] = {
    "dvc.yaml": TEMPLATED,
    "plain/dvc.yaml": PIPELINE,
    "dvc.lock": (
        "schema: '2.0'\nstages:\n  fit@a:\n    cmd: fit a --rate 1 1\n    deps:\n    - path: data/a\n      hash: md5\n"
        f"      md5: {_MD5}\n      size: 1\n    params:\n      params.yaml:\n        rate: 1\n    outs:\n"
        f"    - path: model-a\n      hash: md5\n      md5: {_MD5}.dir\n      size: 1\n      nfiles: 1\n"
    ),
    "new.dvc": f"outs:\n- md5: {_MD5}\n  size: 0\n  hash: md5\n  path: new\nmeta: {{a: 1}}\n",
    "taken.dvc": (
        f"md5: {_MD5}\nfrozen: true\ndeps:\n- path: x\n  repo:\n    url: https://host/x.git\n    rev_lock: {_MD5}\n"
        f"outs:\n- md5: {_MD5}\n  path: taken\n"
    ),
    "params.yaml": (
        'rate: 1\nfit:\n  layers: [1, 2, {a: b}]\n  name: "x\\ty"\n  at: 2e-3\nbase: &b {z: 1}\nmore: {<<: *b}\n'
    ),
    "params.json": '{"rate": 0.5, "fit": {"layers": [1, 2, null], "name": "x\\u00e9", "on": true}}',
    "params.toml": "rate = 1\n[fit]\nlayers = [1, 2]\nname = 'x'\nat = 12:32:00\n[[fit.more]]\na = {b = 1}\n",
    "params.py": "rate = 1\nclass Fit:\n    layers = [1, 2]\n    def __init__(self):\n        self.name = 'x'\n",
    ".dvc/config": (
        "[core]\n    remote = r\n    autostage = true\n['remote \"r\"']\n    url = s3://bucket/x\n    jobs = 4\n"
        "    region = a\n[cache]\n    type = reflink,copy\n"
    ),
    ".dvcignore": "# note\n*.tmp\n!keep.tmp\n/data/**/x[a-z]?\nlogs/\n\\#odd\n**/*a*b*/c\n",
    "retrain.yaml": PROJECT["retrain.yaml"]
    + "- metric: m.json:$.a[0].b\n  better: lower\n  at-most: 1.5\n  allow-drop: 2%\n",
    "m.csv": "step,loss\n1,0.5\n2,nan\n",
    "m.jsonl": '{"step": 1, "loss": 0.5}\n{"step": 2}\n',
}
WEIRD: Final = (
    b"\0",
    b"\t",
    b"\xff",
    b"\xc3\xa9",
    b"${",
    b"}",
    b"[",
    b"&a",
    b"*a",
    b"%(",
    b"'",
    b'"',
    b": ",
    b"- ",
    b"<<: ",
    b"!!",
    b"\r",
)


def _flipped(draw: st.DrawFn, text: bytes) -> bytes:
    at = draw(st.integers(0, max(len(text) - 1, 0)))
    return text[:at] + bytes([draw(st.integers(0, 255))]) + text[at + 1 :]


def _put_in(draw: st.DrawFn, text: bytes) -> bytes:
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(WEIRD)) * draw(st.sampled_from([1, 1, 2, 300])) + text[at:]


def _cut(draw: st.DrawFn, text: bytes) -> bytes:
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:start] + text[end:]


def _lines_moved(draw: st.DrawFn, text: bytes) -> bytes:
    lines = text.splitlines(keepends=True) or [b""]
    one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    how = draw(st.sampled_from(["swapped", "twice", "deeper", "shallower"]))
    if how == "swapped":
        lines[one], lines[other] = lines[other], lines[one]
    elif how == "twice":
        lines[other:other] = [lines[one]]
    else:
        lines[one] = b"  " + lines[one] if how == "deeper" else lines[one].removeprefix(b"  ")
    return b"".join(lines)


@st.composite
def mutations(draw: st.DrawFn, text: str) -> bytes:
    """Give the text after one to four things have happened to it."""
    mutated = text.encode()
    for change in draw(st.lists(st.sampled_from([_flipped, _put_in, _cut, _lines_moved]), min_size=1, max_size=4)):
        mutated = change(draw, mutated)
    return mutated


def _whole_project(file: str, text: str) -> None:
    """Read a project in which `file` is `text`, and every params file is used."""
    whole = "".join(f"    - {name}:\n" for name in VALID if name.startswith("params."))
    using = f"stages:\n  use:\n    cmd: x\n    params:\n{whole}vars:\n- params.toml:rate\n- params.json:fit\n"
    texts = {**VALID, "params/dvc.yaml": using.replace("- params.", "- ../params."), file: text}
    names = [name for name in texts if name.endswith((".dvc", "dvc.yaml"))]
    files.load(names, texts.get)


def _metrics(file: str, text: str) -> None:
    parse_metrics(file, text.encode(errors="surrogateescape"))


READERS: Final[Mapping[str, Callable[[str, str], object]]] = {
    ".dvc/config": lambda file, text: config.parse([(file, text, "/x/.dvc")], "/home"),
    ".dvcignore": lambda _, text: Ignore({NAME: text}.get).hides("data/a/aab/xb1", is_folder=True),
    "retrain.yaml": lambda file, text: parse_gates(text, file),
    "m.csv": _metrics,
    "m.jsonl": _metrics,
}


@pytest.mark.parametrize("file", VALID)
def test_a_valid_file_is_read(file: str) -> None:
    READERS.get(file, _whole_project)(file, VALID[file])


@pytest.mark.parametrize("file", VALID)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(draw=st.data())
def test_a_mutated_file_is_read_or_refused_by_name(file: str, draw: st.DataObject) -> None:
    text = draw.draw(mutations(VALID[file])).decode(errors="surrogateescape")
    assert all(problem.where and problem.where.file for problem in _refusal(file, text))
    assert any(_seconds(file, text) < SECONDS for _ in range(3)), "slow each time, whatever else the machine does"


def _seconds(file: str, text: str) -> float:
    """Give the processor's seconds that it takes to read or refuse the file."""
    began = time.thread_time()
    _refusal(file, text)
    return time.thread_time() - began


def _refusal(file: str, text: str) -> tuple[RunnerError, ...]:
    """Give what is wrong with the file; empty where nothing is."""
    try:
        READERS.get(file, _whole_project)(file, text)
    except ConfigError as error:
        return error.problems
    return ()
