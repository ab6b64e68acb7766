"""What the walk judges by: claims and records, sizes and times, the base branch's history, renames. Real projects."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from runner import ci
from runner.engine.project import Place
from runner.errors import Exit, Location
from runner.review import cases, gatefile, suggesting, trends
from runner.review.gate import judge
from tests.support import events
from tests.support.github import FakeGitHub, serving
from tests.support.pipelines import Workshop, decisions, finished, row, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.review.model import Report

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  fit:
    cmd: echo fit >> ../journal; cat rate > model
    deps: [rate]
    outs: [model]
  score:
    cmd: echo score >> ../journal; sed 's/.*/{"score":0.&}/' model > m.json
    deps: [model]
    metrics: [{m.json: {cache: false}}]
"""
GATE = "- metric: m.json:$.score\n  better: higher\n  allow-drop: 0.1\n"
GATES = f"gates:\n{GATE}"
FILES = {"rate": "90\n"}


@pytest.fixture
def made(tmp_path: Path) -> Workshop:
    """Give the project, trained on main, with a branch checked out."""
    made = finished(tmp_path, PIPELINE, FILES)
    made.put({"retrain.yaml": GATES})
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    assert made.journal == ["fit", "score"]
    return made


def job(folder: Path, payload: object, sha: str, repository: str) -> dict[str, str]:
    """Give the variables of a job of a pull request, as GitHub sets them."""
    (folder / "event.json").write_text(json.dumps(payload))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": repository,
        "GITHUB_SHA": sha,
        "GITHUB_REF": "refs/pull/2/head",
    }


def retrained(made: Workshop, *rates: str) -> None:
    """Train on main with one rate after the other, a commit each."""
    made.git("checkout", "-q", "main")
    for rate in rates:
        made.put({"rate": f"{rate}\n"})
        made.run(push="always")
        made.commit(f"rate {rate}")
    made.git("checkout", "-q", "-B", "feature")
    assert made.journal


def pull_request(made: Workshop, folder: Path) -> dict[str, str]:
    """Give the environment of a job of a pull request from `feature` into main."""
    return pull_request_of(made, folder, made.git("rev-parse", "main"))


def pull_request_of(made: Workshop, folder: Path, base: str) -> dict[str, str]:
    """Give that of one into a main at the commit `base`, which need not be there."""
    repository, head = "Codertocat/Hello-World", made.git("rev-parse", "HEAD")
    payload = events.pull_request(repository=repository, number=2, head=head, base=base)
    return {**made.environ, **job(folder, payload, head, repository)}


def forge(made: Workshop, score: str) -> None:
    """Commit a metric that no run made, with a lock that says so, as a patient liar would."""
    text = f'{{"score":{score}}}\n'
    made.put({"m.json": text})
    with made.opened() as opened:
        opened.project.workspace.forget(".")
        content = opened.project.workspace.observe("m.json")
        assert content
    lock = made.read("dvc.lock")
    old = made.recorded("m.json").value
    made.put({"dvc.lock": lock.replace(old, content.hash.value)})
    made.commit("Better")
    assert made.plan() == {"fit": "fresh", "score": "fresh"}


# Claims


def test_what_this_run_made_and_what_a_record_vouches_for_is_no_claim(made: Workshop) -> None:
    assert made.run().claims == ()
    made.put({"rate": "91\n"})
    assert made.run().claims == ()
    fresh = made.clone("fresh")
    report = fresh.run()
    assert (decisions(report), report.claims) == ({"fit": "fresh", "score": "fresh"}, ())


def test_a_metric_that_only_the_commit_vouches_for_is_told_and_accepted_on_a_trusted_event(made: Workshop) -> None:
    forge(made, "0.99")
    report = made.run()
    (claim,) = report.claims
    assert (claim.path, claim.stage, claim.gated, claim.policy) == ("m.json", "score", True, "accept")
    assert claim.why == "its stage score was fresh by its lock, and no record of a run says the same"
    assert (report.gates[0].status, report.gates[0].claimed, report.gates[0].head) == ("passed", True, 0.99)
    assert [change.claimed for change in report.metrics] == [True]
    assert made.journal == []


