"""The action's image, built and run as GitHub runs a container action: mounts, environment, another owner, exit codes.

The engine here is podman with runc, and the base a stand-in from Debian (tests/image/build.sh says why). What this
shows holds for any builder and any engine; the pinned base itself is pulled by GitHub alone.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.support.container import IMAGE, OWNER, Container, owned, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.environment import Program
    from tests.support.github import FakeGitHub
    from tests.support.job import Job
    from tests.support.project import Project

    PullRequest = Callable[..., Job]


def test_the_image_does_the_whole_job_in_a_workspace_of_another_owner(
    podman: Program, pull_request: PullRequest, project: Project, github: FakeGitHub
) -> None:
    job = pull_request({"params.yaml": "strength: 95\n"})
    owned(project.place)
    done = run(podman, job, project, {"report-dir": "out"})
    assert project.ran == ["train", "evaluate"]
    assert done.outputs["verdict"] == "passed"
    assert done.outputs["report-json"] == "out/report.json"
    assert json.loads((job.workspace / "out" / "report.json").read_text())["verdict"] == "passed"
    assert int(done.outputs["pushed-bytes"]) > 0
    assert "0.95" in github.bodies()[0]
    assert "0.95" in done.summary


def test_the_image_ends_with_the_runners_exit_code(
    podman: Program, pull_request: PullRequest, project: Project
) -> None:
    job = pull_request({"params.yaml": "strength: 50\n"})
    before = project.objects()
    done = run(podman, job, project, exits=1)
    assert done.outputs["verdict"] == "failed"
    assert project.objects() == before


def test_stages_in_the_image_have_git_and_python_but_not_the_runners_packages(
    podman: Program, pull_request: PullRequest, project: Project
) -> None:
    script = """\
git -C . log -1 --format='git says %s'
python3 -c 'import click' 2>&1 | tail -n 1
sed -n 's/^strength: //p' params.yaml > model.txt
"""
    job = pull_request({"params.yaml": "strength: 95\n", "train.sh": script})
    owned(project.place)
    done = run(podman, job, project)
    assert "git says Merge change into main" in done.stderr
    assert "No module named 'click'" in done.stderr


RIGHTS = """\
echo user $(id -u):$(id -g):$(id -G)
grep -E '^(CapEff|CapPrm|CapAmb|NoNewPrivs)' /proc/self/status
cat /proc/1/environ > /dev/null 2>&1 && echo environment read
cat /proc/1/mem > /dev/null 2>&1 && echo memory read
kill -0 1 2>/dev/null && echo signalled
for program in su mount; do $program root -c id 2>/dev/null && echo $program; done
test -O ready && echo setup handed over
git -C . status --short > /dev/null && echo git works
sed -n 's/^strength: //p' params.yaml > model.txt
"""


def test_stages_in_the_image_are_the_owner_of_the_checkout_without_any_other_rights(
    podman: Program, pull_request: PullRequest, project: Project
) -> None:
    job = pull_request({"params.yaml": "strength: 95\n", "train.sh": RIGHTS})
    owned(project.place)
    done = run(podman, job, project, {"setup": "test $(id -u) = 0; touch ready"})
    said = done.stderr.splitlines()
    assert f"user {OWNER}:{OWNER}:{OWNER}" in said
    assert [line for line in said if line.startswith("Cap")] == [
        f"{name}:\t0000000000000000" for name in ("CapPrm", "CapEff", "CapAmb")
    ]
    assert "NoNewPrivs:\t1" in said
    assert {"setup handed over", "git works"} <= set(said)
    assert not {"environment read", "memory read", "signalled", "su", "mount"} & set(said)
    places = [place for place in job.workspace.rglob("*") if place.lstat().st_uid != OWNER]
    assert places == []


def test_the_image_answers_without_network_or_workspace(podman: Program, tmp_path: Path) -> None:
    done = podman("run", "--rm", "--network=none", IMAGE, "--version", cwd=tmp_path)
    assert done.stdout.startswith("retrain ")


def test_the_image_holds_no_tests_no_caches_and_no_way_to_install_more_into_the_runner(
    podman: Program, tmp_path: Path
) -> None:
    inside = "ls /; ls /opt/retrain/bin; find /opt/retrain/lib -maxdepth 3; ls /var/lib/apt/lists"
    done = podman("run", "--rm", "--network=none", "--entrypoint=sh", IMAGE, "-c", inside, cwd=tmp_path)
    listed = done.stdout.split()
    assert "pip" not in listed
    assert not any(name.endswith(("/pip", "/tests", "/pytest")) for name in listed)


def test_as_process_one_the_image_stops_when_it_is_told(
    podman: Program, pull_request: PullRequest, project: Project
) -> None:
    job = pull_request({"train.sh": "trap '' TERM; echo running >&2; sleep 300; sleep 300\n"})
    container = Container.of(job, project)
    with subprocess.Popen(
        [*podman.argv, *container.arguments],
        env={**podman.environ, **container.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert any(line == "running\n" for line in process.stderr)
        process.terminate()
        process.stderr.read()
        assert process.wait(timeout=10) == 143


MOST = 45_000_000
"""Bytes that the image may add to its base, compressed by gzip as registries keep it."""


def test_what_the_image_adds_to_its_base_is_small(podman: Program, tmp_path: Path) -> None:
    podman("push", "--quiet", "--compression-format", "gzip", IMAGE, f"oci:{tmp_path}/image:it", cwd=tmp_path)
    blobs = tmp_path / "image" / "blobs"
    index = json.loads((tmp_path / "image" / "index.json").read_text())
    manifest = json.loads((blobs / index["manifests"][0]["digest"].replace(":", "/")).read_text())
    assert 0 < manifest["layers"][-1]["size"] < MOST  # buildah makes one layer of all that the last stage does
