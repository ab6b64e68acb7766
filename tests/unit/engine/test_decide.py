"""Every reason and every decision, as rows: DVC's rules, and the few where we differ on purpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from runner.engine.decide import decide
from runner.engine.decision import Absent, Change, Content, Decision, Fresh, Frozen, Now, Reason, Restore, Run, Wait
from runner.engine.modes import PLAIN, Modes
from runner.hashes import Hash
from runner.pipeline import lock
from runner.pipeline.lockfile import LockFile
from runner.pipeline.model import Dep, LockedPath, LockEntry, Out, Param, Stage
from runner.pipeline.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD, NEW = Hash("0" * 32), Hash("f" * 32)
HERE, LATER = Content(OLD, 1), Content(NEW, 1)
AT_HAND, AWAY = Absent(at_hand=True), Absent()
PARAM = Param("params.yaml", "params.yaml", ("rate",))
PAST = LockEntry("from the run cache")

STAGE = Stage("train", "dvc.yaml", "train", "run me", ".", (Dep("in", "in"),), (PARAM,), (Out("out", "out"),))
ENTRY = LockEntry("run me", (LockedPath("in", OLD),), {"params.yaml": {"rate": 1}}, (LockedPath("out", OLD),))
NOW = Now({"in": HERE}, {"params.yaml": {"rate": 1}}, {"out": HERE})
SOURCE = Stage("data.dvc", "data.dvc", "", None, ".", outs=(Out("data", "data"),))
URL = "https://h/x"
IMPORTED = LockEntry(None, (LockedPath(URL, OLD, extra={"version_id": "1"}),), outs=(LockedPath("copy", OLD),))
SOURCE_ENTRY = LockEntry(None, outs=(LockedPath("data", OLD),))


@dataclass(frozen=True)
class Case:
    """What is asked of `decide`."""

    stage: Stage = STAGE
    entry: LockEntry | None = ENTRY
    now: Now = NOW
    past: LockEntry | None = None
    modes: Modes = PLAIN

    def asked(self) -> Decision:
        return decide(self.stage, self.entry, self.now, lambda: self.past, self.modes)


DATASET = Hash("v1", "dataset")


def dataset(was: Hash | None, now: Hash | None) -> Case:
    """Make a case of a stage that reads a dataset; its runs are never remembered (DVC's rule)."""
    stage = replace(STAGE, deps=(Dep("ds://d", "ds://d", Source("ds://d")),))
    entry = replace(ENTRY, deps=(LockedPath("ds://d", was),) if was else ())
    return Case(stage, entry, replace(NOW, deps={"ds://d": Content(now) if now else None}), PAST)


def case(
    deps: Mapping[str, Content | None] | None = None, outs: Mapping[str, Content | Absent] | None = None, **given: Any
) -> Case:
    """Make a case that differs from a fresh stage in what is given; other names are the stage's own fields."""
    now = Now(
        NOW.deps if deps is None else deps,
        {"params.yaml": given.pop("params")} if "params" in given else NOW.params,
        NOW.outs if outs is None else outs,
        given.pop("upstream", ()),
    )
    entry, past = given.pop("entry", ENTRY), given.pop("past", None)
    return Case(replace(STAGE, **given), entry, now, past)


def source(content: Content | Absent, entry: LockEntry | None = SOURCE_ENTRY) -> Case:
    return Case(SOURCE, entry, Now(outs={"data": content}), PAST)


def imported(
    content: Content | None,
    recorded: Hash | None = OLD,
    *,
    out: Content | Absent = HERE,
    versioned: bool = False,
) -> Case:
    """Make a case of an import whose source holds `content` and held `recorded`."""
    dep = Dep(URL, URL, Source(URL, versioned=versioned))
    stage = Stage("copy.dvc", "copy.dvc", "", None, ".", (dep,), outs=(Out("copy", "copy"),))
    entry = replace(IMPORTED, deps=(replace(IMPORTED.deps[0], hash=recorded),))
    return Case(stage, entry, Now({URL: content}, outs={"copy": out}), PAST)


def frozen(taken_in: Case, entry: LockEntry = IMPORTED) -> Case:
    """Freeze an import; its source is not asked then."""
    return replace(
        taken_in, stage=replace(taken_in.stage, frozen=True), entry=entry, now=replace(taken_in.now, deps={})
    )


def reason(change: Change, path: str = "", was: Any = None, now: Any = None) -> tuple[Reason, ...]:
    return (Reason(change, path, was, now),)


OUT_DELETED = reason(Change.OUT_DELETED, "out", OLD.value)
OUT_MODIFIED = reason(Change.OUT_MODIFIED, "out", OLD.value, NEW.value)
DEP_MODIFIED = reason(Change.DEP_MODIFIED, "in", OLD.value, NEW.value)
UNCACHED = (Out("out", "out", cache=False),)
NO_OUT_HASH = replace(ENTRY, outs=(LockedPath("out", None),))

ROWS: dict[str, tuple[Case, Decision]] = {
    # Fresh
    "nothing changed": (case(), Fresh()),
    "an absent cached out that only a remote has": (case(outs={"out": AWAY}), Fresh()),
    "a dep and a param recorded and no longer named": (
        Case(replace(STAGE, deps=(), params=()), ENTRY, Now(outs={"out": HERE})),
        Fresh(),
    ),
    "an out recorded and no longer named": (Case(replace(STAGE, outs=()), ENTRY, replace(NOW, outs={})), Fresh()),
    "a mode is no change": (case(deps={"in": replace(HERE, isexec=True)}), Fresh()),
    "a size is no change": (case(deps={"in": replace(HERE, size=9)}), Fresh()),
    "outs and no inputs": (
        Case(replace(STAGE, deps=(), params=()), LockEntry("run me", outs=ENTRY.outs), Now(outs={"out": HERE})),
        Fresh(),
    ),
    "inputs and no outs": (Case(replace(STAGE, outs=()), replace(ENTRY, outs=()), replace(NOW, outs={})), Fresh()),
    "a stage of params alone": (
        Case(replace(STAGE, deps=(), outs=()), replace(ENTRY, deps=(), outs=()), replace(NOW, deps={}, outs={})),
        Fresh(),
    ),
    # Frozen
    "frozen": (case(frozen=True), Frozen()),
    "frozen with everything changed": (
        case({"in": LATER}, {"out": LATER}, params={"rate": 2}, cmd="other", frozen=True, past=PAST),
        Frozen((Reason(Change.OUT_MODIFIED, "out", HERE.hash.value, LATER.hash.value),)),
    ),
    "frozen and never run": (case(entry=None, frozen=True), Frozen()),
    "frozen, never run, and its out is missing": (
        case(entry=None, outs={"out": Absent()}, frozen=True),
        Frozen((Reason(Change.NEVER_RUN),)),
    ),
    "frozen, never run, and its out may be missing": (
        replace(case(entry=None, outs={"out": Absent()}, frozen=True), modes=Modes(allow_missing=True)),
        Frozen(),
    ),
    "frozen below a stage that runs": (case(upstream=("up",), frozen=True), Frozen()),
    # The command
    "another command": (case(cmd="other"), Run(reason(Change.CMD, was="run me", now="other"))),
    "a list of one is another command than text": (
        case(cmd=("run me",)),
        Run(reason(Change.CMD, was="run me", now=("run me",))),
    ),
    "no command was recorded": (
        case(entry=replace(ENTRY, cmd=None)),
        Run(reason(Change.CMD, now="run me")),
    ),
    # Deps
    "a dep modified": (case({"in": LATER}), Run(DEP_MODIFIED)),
    "a dep deleted": (case({"in": None}), Run(reason(Change.DEP_DELETED, "in", OLD.value))),
    "a dep deleted that was never recorded": (
        case({"in": None}, entry=replace(ENTRY, deps=())),
        Run(reason(Change.DEP_DELETED, "in")),
    ),
    "a dep new": (case(entry=replace(ENTRY, deps=())), Run(reason(Change.DEP_NEW, "in", now=OLD.value))),
    "a dep recorded without a hash": (
        case(entry=replace(ENTRY, deps=(LockedPath("in", None),))),
        Run(reason(Change.DEP_NEW, "in", now=OLD.value)),
    ),
    "a dep spelled otherwise": (
        Case(replace(STAGE, deps=(Dep("in", "./in"),)), ENTRY, replace(NOW, deps={"./in": HERE})),
        Run(reason(Change.DEP_NEW, "in", now=OLD.value)),
    ),
    "a hash recorded in capitals": (
        case({"in": Content(NEW)}, entry=replace(ENTRY, deps=(LockedPath("in", Hash("F" * 32)),))),
        Run(reason(Change.DEP_MODIFIED, "in", "F" * 32, NEW.value)),
    ),
    # Params
    "a param modified": (
        case(params={"rate": 2}),
        Run(reason(Change.PARAM_MODIFIED, "params.yaml:rate", 1, 2)),
    ),
    "a param that was text": (
        case(params={"rate": "1"}),
        Run(reason(Change.PARAM_MODIFIED, "params.yaml:rate", 1, "1")),
    ),
    "a param gone": (case(params={}), Run(reason(Change.PARAM_DELETED, "params.yaml:rate", was=1))),
    "a param new": (
        case(entry=replace(ENTRY, params={})),
        Run(reason(Change.PARAM_NEW, "params.yaml:rate", now=1)),
    ),
    "a params file gone": (case(params=None), Run(reason(Change.PARAM_DELETED, "params.yaml"))),
    "1.0 for 1": (case(params={"rate": 1.0}), Fresh()),
    "true for 1": (case(params={"rate": True}), Fresh()),
    "a tuple for the list in the lock": (
        case(params={"rate": (1, [2])}, entry=replace(ENTRY, params={"params.yaml": {"rate": [1, [2]]}})),
        Fresh(),
    ),
    "a tuple inside another value, which DVC takes for modified after every run": (
        case(params={"rate": {"k": (1,)}}, entry=replace(ENTRY, params={"params.yaml": {"rate": {"k": [1]}}})),
        Run(reason(Change.PARAM_MODIFIED, "params.yaml:rate.k", [1], (1,))),
    ),
    "1 for true inside a list": (
        case(
            params={"rate": [1, {"x": 0}]}, entry=replace(ENTRY, params={"params.yaml": {"rate": [True, {"x": 0.0}]}})
        ),
        Fresh(),
    ),
    "null is a value": (
        case(params={"rate": None}),
        Run(reason(Change.PARAM_MODIFIED, "params.yaml:rate", 1, None)),
    ),
    # Outs
    "an out modified is put back": (case(outs={"out": LATER}), Restore(ENTRY, OUT_MODIFIED)),
    "an absent out at hand is put back": (case(outs={"out": AT_HAND}), Restore(ENTRY, OUT_DELETED)),
    "an uncached out absent is put back if it can be": (
        Case(replace(STAGE, outs=UNCACHED), ENTRY, replace(NOW, outs={"out": AWAY})),
        Restore(ENTRY, OUT_DELETED),
    ),
    "an out new": (
        case(entry=replace(ENTRY, outs=())),
        Run(reason(Change.OUT_NEW, "out")),
    ),
    "an out recorded without a hash": (case(entry=NO_OUT_HASH), Run(reason(Change.OUT_NEW, "out"))),
    "an out spelled otherwise": (
        Case(replace(STAGE, outs=(Out("out", "./out"),)), ENTRY, replace(NOW, outs={"./out": HERE})),
        Run(reason(Change.OUT_NEW, "out")),
    ),
    "an out modified that persists comes back from the lock": (
        Case(replace(STAGE, outs=(Out("out", "out", persist=True),)), ENTRY, replace(NOW, outs={"out": LATER})),
        Restore(ENTRY, OUT_MODIFIED),
    ),
    # Always
    # Imports
    "an import whose source did not change": (imported(Content(OLD, 1)), Fresh()),
    "an import whose source changed": (
        imported(Content(Hash("b", "etag"))),
        Run(reason(Change.SOURCE, URL, f"md5 {OLD.value}", "etag b")),
    ),
    "an import whose source is gone": (imported(None), Run(reason(Change.DEP_DELETED, URL, OLD.value))),
    "an import whose source was never recorded": (
        imported(Content(NEW), recorded=None),
        Run(reason(Change.DEP_NEW, URL, now=NEW.value)),
    ),
    "an import from a repository that has moved on": (
        imported(Content(Hash("b", "rev_lock")), Hash("a", "rev_lock")),
        Run(reason(Change.UPDATE, URL, "a", "b")),
    ),
    "a newer version of the same bytes, where versions are followed": (
        imported(Content(OLD, extra={"version_id": "2"}), versioned=True),
        Run(reason(Change.UPDATE, URL, "1", "2")),
    ),
    "a newer version of the same bytes, where they are not": (
        imported(Content(OLD, extra={"version_id": "2"})),
        Fresh(),
    ),
    "an import whose data was edited is put back": (
        imported(Content(OLD), out=LATER),
        Restore(IMPORTED, reason(Change.OUT_MODIFIED, "copy", OLD.value, NEW.value)),
    ),
    "a frozen import whose source changed": (frozen(imported(Content(NEW))), Frozen()),
    "a frozen import that was never taken in": (
        frozen(imported(None), replace(IMPORTED, outs=(LockedPath("copy", None),))),
        Run(reason(Change.OUT_NEW, "copy")),
    ),
    "an import whose file says something else than its md5": (
        Case(SOURCE, replace(SOURCE_ENTRY, checksum="abc"), Now(outs={"data": HERE})),
        Run(reason(Change.CHECKSUM, "data.dvc", "abc")),
    ),
    "a frozen import whose file says something else than its md5": (
        Case(replace(SOURCE, frozen=True), replace(SOURCE_ENTRY, checksum=""), Now(outs={"data": HERE})),
        Frozen(reason(Change.CHECKSUM, "data.dvc")),
    ),
    "always changed": (case(always_changed=True), Run(reason(Change.ALWAYS))),
    "always changed is never remembered": (case(always_changed=True, past=PAST), Run(reason(Change.ALWAYS))),
    "neither inputs nor outs": (
        Case(replace(STAGE, deps=(), params=(), outs=()), LockEntry("run me"), Now()),
        Run(reason(Change.CALLBACK)),
    ),
    # Never run
    "never run": (case(entry=None), Run(reason(Change.NEVER_RUN))),
    "never run here": (case(entry=None, past=PAST), Restore(PAST, reason(Change.NEVER_RUN))),
    # The run cache
    "a change seen before": (case({"in": LATER}, past=PAST), Restore(PAST, DEP_MODIFIED)),
    "a change and an absent out": (
        case({"in": LATER}, {"out": AT_HAND}, past=PAST),
        Restore(PAST, DEP_MODIFIED + OUT_DELETED),
    ),
    "a new out of a run seen before": (
        case(entry=NO_OUT_HASH, past=PAST),
        Restore(PAST, reason(Change.OUT_NEW, "out")),
    ),
    "what persists is never remembered": (
        Case(replace(STAGE, outs=(Out("out", "out", persist=True),)), ENTRY, replace(NOW, deps={"in": LATER}), PAST),
        Run(DEP_MODIFIED),
    ),
    "nothing to restore is never remembered": (
        Case(replace(STAGE, outs=()), replace(ENTRY, outs=()), replace(NOW, deps={"in": LATER}, outs={}), PAST),
        Run(DEP_MODIFIED),
    ),
    "no inputs are never remembered": (
        Case(
            replace(STAGE, deps=(), params=(), cmd="other"),
            LockEntry("run me", outs=ENTRY.outs),
            Now(outs={"out": HERE}),
            PAST,
        ),
        Run(reason(Change.CMD, was="run me", now="other")),
    ),
    # Wait
    "what is upstream may change it": (case({}, upstream=("up",)), Wait(("up",))),
    "what is upstream, and an out to put back": (
        case({}, {"out": AT_HAND}, upstream=("up",)),
        Wait(("up",), OUT_DELETED),
    ),
    "what is upstream, and a past run": (case({}, upstream=("up",), past=PAST), Wait(("up",))),
    "what is upstream, and a reason of its own": (
        case({}, upstream=("up",), cmd="other"),
        Run(reason(Change.CMD, was="run me", now="other")),
    ),
    "what is upstream, and never run": (case({}, upstream=("up",), entry=None), Run(reason(Change.NEVER_RUN))),
    "a reason of its own is not looked up before upstream is known": (
        case({}, {"out": AT_HAND}, upstream=("up",), cmd="other", past=PAST),
        Run(reason(Change.CMD, was="run me", now="other") + OUT_DELETED),
    ),
    # Datasets
    "a dataset as it was read": (dataset(DATASET, DATASET), Fresh()),
    "a dataset of another version": (
        dataset(DATASET, Hash("v2", "dataset")),
        Run(reason(Change.DEP_MODIFIED, "ds://d", "v1", "v2")),
    ),
    "a dataset that was not read": (dataset(None, DATASET), Run(reason(Change.DEP_NEW, "ds://d", now="v1"))),
    "a dataset of which nothing is recorded": (dataset(DATASET, None), Run(reason(Change.OUT_OF_SYNC, "ds://d"))),
    # Data sources
    "data as recorded": (source(HERE), Fresh()),
    "data that only a remote has": (source(AWAY), Fresh()),
    "data at hand is put back": (
        source(AT_HAND),
        Restore(SOURCE_ENTRY, reason(Change.OUT_DELETED, "data", OLD.value)),
    ),
    "data that changed is taken in": (
        source(LATER),
        Run(reason(Change.OUT_MODIFIED, "data", OLD.value, NEW.value)),
    ),
    "data never recorded is taken in": (
        source(HERE, replace(SOURCE_ENTRY, outs=(LockedPath("data", None),))),
        Run(reason(Change.OUT_NEW, "data")),
    ),
    "data without any entry is taken in": (source(HERE, None), Run(reason(Change.NEVER_RUN))),
    "a stage with an empty cmd is data": (
        Case(replace(SOURCE, name="data", cmd=""), SOURCE_ENTRY, Now(outs={"data": LATER}), PAST),
        Run(reason(Change.OUT_MODIFIED, "data", OLD.value, NEW.value)),
    ),
}


FORCED, LAX, FORGETFUL = Modes(force=True), Modes(allow_missing=True), Modes(run_cache=False)
CHANGED = case(cmd="run him", past=PAST)
IN_MODES: dict[str, tuple[Case, Decision]] = {
    "forced, though fresh": (replace(case(), modes=FORCED), Run(reason(Change.FORCED))),
    "forced, and changed": (
        replace(CHANGED, modes=FORCED),
        Run(reason(Change.CMD, was="run me", now="run him") + reason(Change.FORCED)),
    ),
    "forced, not waited for": (replace(case({}, upstream=("prepare",)), modes=FORCED), Run(reason(Change.FORCED))),
    "frozen, not forced": (replace(case(frozen=True), modes=FORCED), Frozen()),
    "tracked data, not forced": (replace(source(HERE), modes=FORCED), Fresh()),
    "an import, forced": (replace(imported(HERE), modes=FORCED), Run(reason(Change.FORCED))),
    "an absent dep, allowed": (replace(case({"in": None}), modes=LAX), Fresh()),
    "an absent out, allowed": (replace(case(outs={"out": AT_HAND}), modes=LAX), Fresh()),
    "a changed dep, never allowed": (
        replace(case({"in": LATER}), modes=LAX),
        Run(reason(Change.DEP_MODIFIED, "in", OLD.value, NEW.value)),
    ),
    "a past run, looked up": (CHANGED, Restore(PAST, reason(Change.CMD, was="run me", now="run him"))),
    "a past run, not looked up": (
        replace(CHANGED, modes=FORGETFUL),
        Run(reason(Change.CMD, was="run me", now="run him")),
    ),
    "what the lock records, still restored": (
        replace(case(outs={"out": AT_HAND}), modes=FORGETFUL),
        Restore(ENTRY, reason(Change.OUT_DELETED, "out", OLD.value)),
    ),
}


@pytest.mark.parametrize("name", IN_MODES)
def test_each_row_is_decided_so_in_its_mode(name: str) -> None:
    asked, expected = IN_MODES[name]
    assert asked.asked() == expected


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_decided_so(name: str) -> None:
    asked, expected = ROWS[name]
    assert asked.asked() == expected


def test_every_reason_has_a_row() -> None:
    shown = {reason.change for _, decision in {**ROWS, **IN_MODES}.values() for reason in decision.reasons}
    assert shown | {Change.MISSING_OBJECT} == set(Change)


def test_every_decision_has_a_row() -> None:
    assert {type(decision) for _, decision in ROWS.values()} == {Fresh, Frozen, Restore, Run, Wait}


def test_nan_is_never_itself() -> None:
    entry = replace(ENTRY, params={"params.yaml": {"rate": float("nan")}})
    decision = case(params={"rate": float("nan")}, entry=entry).asked()
    assert [reason.change for reason in decision.reasons] == [Change.PARAM_MODIFIED]


def test_nan_inside_a_list_is_never_itself_either() -> None:
    nan = float("nan")
    decision = case(params={"rate": [nan]}, entry=replace(ENTRY, params={"params.yaml": {"rate": [nan]}})).asked()
    assert isinstance(decision, Run)


@pytest.mark.parametrize(
    ("was", "now", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1, "b": 2}, [Change.PARAM_NEW]),
        ({"a": 1, "b": 2}, {"a": 1}, [Change.PARAM_DELETED]),
        ({"a": 1, "b": 2}, {"b": 3}, [Change.PARAM_DELETED, Change.PARAM_MODIFIED]),
        ({}, {}, []),
    ],
)
def test_a_whole_params_file_is_compared_by_its_top_level_keys(
    was: dict[str, Any], now: dict[str, Any], changes: list[Change]
) -> None:
    whole = (Param("params.yaml", "params.yaml"),)
    decision = Case(
        replace(STAGE, params=whole),
        replace(ENTRY, params={"params.yaml": was}),
        replace(NOW, params={"params.yaml": now}),
    ).asked()
    assert [reason.change for reason in decision.reasons] == changes


