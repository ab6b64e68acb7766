"""What articles and old files have in dvc.yaml: named where it stands, with the right spelling."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.pipeline import files

LOCKED = "hashes and sizes are in dvc.lock, which a run writes"


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        files.load(["dvc.yaml"], {"dvc.yaml": text}.get)
    return [str(problem) for problem in caught.value.problems]


def of_stage(lines: str) -> list[str]:
    """Give the mistakes of a stage `s` that has a cmd on line 3, and these lines from line 4 on."""
    return mistakes("stages:\n  s:\n    cmd: x\n" + "".join(f"    {line}\n" for line in lines.splitlines()))


@pytest.mark.parametrize(
    ("lines", "where", "right"),
    [
        *(
            (f"outs:\n- m:\n    {key}: {value}", f"6:9: unknown key '{key}'", f"{LOCKED}: remove the line")
            for key, value in {"hash": "md5", "md5": "abc", "size": 3, "nfiles": 2, "isexec": "true"}.items()
        ),
        ("outs:\n- path: m\n  md5: abc", "5:7: an out is written as its path", f"write `- m`; {LOCKED}"),
        ("deps:\n- path: d\n  md5: abc", "5:7: expected a list of strings", f"write `- d`; {LOCKED}"),
        ("deps: [params.yaml:train]", "4:12: 'params.yaml:train' names a file", "below params: `- train`"),
        ("deps: [conf/a.json:t.lr]", "4:12: 'conf/a.json:t.lr' names a file", "params: `- conf/a.json: [t.lr]`"),
        ("params: [params.yaml:train]", "4:14: 'params.yaml:train' names a file", "below params: `- train`"),
        ("params:\n  params.yaml: [lr]", "4:5: expected a list, found a mapping", "starts with '- '"),
        ("metrics:\n- m:\n    type: json\n    xpath: a", "7:9: unknown key 'xpath'", "`metric: FILE:$.KEY`"),
        ("outs:\n- m:\n    metric: {type: json}", "6:9: unknown key 'metric'", "under metrics instead of outs"),
        ("outs:\n- m:\n  cache: false", "6:7: the flags of 'm' do not stand below it", "indent cache by two"),
        ("outs:\n  m:\n    cache: false", "4:5: expected a list, found a mapping", "starts with '- '"),
        ("deps: data", "4:5: expected a list of strings", "write [data]"),
        ("outs-no-cache: [a]", "4:5: unknown key 'outs-no-cache'", "under outs as `- PATH:` with `cache: false`"),
        ("metrics_no_cache: [a]", "4:5: unknown key 'metrics_no_cache'", "under metrics as `- PATH:`"),
        ("outs_persist: [a]", "4:5: unknown key 'outs_persist'", "with `persist: true` below it"),
        ("no_exec: true", "4:5: unknown key 'no_exec'", "an option of a command"),
        ("locked: true", "4:5: unknown key 'locked'", "write `frozen: true`"),
        ("command: x", "4:5: unknown key 'command'", "did you mean 'cmd'?"),
    ],
)
def test_a_mistake_in_a_stage_is_told_with_its_right_spelling(lines: str, where: str, right: str) -> None:
    (told,) = of_stage(lines)
    assert told.startswith(f"dvc.yaml:{where}")
    assert right in told


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [
        ("stages:\n  s:\n    deps: [a]\n", "2:3: 'cmd' is missing", "it is required here"),
        ("stages:\n- name: s\n  cmd: x\n", "1:1: expected a mapping, found a list", "each entry stands under its name"),
        ("train:\n  cmd: x\n", "1:1: unknown key 'train'", "a stage is written below `stages:`"),
        ("cmd: x\n", "1:1: unknown key 'cmd'", "below `stages:` and the name"),
        ("schema: '2.0'\nstages: {}\n", "1:1: unknown key 'schema'", "the text of a dvc.lock"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_right_spelling(text: str, where: str, right: str) -> None:
    (told,) = mistakes(text)
    assert told.startswith(f"dvc.yaml:{where}")
    assert right in told


@pytest.mark.parametrize("path", ["a:b", "s.yaml:", "data.yaml", "x.csv:a", "C:/a.txt", "a.yaml:b/c"])
def test_a_path_with_a_colon_that_names_no_key_is_a_path(path: str) -> None:
    text = f"stages:\n  s:\n    cmd: x\n    deps: ['{path}']\n"
    assert files.load(["dvc.yaml"], {"dvc.yaml": text}.get).stages[0].deps[0].spelled == path


def test_an_out_may_be_named_path() -> None:
    text = "stages:\n  s:\n    cmd: x\n    outs:\n    - path:\n        cache: false\n    - md5\n"
    assert [out.path for out in files.load(["dvc.yaml"], {"dvc.yaml": text}.get).stages[0].outs] == ["path", "md5"]