def test_a_pull_requests_claim_is_run_again_and_what_it_really_gives_is_judged(made: Workshop, tmp_path: Path) -> None:
    forge(made, "0.99")
    report = Workshop(made.root, pull_request(made, tmp_path)).run(push="never")
    assert made.journal == ["score"]
    assert (row(report, "score").decision, row(report, "score").reasons[0].change) == ("ran", "forced")
    assert (report.claims, report.gates[0].head, report.gates[0].claimed) == ((), 0.9, False)


def test_what_a_pull_request_did_not_change_was_reviewed_before(made: Workshop, tmp_path: Path) -> None:
    made.git("checkout", "-q", "main")
    forge(made, "0.95")
    made.git("checkout", "-q", "-B", "feature")
    made.put({"README": "words\n"})
    made.commit()
    report = Workshop(made.root, pull_request(made, tmp_path)).run(push="never")
    assert made.journal == []
    assert [(one.path, one.policy) for one in report.claims] == [("m.json", "accept")]
    assert report.exit_code == 0


@pytest.mark.parametrize(
    ("policy", "status", "ran"), [("accept", "passed", []), ("rerun", "passed", ["score"]), ("fail", "failed", [])]
)
def test_the_policy_decides_what_a_claim_is_worth(policy: str, status: str, ran: list[str], made: Workshop) -> None:
    forge(made, "0.99")
    report = made.run(claims=policy)
    assert (report.gates[0].status, made.journal) == (status, ran)
    assert report.exit_code == (1 if status == "failed" else 0)


def test_what_is_run_again_counts_for_the_same_timeout(tmp_path: Path) -> None:
    slow = PIPELINE.replace("../journal; ", "../journal; sleep 1.2; ").replace("cat rate", "cut -c 1-2 rate")
    made = finished(tmp_path, slow, FILES)
    made.put({"retrain.yaml": GATES})
    forge(made, "0.99")
    made.put({"rate": "90 \n"})
    report = made.run(claims="rerun", timeout="2 s")
    assert report.exit_code == Exit.STAGE
    assert [one.why.partition(",")[0] for one in report.stages if one.decision == "failed"] == [
        "the run took longer than 2 s"
    ]


def test_a_claim_that_cannot_be_run_again_is_unmeasured(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("  score:\n", "  score:\n    frozen: true\n")})
    report = made.run(claims="rerun")
    assert (report.gates[0].status, report.exit_code, report.gates[0].claimed) == ("unmeasured", 1, True)
    assert "only claimed: its stage score is frozen" in report.gates[0].why


def test_a_pull_request_that_takes_the_stage_away_gets_nothing_for_its_numbers(made: Workshop, tmp_path: Path) -> None:
    made.put({"dvc.yaml": PIPELINE[: PIPELINE.index("  score:")], "m.json": '{"score":0.99}\n'})
    made.commit()
    report = Workshop(made.root, pull_request(made, tmp_path)).run(push="never")
    assert (report.gates[0].status, report.exit_code) == ("unmeasured", 1)
    assert "only claimed: no stage makes it" in report.gates[0].why


def test_a_gate_alone_runs_nothing_and_says_what_is_claimed(made: Workshop) -> None:
    fresh = made.clone("fresh")
    with fresh.opened("gate") as opened:
        report = ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)
    assert [(one.path, one.policy) for one in report.claims] == [("m.json", "accept")]
    assert report.exit_code == 0
    with fresh.opened("gate", claims="rerun") as opened:
        report = ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)
    assert report.gates[0].status == "unmeasured"


def alone(made: Workshop, **flags: str) -> Report:
    """Judge without running anything."""
    with made.opened("gate", **flags) as opened:
        return ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)


