"""Settings: where each input comes from, and every mistake at once with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import ConfigErrors, Location
from runner.inputs import INPUTS, Input
from runner.settings import Settings, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

# For each input: field of Settings, value by flag, by environment, in the gate file, and how each is read.
VALUES: dict[str, tuple[str, tuple[str, Any], tuple[str, Any], tuple[Any, Any], Any]] = {
    "working-directory": ("directory", ("/f", Path("/f")), ("/e", Path("/e")), (None, None), Path.cwd()),
    "targets": ("targets", ("a\nb", ("a", "b")), ("c", ("c",)), (None, None), ()),
    "remote": ("remote", ("f", "f"), ("e", "e"), ("y", "y"), ""),
    "base": ("base", ("f", "f"), ("e", "e"), ("y", "y"), ""),
    "config": ("config", ("f", "f"), ("e", "e"), (None, None), "retrain.yaml"),
    "jobs": ("jobs", ("1", 1), ("2", 2), (3, 3), 0),
    "transfers": ("transfers", ("1", 1), ("2", 2), (3, 3), 32),
    "timeout": ("timeout", ("5 h", 18000), ("90", 90), ("1 h 30 min", 5400), 0),
    "stage-timeout": ("stage_timeout", ("5 h", 18000), ("90", 90), (30, 30), 0),
    "silence": ("silence", ("0", 0), ("90", 90), (0, 0), 1800),
    "report-dir": ("report_dir", ("f", "f"), ("e", "e"), ("y", "y"), ""),
    "push": ("push", ("never", "never"), ("always", "always"), ("never", "never"), "passed"),
    "setup": ("setup", ("f\ng", "f\ng"), ("e", "e"), (["x", "y"], "x\ny"), ""),
    "pass-env": ("pass_env", ("A,B", ("A", "B")), ("C\nD", ("C", "D")), (["E", "F"], ("E", "F")), ()),
    "comment": ("comment", ("new", "new"), ("off", "off"), ("new", "new"), "update"),
    "progress": ("progress", ("false", False), ("false", False), (False, False), True),
    "check-run": ("check_run", ("true", True), ("true", True), (True, True), False),
    "commit-status": ("commit_status", ("true", True), ("true", True), (True, True), False),
    "report-name": ("report_name", ("f", "f"), ("e", "e"), ("y", "y"), ""),
    "issue": ("issue", ("on", "on"), ("on", "on"), ("on", "on"), "off"),
    "issue-after": ("issue_after", ("1", 1), ("2", 2), (4, 4), 3),
    "webhook-url": ("webhook_url", ("f", "f"), ("e", "e"), (None, None), ""),
    "update-imports": ("update_imports", ("never", "never"), ("always", "always"), ("never", "never"), "auto"),
    "forge": ("forge", ("auto", "auto"), ("auto", "auto"), ("auto", "auto"), "auto"),
    "report-artifact": ("report_artifact", ("f", "f"), ("e", "e"), ("y", "y"), "retrain-report"),
    "lock": ("lock", ("check", "check"), ("commit", "commit"), ("leave", "leave"), "auto"),
    "lock-branch": ("lock_branch", ("f", "f"), ("e", "e"), ("y", "y"), ""),
    "lock-reviewers": ("lock_reviewers", ("a,o/b", ("a", "o/b")), ("c", ("c",)), (["d", "e"], ("d", "e")), ()),
    "auto-merge": ("auto_merge", ("passed", "passed"), ("warned", "warned"), ("passed", "passed"), "off"),
    "claims": ("claims", ("fail", "fail"), ("rerun", "rerun"), ("accept", "accept"), "auto"),
    "github-token": ("token", ("f", "f"), ("e", "e"), (None, None), ""),
    "force": ("force", ("true", True), ("true", True), (None, None), False),
    "keep-going": ("keep_going", ("true", True), ("true", True), (True, True), False),
    "check-determinism": ("check_determinism", ("fail", "fail"), ("warn", "warn"), ("warn", "warn"), "off"),
    "locked": ("locked", ("true", True), ("true", True), (None, None), False),
    "single-item": ("single_item", ("true", True), ("true", False), (None, None), False),
    "downstream": ("downstream", ("true", True), ("true", False), (None, None), False),
    "allow-missing": ("allow_missing", ("true", True), ("true", False), (None, None), False),
    "set-param": ("set_param", ("a=1\nb=2", ("a=1", "b=2")), ("c=3", ("c=3",)), (None, None), ()),
    "run-cache": ("run_cache", ("false", False), ("false", True), (None, None), True),
}
EACH = pytest.mark.parametrize("one", INPUTS, ids=lambda one: one.name)


def given(name: str, flag: str | None = None, environ: str | None = None, file: object = ...) -> Any:
    """Resolve one input that is given in some of the three places; give its value."""
    written = {} if file is ... else {name: (file, Location("retrain.yaml", 1, 1))}
    variables = {} if environ is None else {f"INPUT_{name.upper()}": environ}
    return getattr(resolve({name: flag}, variables, written), VALUES[name][0])


def test_every_input_has_its_row() -> None:
    assert set(VALUES) == {one.name for one in INPUTS}
    assert {row[0] for row in VALUES.values()} | {"actions", "gitlab"} == set(Settings.__dataclass_fields__)


@EACH
def test_a_flag_is_stronger_than_the_environment_that_than_the_file_that_than_the_default(one: Input) -> None:
    _, (flag, by_flag), (environ, by_environ), (file, by_file), default = VALUES[one.name]
    in_file = file if one.in_file else ...
    assert given(one.name, flag, environ, in_file) == by_flag
    assert given(one.name, None, environ, in_file) == by_environ
    if one.in_file:
        assert given(one.name, None, None, file) == by_file
    assert given(one.name) == default


@EACH
def test_an_empty_variable_is_one_that_is_not_set(one: Input) -> None:
    for empty in ("", "  ", "\n"):
        assert given(one.name, None, empty) == VALUES[one.name][4]


@EACH
def test_null_in_the_file_is_not_set(one: Input) -> None:
    if one.in_file:
        assert given(one.name, None, None, None) == VALUES[one.name][4]


@EACH
def test_what_the_file_may_not_set_is_refused_there(one: Input) -> None:
    if not one.in_file:
        with pytest.raises(ConfigErrors, match="cannot be set in the gate file") as raised:
            given(one.name, None, None, "x")
        assert str(raised.value.problems[0].where) == "retrain.yaml:1:1"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("jobs", text) for text in ("0", "-1", "1025", "1.5", "many", "٣", "+3", "1_0", "0x10")),
        ("transfers", "0"),
        *(("timeout", text) for text in ("-1", "soon", "1 fortnight", "5 5", "1 h 5", "nan")),
        ("push", "Passed"),
        ("push", "sometimes"),
        ("comment", "on"),
        *(
            ("lock-branch", text)
            for text in ("a b", "a..b", "/a", "-a", "a/", "a.lock", "a//b", ".a", "a~1", "a:b", "@")
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_it_should_be(name: str, text: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        given(name, text)
    assert f"{name}: {text!r} is not" in str(raised.value)
    with pytest.raises(ConfigErrors) as raised:
        given(name, None, text)
    assert text in str(raised.value)


@pytest.mark.parametrize("value", [{"a": 1}, ["a", "b"]])
@pytest.mark.parametrize("name", ["remote", "base", "report-dir", "push", "jobs"])
def test_several_values_where_one_is_wanted_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigErrors, match="is not one value"):
        given(name, None, None, value)


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    file: Mapping[str, tuple[object, Location]] = {
        "jobs": ("many", Location("retrain.yaml", 2, 7)),
        "pushes": ("always", Location("retrain.yaml", 3, 1)),
        "comment": ("loud", Location("retrain.yaml", 4, 10)),
    }
    with pytest.raises(ConfigErrors) as raised:
        resolve({"push": "sometimes"}, {}, file)
    told = {str(problem.where) if problem.where else "": problem.message for problem in raised.value.problems}
    assert set(told) == {"retrain.yaml:2:7", "retrain.yaml:3:1", "retrain.yaml:4:10", ""}
    assert told["retrain.yaml:3:1"] == "'pushes' cannot be set in the gate file"
    assert told[""] == "push: 'sometimes' is not one of passed, always, never"


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(resolve({}, {"INPUT_GITHUB-TOKEN": "secret"}, {}))


def test_a_relative_directory_is_made_absolute_without_following_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert given("working-directory", "link/../link") == tmp_path / "link"
