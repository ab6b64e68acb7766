"""Every rule of the linter, in order of its code. docs/lint.md explains each at length; a test compares the two."""

from __future__ import annotations

from typing import Final

from runner.pipeline.lint.finding import Rule, Severity

_NOTE, _WARNING, _ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR

# What cannot be read.
NOT_YAML: Final = Rule("RT001", "not-yaml", _ERROR, "The file is not YAML that DVC reads.")
UNKNOWN_KEY: Final = Rule("RT002", "unknown-key", _ERROR, "DVC knows no such key.")
MISSING_KEY: Final = Rule("RT003", "missing-key", _ERROR, "A key that is required is not there.")
WRONG_VALUE: Final = Rule("RT004", "wrong-value", _ERROR, "A key holds a value of the wrong kind.")
OUTSIDE: Final = Rule("RT005", "outside-repository", _ERROR, "A path leads out of the repository.")
CLASHING: Final = Rule("RT006", "clashing-outs", _ERROR, "Two stages write the same path, or one inside the other.")
CIRCULAR: Final = Rule("RT007", "circular-stages", _ERROR, "Stages depend on one another in a circle.")
REFUSED: Final = Rule("RT008", "refused", _ERROR, "The project cannot be read for another reason.")

# Commands and deps.
SCRIPT: Final = Rule("RT101", "script-not-a-dep", _WARNING, "The command runs a script that is no dep of its stage.")
INPUT: Final = Rule("RT102", "input-not-a-dep", _WARNING, "The command names a file that is no dep of its stage.")
IMPORT: Final = Rule("RT103", "import-not-a-dep", _NOTE, "A script imports a file of the repository that is no dep.")
NOWHERE: Final = Rule("RT104", "dep-from-nowhere", _ERROR, "A dep is in neither git nor DVC, so a checkout lacks it.")
NO_DEPS: Final = Rule("RT105", "no-deps", _NOTE, "The stage has outs and nothing it depends on: it runs once, ever.")
CALLBACK: Final = Rule("RT106", "runs-every-time", _NOTE, "The stage has neither deps nor outs: it runs every time.")
LOST: Final = Rule("RT107", "lost-between-lines", _WARNING, "Each line of a cmd has a shell of its own.")
BROKEN: Final = Rule("RT108", "broken-lines", _ERROR, "A command is cut in two where its line ends.")
BASH: Final = Rule("RT109", "bash-only", _WARNING, "The command needs bash, but runs in sh where $SHELL is not set.")

# Params.
UNDECLARED: Final = Rule(
    "RT201", "undeclared-param", _WARNING, "A script reads a param that its stage does not declare."
)
NO_PARAM: Final = Rule("RT202", "param-not-in-file", _ERROR, "A declared param is not in its file.")
UNCOUNTED: Final = Rule("RT203", "uncounted-param", _WARNING, "DVC's run cache ignores params named size or nfiles.")

# Outs, metrics, gates.
IN_GIT: Final = Rule("RT301", "out-in-git", _ERROR, "A cached out is tracked by git too.")
CACHED_METRIC: Final = Rule(
    "RT302", "gated-metric-cached", _WARNING, "A gate compares a metric that git does not have."
)
NO_METRIC: Final = Rule("RT303", "gate-without-file", _WARNING, "A gate names a file that no stage writes.")
KEPT_NOWHERE: Final = Rule(
    "RT304", "out-kept-nowhere", _WARNING, "An uncached out is ignored by git: nothing keeps it."
)
LOCK_IGNORED: Final = Rule("RT305", "ignored-lock", _ERROR, "Git ignores dvc.lock.")
HIDDEN: Final = Rule("RT306", "hidden-out", _ERROR, "A .dvcignore hides an out.")

# dvc.lock.
NEVER_RUN: Final = Rule("RT401", "never-run", _WARNING, "dvc.lock has no entry for the stage.")
OLDER: Final = Rule("RT402", "lock-is-older", _WARNING, "dvc.lock records another command, dep, param or out.")
LEFT_OVER: Final = Rule("RT403", "entry-without-stage", _NOTE, "dvc.lock has an entry for a stage that is no more.")
SPELLING: Final = Rule("RT404", "other-spelling", _WARNING, "dvc.lock records a path by another spelling.")
FOLDED: Final = Rule("RT405", "cmd-changes-in-lock", _WARNING, "DVC's lock cannot hold the command as it is written.")
NUMBER: Final = Rule(
    "RT406", "number-changes-in-lock", _NOTE, "DVC changes a digit of the number when it rewrites its lock."
)

# Configuration.
NO_REMOTE: Final = Rule("RT501", "no-default-remote", _WARNING, "There are cached outs and no default remote.")
SECRET: Final = Rule("RT502", "secret-in-config", _ERROR, "A secret stands in .dvc/config, which git has.")
ONE_MACHINE: Final = Rule("RT503", "remote-of-one-machine", _NOTE, "The default remote is a folder of one machine.")

RULES: Final[tuple[Rule, ...]] = tuple(one for one in list(globals().values()) if isinstance(one, Rule))
"""In the order of this file, which is that of the codes."""


def named(word: str) -> frozenset[Rule]:
    """Give the rules that a code, the beginning of one (`RT1`) or a name means; none where it means nothing."""
    return frozenset(rule for rule in RULES if word == rule.name or (word and rule.code.startswith(word.upper())))
