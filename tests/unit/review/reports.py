"""Reports of any shape and with any names, for properties that must hold whatever a repository contains."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from runner.errors import Location
from runner.review.changed import DataRow, FileRow, Ingredient, LineageRow, PathRow, Picture, PlotRow
from runner.review.measured import Change, Check, Claim, History, Mark, Override, Trend, Verdict
from runner.review.report import Commit, Problem, ReasonRow, Report, StageRow, Traffic

NASTY = (
    "a|b", "`", "```", "~~~~", "</details>", "</summary>", "<script>alert(1)</script>", "<!-- marker -->",
    "[x](http://e.e)", "![x](//e.e/p.png)", "@octocat", "fixes #1", "\n| x |", "\n\n# head", "\\", "\\|", "$x$",
    "\u202e", "\ud800", "\x1b[2J", "{{ 7 * 7 }}", "{% raw %}", '"];x-->y', "end", "%%{init: {}}%%", "]]>", "&quot;",
    "'", '"', "x" * 400, "é模型", " ",
)  # fmt: skip
TEXT = st.lists(st.sampled_from(NASTY) | st.text(max_size=6), max_size=5).map("".join)
NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
SCALAR = st.none() | st.booleans() | NUMBER | TEXT
AMOUNT = st.integers(0, 10**13)
SECONDS = st.floats(0, 10**6)
WHERE = st.builds(Location, TEXT, AMOUNT, AMOUNT)
DELTA = st.none() | NUMBER
TRAFFIC = st.builds(Traffic, AMOUNT, AMOUNT, SECONDS)
CHANGE = st.builds(Change, TEXT, TEXT, SCALAR, SCALAR, DELTA, TEXT, st.booleans())
REASON = st.builds(ReasonRow, TEXT, TEXT, SCALAR, SCALAR)
COMMIT = st.builds(Commit, sha=TEXT, ref=TEXT, subject=TEXT, how=TEXT)
STATUS: Any = st.sampled_from(["passed", "warned", "accepted", "failed", "unmeasured"])
DECISION: Any = st.sampled_from(
    ["fresh", "restored", "ran", "failed", "skipped", "frozen", "planned-run", "planned-restore", "planned-wait"]
)
VERDICT = st.builds(
    Verdict,
    gate=TEXT,
    metric=TEXT,
    path=TEXT,
    status=STATUS,
    base=SCALAR,
    head=SCALAR,
    delta=DELTA,
    limit=TEXT,
    why=TEXT,
    where=WHERE,
    exits=st.booleans(),
    key=TEXT,
    unit=st.sampled_from(["", "bytes", "seconds"]),
    claimed=st.booleans(),
    checks=st.lists(st.builds(Check, TEXT, STATUS, TEXT), max_size=2).map(tuple),
    read=TEXT,
    base_read=TEXT,
    note=TEXT,
)
KIND: Any = st.sampled_from(["data", "code", "model", "metric", "plot", "param"])
ALTERATION: Any = st.sampled_from(["added", "changed", "removed"])
COUNT = st.none() | AMOUNT
PATH = st.builds(PathRow, TEXT, KIND, TEXT, COUNT, COUNT)
DATA = st.builds(
    DataRow,
    path=TEXT,
    kind=KIND,
    change=ALTERATION,
    base=TEXT,
    head=TEXT,
    base_bytes=COUNT,
    head_bytes=COUNT,
    added=COUNT,
    files=st.lists(st.builds(FileRow, TEXT, ALTERATION), max_size=2).map(tuple),
)
LINEAGE = st.builds(
    LineageRow,
    outs=st.lists(TEXT, max_size=3).map(tuple),
    stage=TEXT,
    how=TEXT,
    commit=TEXT,
    cmd=TEXT,
    ingredients=st.lists(st.builds(Ingredient, TEXT, KIND, TEXT, TEXT, st.booleans()), max_size=3).map(tuple),
)
MEDIA = st.sampled_from(["image/png", "image/svg+xml"])
PICTURE: Any = st.builds(Picture, st.sampled_from(["base", "head"]), MEDIA, st.sampled_from(["", "QUJD"]), TEXT)
POINT = st.fixed_dictionaries(
    {"rev": st.sampled_from(["base", "head"]), "x": SCALAR.map(str) | NUMBER | TEXT, "y": NUMBER | TEXT},
    optional={"field": TEXT, "filename::field": TEXT},
)
TEMPLATE = st.sampled_from(["linear", "simple", "smooth", "scatter", "confusion", "bar_horizontal"])
PLOT = st.builds(
    PlotRow,
    id=TEXT,
    title=TEXT,
    template=TEMPLATE,
    x=st.just("x"),
    y=st.just("y"),
    spec=TEXT.map(lambda title: json.dumps({"title": title})),
    points=st.lists(POINT, max_size=5).map(json.dumps),
    changed=st.booleans(),
    why=TEXT | st.just(""),
) | st.builds(PlotRow, id=TEXT, title=TEXT, pictures=st.lists(PICTURE, max_size=2).map(tuple), why=TEXT)
STAGE = st.builds(
    StageRow,
    stage=TEXT,
    decision=DECISION,
    reasons=st.lists(REASON, max_size=4).map(tuple),
    seconds=st.none() | SECONDS,
    exit_code=st.none() | st.integers(-64, 255),
    why=TEXT,
    tail=st.lists(TEXT, max_size=5).map(tuple),
    pulled=TRAFFIC,
    recorded_seconds=st.none() | SECONDS,
    base_seconds=st.none() | SECONDS,
)
CLAIM = st.builds(Claim, TEXT, TEXT, TEXT, st.booleans(), st.sampled_from(["accept", "rerun", "fail"]))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw metrics over a few commits."""
    commits = draw(st.lists(COMMIT, max_size=4).map(tuple))
    values = st.tuples(*(st.none() | NUMBER for _ in commits))
    marks = st.builds(Mark, TEXT, TEXT, st.lists(TEXT, max_size=2).map(tuple))
    return History(
        commits,
        draw(st.lists(st.builds(Trend, TEXT, TEXT, values, TEXT), max_size=3).map(tuple)),
        draw(st.lists(marks, max_size=2).map(tuple)),
        draw(TEXT),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Draw a report; now and then one with hundreds of rows."""
    times = draw(st.sampled_from([1, 1, 1, 30]))
    stages = tuple(draw(st.lists(STAGE, max_size=5))) * times
    names = [row.stage for row in stages]
    edge = st.tuples(st.sampled_from(names), st.sampled_from(names)) if names else st.nothing()
    return Report(
        version="0.1.0",
        verdict=draw(st.sampled_from(["passed", "warned", "accepted", "failed", "unmeasured", "ungated", "error"])),
        exit_code=draw(st.integers(0, 143)),
        command=draw(TEXT),
        head=draw(COMMIT),
        base=draw(st.none() | COMMIT),
        stages=stages,
        edges=tuple(draw(st.lists(edge | st.tuples(TEXT, TEXT), max_size=6))),
        gates=tuple(draw(st.lists(VERDICT, max_size=4))) * times,
        metrics=tuple(draw(st.lists(CHANGE, max_size=4))) * times,
        params=tuple(draw(st.lists(CHANGE, max_size=4))) * times,
        data=tuple(draw(st.lists(DATA, max_size=3))) * times,
        lineage=tuple(draw(st.lists(LINEAGE, max_size=2))) * times,
        plots=tuple(draw(st.lists(PLOT, max_size=3))) * times,
        pulled=draw(TRAFFIC),
        pushed=draw(TRAFFIC),
        left=draw(TRAFFIC),
        push=draw(TEXT),
        notes=tuple(draw(st.lists(TEXT, max_size=3))) * times,
        error=draw(st.none() | st.builds(Problem, TEXT, TEXT, st.none() | WHERE, TEXT)),
        seconds=draw(SECONDS),
        claims=tuple(draw(st.lists(CLAIM, max_size=3))),
        override=draw(st.none() | st.builds(Override, TEXT, TEXT, TEXT)),
        history=draw(st.none() | histories()),
    )