@pytest.mark.parametrize("policy", ["auto", "accept", "rerun"])
def test_a_gate_alone_passes_no_metric_that_was_made_from_other_inputs(policy: str, made: Workshop) -> None:
    made.put({"rate": "95\n"})
    report = alone(made, claims=policy)
    assert (report.gates[0].status, report.gates[0].head, report.exit_code) == ("unmeasured", None, 1)
    assert report.gates[0].why == "its stage score is stale (it reads what fit writes, which is stale) and was not run"
    made.run(push="never")
    assert alone(made, claims=policy).exit_code == 0


STALE: dict[str, tuple[dict[str, str | None], str]] = {
    "its command is another one": ({"dvc.yaml": PIPELINE.replace("0.&", "0.9&")}, "cmd"),
    "it was edited by hand": ({"m.json": '{"score":0.99}\n'}, "out modified m.json"),
    "the stage was never run": ({"dvc.lock": None}, "dep new model, out new m.json"),
    "an input that git has is taken away": ({"rate": None}, "it reads what fit writes, which is stale"),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_a_gate_alone_says_what_shows_that_a_metric_is_stale(
    change: tuple[dict[str, str | None], str], made: Workshop
) -> None:
    files, why = change
    made.put(files)
    made.commit()
    report = alone(made)
    assert (report.gates[0].status, report.exit_code) == ("unmeasured", 1)
    assert report.gates[0].why == f"its stage score is stale ({why}) and was not run"


def test_a_gate_alone_takes_no_edited_metric_of_a_frozen_stage(made: Workshop) -> None:
    made.put({"dvc.yaml": PIPELINE.replace("  score:\n", "  score:\n    frozen: true\n"), "rate": "95\n"})
    assert alone(made).exit_code == 0
    made.put({"m.json": '{"score":0.99}\n'})
    assert alone(made).gates[0].status == "unmeasured"


def test_what_cannot_be_told_is_no_proof_that_a_metric_is_stale(tmp_path: Path) -> None:
    always = PIPELINE.replace("  fit:\n", "  fit:\n    always_changed: true\n")
    made = finished(tmp_path, always, {"rate": "90\n", ".gitignore": "rate\n"})
    made.put({"retrain.yaml": GATES})
    made.commit()
    fresh = made.clone("fresh")
    assert "rate" not in fresh.names()
    assert (alone(made).exit_code, alone(fresh).exit_code) == (0, 0)


def test_a_size_of_a_stale_stage_is_unmeasured_also_of_a_file_inside_an_out(tmp_path: Path) -> None:
    pipeline = "stages:\n  fit:\n    cmd: mkdir -p m && cp rate m/a\n    deps: [rate]\n    outs: [m]\n"
    made = finished(tmp_path, pipeline, FILES)
    made.put({"retrain.yaml": "gates:\n- size: m\n  at-most: 9 B\n- size: m/a\n  at-most: 9 B\n"})
    assert [one.status for one in alone(made).gates] == ["passed", "passed"]
    made.put({"rate": "91\n"})
    report = alone(made)
    assert [one.status for one in report.gates] == ["unmeasured", "unmeasured"]
    assert report.exit_code == 1


def test_a_cache_that_came_with_the_pull_request_is_no_witness(made: Workshop, tmp_path: Path) -> None:
    made.put({"rate": "95\n"})
    assert made.run(push="never").exit_code == 0
    made.git("add", "-f", ".dvc/cache")
    made.commit("With its cache")
    made.journal  # noqa: B018 - asked, so that it is empty
    report = Workshop(made.root, pull_request(made, tmp_path)).run(push="never")
    assert made.journal == ["score"]
    assert report.gates[0].head == 0.95


# Baselines that cannot be had

PASS = f"{GATES}  missing-baseline: pass\n"


def test_a_lost_object_of_the_baseline_is_no_missing_baseline(tmp_path: Path) -> None:
    made = finished(tmp_path, PIPELINE.replace("[{m.json: {cache: false}}]", "[m.json]"), FILES)
    made.put({"retrain.yaml": PASS})
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    old = made.objects("m.json")[0]
    made.put({"rate": "10\n"})
    made.repro()
    for folder in (made.remote, made.root / ".dvc" / "cache"):
        (folder / old).unlink(missing_ok=True)
    report = alone(made)
    assert (report.gates[0].status, report.exit_code) == ("unmeasured", 1)
    assert "is neither in the cache nor in the remote" in report.gates[0].why


def test_a_pull_request_whose_base_cannot_be_had_does_not_pass_as_the_first_commit_does(
    made: Workshop, tmp_path: Path
) -> None:
    made.put({"retrain.yaml": PASS})
    made.commit()
    made.git("branch", "-q", "-D", "main")
    environ = pull_request_of(made, tmp_path, base="1" * 40)
    report = Workshop(made.root, environ).run(push="never")
    assert (report.base, report.gates[0].status, report.exit_code) == (None, "unmeasured", 1)
    assert report.gates[0].why == "the commit to compare with cannot be had here"


def test_the_first_commit_has_no_baseline_and_the_gate_says_what_that_is_worth(tmp_path: Path) -> None:
    made = workshop(tmp_path, "", {"retrain.yaml": PASS, "m.json": '{"score": 0.9}'})
    payload = {"before": "0" * 40, "after": made.git("rev-parse", "HEAD"), "repository": {"full_name": "o/n"}}
    environ = {**made.environ, **job(tmp_path, payload, made.git("rev-parse", "HEAD"), "o/n")}
    report = alone(Workshop(made.root, {**environ, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}))
    assert (report.base, report.gates[0].status) == (None, "passed")
    assert report.gates[0].why == "there is no baseline (missing-baseline: pass)"


def test_what_is_usual_is_read_of_a_metric_that_a_dvc_file_tracks(tmp_path: Path) -> None:
    band = "gates:\n- metric: m.json:$.score\n  better: higher\n  band: {test: percent, within: 5%}\n"
    made = workshop(tmp_path, "metrics: [m.json]\n", {"retrain.yaml": band, ".gitignore": "/m.json\n"})
    for number in range(6):
        text = f'{{"score":0.9{number}}}\n'
        name = hashlib.md5(text.encode()).hexdigest()
        tracked = f"outs:\n- md5: {name}\n  size: {len(text)}\n  hash: md5\n  path: m.json\n"
        made.put({"m.json": text, "m.json.dvc": tracked if number else "outs: [\n"})
        made.push() if number else None
        made.commit(f"score {number}")
    made.put({"m.json.dvc": tracked, "m.json": '{"score":0.5}\n'})
    (verdict,) = alone(made).gates
    assert (verdict.status, verdict.head) == ("failed", 0.5)
    assert "mean 0.93 of 5" in verdict.why
    history = alone(made).history
    assert history
    assert [trend.values for trend in history.trends] == [(None, 0.91, 0.92, 0.93, 0.94, 0.95)]


def test_a_gate_that_the_event_leaves_out_is_named(made: Workshop, tmp_path: Path) -> None:
    made.put({"retrain.yaml": f"{GATES}  when: [schedule, push]\n"})
    made.commit()
    report = Workshop(made.root, pull_request(made, tmp_path)).run(push="never")
    assert (report.verdict, report.gates) == ("ungated", ())
    assert "not judged at pull_request: m.json:$.score (when: schedule, push)" in report.notes
    assert [note for note in made.run(push="never").notes if note.startswith("not judged")] == []


# Sizes and times


def test_a_size_is_that_of_the_workspace_or_what_the_lock_records(made: Workshop) -> None:
    made.put({"retrain.yaml": f"{GATES}- size: model\n  at-most: 3 B\n  allow-drop: 0\n"})
    verdict = made.run().gates[1]
    assert (verdict.status, verdict.base, verdict.head, verdict.unit) == ("passed", 3, 3, "bytes")
    (made.root / "model").unlink()
    with made.opened("gate") as opened:
        report = ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)
    assert (report.gates[1].head, report.gates[1].read[:10]) == (3, "the object")
    made.put({"rate": "9000\n"})
    verdict = made.run().gates[1]
    assert (verdict.status, verdict.why) == ("failed", "5 B is above 3 B by 2 B; rose by 2 B, where nothing is allowed")


