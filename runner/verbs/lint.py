"""The verb that looks for what would hurt in CI: `lint`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from runner import log
from runner.errors import ConfigError, Exit
from runner.options import Call, verb
from runner.verbs.opened import stop_is_told
from runner.verbs.output import print_result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.log import Level
    from runner.pipeline.lint.finding import Finding, Rule

_FAIL_ON: Final = ("error", "warning", "note", "never")
_LEVELS: Final[Mapping[str, Level]] = {"error": "error", "warning": "warning", "note": "notice"}


@verb()
@click.argument("paths", nargs=-1)
@click.option("--select", metavar="RULES", help="Codes, beginnings of codes or names, by comma; all if not given.")
@click.option("--ignore", metavar="RULES", help="Rules to leave out, written in the same way.")
@click.option("--fail-on", type=click.Choice(_FAIL_ON), help="Least severity that exits with 1; error if not given.")
@click.option("--sarif", is_flag=True, help="Result as SARIF 2.1.0 on standard output.")
def lint(call: Call, *, paths: tuple[str, ...], sarif: bool, **chosen: str | None) -> int:
    """Find what would hurt in CI, from text alone: undeclared params, scripts that are no deps, an old lock.

    Needs no data and no network. All DVC files are read; PATHS are the files and folders whose findings are shown.
    Exits with 1 for findings of the severity --fail-on. The rules, and how to silence one, stand in docs/lint.md.
    """
    from runner import evidence  # noqa: PLC0415 - see `open_project`
    from runner.pipeline.lint import lint as look  # noqa: PLC0415
    from runner.review import findings as listing  # noqa: PLC0415
    from runner.review.sarif import render  # noqa: PLC0415

    with stop_is_told(call):
        found = evidence.gather(call.flags, call.environ)
        wishes = {**found.wishes, **{name.replace("_", "-"): text for name, text in chosen.items() if text}}
        rules = _rules(wishes)
        shown = evidence.within(found, Path(call.flags.get("working-directory") or "."), paths)
    findings = [one for one in look(found.material) if one.rule in rules and _is_in(one.where.file, shown)]
    if call.environ.get("GITHUB_ACTIONS") == "true":
        _annotate(findings, found.prefix)
    call.as_json |= sarif
    data: Any = render(findings, found.prefix) if sarif else listing.data(findings)
    print_result(call, lambda: data, lambda: listing.lines(findings))
    return Exit.GATE if any(_fails(one, str(wishes.get("fail-on", "error"))) for one in findings) else Exit.HELD


def _rules(wishes: Mapping[str, object]) -> frozenset[Rule]:
    """Give the rules to look for."""
    from runner.pipeline.lint.catalogue import RULES  # noqa: PLC0415 - see `open_project`

    selected = _named(wishes["select"], "select") if "select" in wishes else frozenset(RULES)
    return selected - (_named(wishes["ignore"], "ignore") if "ignore" in wishes else frozenset())


def _named(given: object, option: str) -> frozenset[Rule]:
    from runner.pipeline.lint.catalogue import named  # noqa: PLC0415 - see `open_project`

    words = [str(word) for word in given] if isinstance(given, list) else str(given).replace(",", " ").split()
    wrong = [word for word in words if not named(word)]
    if wrong or not words:
        message = f"{option}: {', '.join(wrong) or 'nothing'} is no rule of the linter"
        raise ConfigError(message, "docs/lint.md lists their codes and names")
    return frozenset().union(*map(named, words))


def _is_in(file: str, shown: Sequence[str]) -> bool:
    return not shown or any(path in {".", file} or file.startswith(f"{path}/") for path in shown)


def _fails(finding: Finding, least: str) -> bool:
    return finding.rule.severity.word in _FAIL_ON[: _FAIL_ON.index(least) + 1] and least != "never"


def _annotate(findings: Sequence[Finding], prefix: str) -> None:
    """Show each beside its line; what weighs most comes first, because GitHub shows ten of a kind."""
    for one in sorted(findings, key=lambda one: -one.rule.severity):
        text = f"{one.message}\n{one.hint}" if one.hint else one.message
        where = replace(one.where, file=f"{prefix}{one.where.file}") if one.where.file else one.where
        log.annotation(
            _LEVELS[one.rule.severity.word],
            text,
            where=where,
            title=f"{one.rule.code} {one.rule.name}",
        )