@pytest.mark.parametrize(
    "cmd",
    [
        "python train.py " + "--option value  " * 12,
        "a " * 60 + " b",
        ("first " * 20 + " end", "second"),
        "tabs\tand  blanks " * 10,
    ],
)
def test_blanks_that_a_lock_folds_away_are_no_change(cmd: str | tuple[str, ...]) -> None:
    stage = replace(STAGE, cmd=cmd)
    file = LockFile(None, "dvc.lock")
    file.set("train", replace(ENTRY, cmd=cmd))
    read = lock.parse(file.text, "dvc.lock").entries["train"]
    assert decide(stage, read, NOW, lambda: None) == Fresh()
    other = replace(stage, cmd=f"{cmd} x" if isinstance(cmd, str) else (*cmd, "x"))
    assert isinstance(decide(other, read, NOW, lambda: None), Run)


def test_the_run_cache_is_asked_only_when_nothing_else_spares_the_run() -> None:
    asked = []

    def past() -> None:
        asked.append(1)

    for each, decision in ROWS.values():
        if isinstance(decision, (Fresh, Frozen, Wait)):
            decide(each.stage, each.entry, each.now, past)
    decide(STAGE, ENTRY, replace(NOW, outs={"out": LATER}), past)
    assert asked == []
    decide(STAGE, None, NOW, past)
    assert asked == [1]