def test_how_long_a_stage_took_is_pushed_with_the_record_of_its_run(tmp_path: Path) -> None:
    made = workshop(tmp_path, PIPELINE, {**FILES, "retrain.yaml": "gates:\n- duration: fit\n  at-most: 1 h\n"})
    made.repro()
    made.push()
    made.commit()
    (verdict,) = alone(made.clone("fresh")).gates
    assert (verdict.status, verdict.unit) == ("passed", "seconds")


def test_how_long_a_stage_took_is_known_wherever_its_lock_entry_is(made: Workshop) -> None:
    gates = "gates:\n- duration: fit\n  at-most: 1 h\n  allow-drop: 10 min\n"
    fresh = made.clone("fresh")
    fresh.put({"retrain.yaml": gates})
    report = fresh.run()
    verdict = report.gates[0]
    assert (verdict.status, verdict.unit) == ("passed", "seconds")
    assert verdict.head == verdict.base is not None
    fresh.put({"rate": "80\n"})
    report = fresh.run()
    assert row(report, "fit").seconds == row(report, "fit").recorded_seconds
    assert row(report, "fit").base_seconds == verdict.base


def test_a_time_that_nobody_recorded_is_unmeasured_and_never_green(made: Workshop) -> None:
    for place in [*made.remote.rglob("retrain/times/*/*"), *(made.root / ".dvc/cache/retrain").rglob("*.json")]:
        place.unlink()
    made.put({"retrain.yaml": "gates:\n- duration: fit\n  at-most: 1 h\n- duration: fitt\n  at-most: 1 h\n"})
    report = made.run()
    assert [(one.status, one.exits) for one in report.gates] == [("unmeasured", True), ("failed", True)]
    assert "nobody recorded how long fit took" in report.gates[0].why
    assert report.gates[1].why == "there is no stage fitt"


@pytest.mark.parametrize("content", ["", "[]", '{"seconds": -1}', '{"seconds": true}', '{"seconds": NaN}', "x" * 5000])
def test_a_damaged_time_is_none(content: str, made: Workshop) -> None:
    for place in (made.root / ".dvc/cache/retrain").rglob("*.json"):
        place.write_text(content)
    made.put({"retrain.yaml": "gates:\n- duration: fit\n  at-most: 1 h\n"})
    assert made.run().gates[0].status == "unmeasured"


# History


def test_the_history_has_the_commits_that_recorded_something_and_what_had_changed(made: Workshop) -> None:
    retrained(made, "91", "92")
    made.put({"README": "words\n"})
    made.commit("No training")
    report = made.run()
    assert report.history
    assert [one.subject for one in report.history.commits] == ["Run", "rate 91", "rate 92"]
    assert [(one.path, one.key, one.values, one.stage) for one in report.history.trends] == [
        ("m.json", "score", (0.9, 0.91, 0.92), "score")
    ]
    assert [(one.stage, one.inputs) for one in report.history.marks] == [("fit", ("dep rate",))] * 2


def test_a_cached_metric_is_followed_by_its_hash(tmp_path: Path) -> None:
    made = finished(tmp_path, PIPELINE.replace("[{m.json: {cache: false}}]", "[m.json]"), FILES)
    assert made.journal
    retrained(made, "91", "92")
    report = made.run()
    assert report.history
    assert report.history.trends[0].values == (0.9, 0.91, 0.92)