def test_a_stage_with_only_absent_outs_is_not_stale() -> None:
    assert not Restore(ENTRY, OUT_DELETED).is_stale
    assert Restore(ENTRY, OUT_MODIFIED).is_stale
    assert Restore(PAST, DEP_MODIFIED + OUT_DELETED).is_stale


def test_a_changed_mapping_is_named_leaf_by_leaf() -> None:
    was = {"svm": {"C": 1.0, "gamma": 0.01, "gone": 1, "kernel": {"name": "rbf"}}}
    now = {"svm": {"C": 10.0, "gamma": 0.01, "new": 2, "kernel": {"name": "poly"}}}
    stage = Stage("s", "dvc.yaml", "s", "x", ".", params=(Param("params.yaml", "params.yaml", ("svm",)),))
    decision = decide(
        stage, LockEntry("x", params={"params.yaml": was}), Now(params={"params.yaml": now}), lambda: None
    )
    assert decision.reasons == (
        Reason(Change.PARAM_MODIFIED, "params.yaml:svm.C", 1.0, 10.0),
        Reason(Change.PARAM_DELETED, "params.yaml:svm.gone", was=1),
        Reason(Change.PARAM_MODIFIED, "params.yaml:svm.kernel.name", "rbf", "poly"),
        Reason(Change.PARAM_NEW, "params.yaml:svm.new", now=2),
    )


def test_a_frozen_stage_is_stale_where_an_out_is_not_what_the_lock_says() -> None:
    modified = Reason(Change.OUT_MODIFIED, "o", "a", "b")
    assert Frozen((modified,)).is_stale
    assert not Frozen((Reason(Change.OUT_DELETED, "o", "a"),)).is_stale
    assert not Frozen().is_stale