def test_a_band_is_judged_by_the_base_branch_alone(made: Workshop) -> None:
    band = "- metric: m.json:$.score\n  better: higher\n  band: {test: iqr, samples: 3, last: 4}\n"
    made.git("checkout", "-q", "main")
    made.put({"retrain.yaml": f"gates:\n{band}"})
    made.commit()
    retrained(made, "91", "92", "93")
    made.put({"rate": "80\n"})
    report = made.run()
    assert report.gates[0].status == "failed"
    assert "quartiles 0.9075 and 0.9225 of 4" in report.gates[0].why


def test_a_shallow_clone_is_deepened_for_a_band_and_only_for_one(made: Workshop, tmp_path: Path) -> None:
    retrained(made, "91", "92")
    clone = tmp_path / "shallow"
    made.git("clone", "-q", "--depth=1", "--branch", "feature", made.root.as_uri(), str(clone))
    shallow = Workshop(clone, made.environ)
    report = shallow.run(base="HEAD", push="never")
    assert report.history
    assert [len(report.history.commits), report.history.note] == [
        1,
        "this clone is shallow, and its history ends there",
    ]
    shallow.put(
        {"retrain.yaml": f"{GATES}- metric: m.json:$.score\n  better: higher\n  band: {{test: z, samples: 3}}\n"}
    )
    report = shallow.run(base="HEAD", push="never")
    assert report.history
    assert (report.gates[1].status, len(report.history.commits)) == ("passed", 3)


def test_history_is_read_by_one_process_whatever_its_length(made: Workshop) -> None:
    retrained(made, *map(str, range(91, 97)))
    with made.opened("gate") as opened:
        place = Place(opened.git, opened.root, opened.prefix)
        case = cases.gather(place, opened.found, ci.terms_of(opened.asked))
        asked: list[tuple[str, ...]] = []
        run = opened.git.run

        def noted(*command: str, **how: Any) -> bytes:
            asked.append(command)
            return run(*command, **how)

        opened.git.run = noted  # type: ignore[method-assign]
        line, past = cases.followed(case, 20)
        trends.history(line, trends.keys(past), past)
    assert len(line.moments) == 7
    assert [command[1] for command in asked if "rev-list" in command] == ["rev-list"]
    assert len(asked) <= 3


# Renames


def test_a_renamed_metrics_file_is_compared_with_its_old_self(made: Workshop) -> None:
    made.put(
        {"dvc.yaml": PIPELINE.replace("m.json", "scores.json"), "retrain.yaml": GATES.replace("m.json", "scores.json")}
    )
    verdict = made.run().gates[0]
    assert (verdict.status, verdict.base, verdict.head) == ("passed", 0.9, 0.9)
    assert verdict.base_read.endswith("(m.json, which has another name now)")


def test_a_renamed_file_that_no_stage_makes_is_found_among_gits_renames(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages: {}\n", {"m.json": '{"score": 0.9, "n": [1, 2, 3]}\n', "retrain.yaml": GATES})
    made.git("checkout", "-q", "-b", "feature")
    made.git("mv", "m.json", "s.json")
    made.put({"retrain.yaml": GATES.replace("m.json", "s.json")})
    made.commit()
    verdict = made.run().gates[0]
    assert (verdict.status, verdict.base, verdict.claimed) == ("passed", 0.9, True)


def test_what_is_usual_of_a_renamed_metrics_file_is_read_under_its_old_name(made: Workshop) -> None:
    retrained(made, "91", "92", "93", "94")
    band = "gates:\n- metric: s.json:$.score\n  better: higher\n  band: {test: percent, within: 5%}\n"
    made.put({"dvc.yaml": PIPELINE.replace("m.json", "s.json"), "retrain.yaml": band})
    report = made.run(push="never")
    assert (report.gates[0].status, report.gates[0].base) == ("passed", 0.94)
    assert report.history
    assert [(one.path, one.values) for one in report.history.trends if one.path == "s.json"] == [
        ("s.json", (0.9, 0.91, 0.92, 0.93, 0.94))
    ]


def test_a_new_metrics_file_is_compared_with_nothing_and_says_so(made: Workshop) -> None:
    added = PIPELINE + "  more:\n    cmd: cp m.json more.json\n    deps: [m.json]\n    metrics: [more.json]\n"
    made.put({"dvc.yaml": added, "retrain.yaml": GATES.replace("m.json", "more.json")})
    verdict = made.run().gates[0]
    assert (verdict.status, verdict.why) == ("unmeasured", "more.json does not exist at the baseline")


# Proposals


def test_what_is_proposed_is_a_gate_file_that_the_newest_value_keeps(made: Workshop) -> None:
    retrained(made, "91", "89", "92", "90", "93")
    with made.opened("gate") as opened:
        case = cases.gather(Place(opened.git, opened.root, opened.prefix), opened.found, ci.terms_of(opened.asked))
        _, past = cases.followed(case, 20)
    found = list(suggesting.recorded(past))
    text = suggesting.yaml(found, suggesting.directions({("m.json", "$.score"): "higher"}, {}), "here")
    (rule,) = gatefile.parse_gates(text, "retrain.yaml").gates
    assert (rule.limit, rule.where) == ("at least 0.89, may drop 0.06", Location("retrain.yaml", 4, 5))
    (verdict,) = judge([rule], {"m.json": {"score": 0.93}}, {"m.json": {"score": 0.93}}, past=past)
    assert (verdict.status, verdict.note) == ("passed", "")
    unsaid = suggesting.yaml(found, suggesting.directions({}, {"lower": ["loss*"]}), "here")
    assert gatefile.parse_gates(unsaid, "retrain.yaml").gates == ()
    assert "#   better: higher or lower?" in unsaid
    few = suggesting.yaml(list(suggesting.recorded({"m.json": past["m.json"][-2:]})), lambda *_: "higher", "here")
    assert "2 recorded values, too few to propose anything" in few


# Overrides


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    fake = FakeGitHub()
    fake.token("secret-token")
    with serving(fake) as served:
        yield served


def labelled(
    made: Workshop, folder: Path, github: FakeGitHub, standing: tuple[str, list[str]] | None = None, **change: str
) -> Report:
    """Judge a worse candidate in the job that a label started; `change` is made to the event first."""
    made.put({"rate": "50\n"})
    assert made.repro().exit_code == 0
    made.commit("Worse")
    repository = github.repository
    head, base = made.git("rev-parse", "HEAD"), made.git("rev-parse", "main")
    payload = events.pull_request(action="labeled", repository=repository, number=2, head=head, base=base)
    payload["label"]["name"] = change.get("label", "accept-regression")
    payload["action"] = change.get("action", "labeled")
    payload["sender"]["login"] = "octocat"
    now, labels = standing or ("", ["accept-regression"])
    github.open_pull(number=2, sha=now or head, labels=labels)
    environ = job(folder, payload, head, repository)
    environ |= {"GITHUB_API_URL": github.url, "INPUT_GITHUB-TOKEN": change.get("token", "secret-token")}
    with Workshop(made.root, {**made.environ, **environ}).opened("gate") as opened:
        return ci.judge(Place(opened.git, opened.root, opened.prefix), opened.found, opened.asked)


def test_somebody_who_may_write_accepts_a_regression_for_one_head(
    made: Workshop, tmp_path: Path, github: FakeGitHub
) -> None:
    github.permissions["octocat"] = "write"
    report = labelled(made, tmp_path, github)
    head = made.git("rev-parse", "HEAD")
    assert (report.verdict, report.exit_code, report.gates[0].status) == ("accepted", 0, "accepted")
    assert report.gates[0].why.endswith("; accepted by octocat (label accept-regression)")
    assert report.override
    assert report.override.sha == head
    assert report.notes[-1] == f"Retrain-Accepted-By: octocat (label accept-regression, head {head})"


REFUSED: Mapping[str, tuple[str, tuple[str, list[str]] | None, Mapping[str, str]]] = {
    "a triager": ("read", None, {}),
    "a stranger": ("", None, {}),
    "another label": ("write", None, {"label": "bug"}),
    "a later push": ("write", None, {"action": "synchronize"}),
    "a head that moved on": ("write", ("1" * 40, ["accept-regression"]), {}),
    "a label that was taken away": ("write", ("", ["bug"]), {}),
    "no token": ("write", None, {"token": ""}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_regression_is_not_accepted_by(name: str, made: Workshop, tmp_path: Path, github: FakeGitHub) -> None:
    permission, standing, change = REFUSED[name]
    if permission:
        github.permissions["octocat"] = permission
    report = labelled(made, tmp_path, github, standing, **change)
    assert (report.verdict, report.exit_code, report.override) == ("failed", 1, None)


def test_what_is_unmeasured_nobody_can_accept(made: Workshop, tmp_path: Path, github: FakeGitHub) -> None:
    github.permissions["octocat"] = "admin"
    more = "- metric: m.json:$.score\n  better: higher\n  band: {test: z, samples: 9}\n"
    made.put({"retrain.yaml": GATES + more})
    report = labelled(made, tmp_path, github)
    assert [one.status for one in report.gates] == ["accepted", "unmeasured"]
    assert (report.verdict, report.exit_code) == ("unmeasured", 1)


def test_the_gate_file_of_a_removed_size_is_named(made: Workshop) -> None:
    made.git("checkout", "-q", "main")
    made.put({"retrain.yaml": f"{GATES}- size: model\n  at-most: 1 kB\n"})
    made.commit()
    made.git("checkout", "-q", "-B", "feature")
    made.put({"retrain.yaml": GATES})
    assert made.run().notes == ("the gate size: model of the base is gone",)


def test_a_commit_that_left_a_metric_as_it_was_is_no_sample_of_it(tmp_path: Path) -> None:
    made = workshop(tmp_path, "stages: {}\n", {"m.json": '{"score": 0.5}\n', "n.json": '{"k": 0}\n'})
    band = "- metric: m.json:$.score\n  better: higher\n  band: {test: percent, within: 10%, samples: 2}\n"
    made.put({"retrain.yaml": f"gates:\n{band}- metric: n.json:$.k\n  better: higher\n  allow-drop: 0\n"})
    for number in range(4):
        made.put({"n.json": f'{{"k": {number}}}\n'})
        made.commit()
    assert "1 recorded value, where it takes 2" in made.run().gates[0].why
    made.put({"m.json": '{"score": 0.7}\n'})
    made.commit()
    assert "mean 0.6 of 2" in made.run().gates[0].checks[0].arithmetic


def test_a_recorded_hash_of_a_directory_tells_two_versions_apart(tmp_path: Path) -> None:
    """The metric lies in a cached folder; other stages write the same lock."""
    pipeline = (
        "stages:\n  fit:\n    cmd: mkdir out && sed 's/.*/{\"score\":0.&}/' rate > out/m.json\n"
        "    deps: [rate]\n    outs: [out]\n  other:\n    cmd: cp word copy\n    deps: [word]\n    outs: [copy]\n"
    )
    made = finished(tmp_path, pipeline, {"rate": "90\n", "word": "a\n"})
    band = "- metric: out/m.json:$.score\n  better: higher\n  band: {test: percent, within: 10%, samples: 2}\n"
    made.put({"retrain.yaml": f"gates:\n{band}"})
    made.commit()
    for change in ({"word": "b\n"}, {"rate": "80\n"}, {"word": "c\n"}):
        made.put(change)
        made.run(push="always")
        made.commit()
    assert "mean 0.85 of 2" in made.run().gates[0].checks[0].arithmetic
