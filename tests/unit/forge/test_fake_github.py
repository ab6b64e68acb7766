"""The fake GitHub behaves as GitHub does where the tests of others rely on it, and finds requests that are wrong."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.github import DROPPED, FakeGitHub, Meanwhile, Trouble, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.github import Answer

pytestmark = pytest.mark.slow  # a git repository, and a second between two writes

TOKEN = "ghs_notARealTokenButLongEnough"  # noqa: S105


class Client:
    """Sends requests as any program would."""

    def __init__(self, fake: FakeGitHub, session: requests.Session) -> None:
        self.fake = fake
        self.session = session

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        url = f"{self.fake.url}/repos/{self.fake.repository}{path}"
        return self.session.request(
            method, url, json=body, headers={"Authorization": f"Bearer {TOKEN}", **named}, timeout=10
        )

    def graphql(self, query: str, **variables: object) -> Any:
        body = {"query": query, "variables": variables}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return self.session.post(f"{self.fake.url}/graphql", json=body, headers=headers, timeout=10).json()


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with serving(FakeGitHub()) as running:
        running.token(TOKEN)
        yield running


@pytest.fixture
def send(fake: FakeGitHub) -> Iterator[Client]:
    with requests.Session() as session:
        yield Client(fake, session)


def violated(fake: FakeGitHub) -> str:
    """Take what was found wrong, which else fails the test."""
    found, fake.violations[:] = " | ".join(fake.violations), []
    return found


@pytest.mark.parametrize(
    ("line", "body", "named"),
    [
        ("POST /check-runs", {"name": "x", "head_sha": "a", "outptu": {}}, "outptu is no property"),
        ("POST /check-runs", {"name": "x", "head_sha": "a", "output": {"title": "t"}}, "summary"),
        ("POST /check-runs", {"name": "x", "head_sha": "a", "output": {"summary": "s", "txt": "t"}}, "txt"),
        ("POST /git/trees", {"tree": [{"path": "a", "mode": "777", "type": "blob", "sha": "a" * 40}]}, "777"),
        ("PUT /stars", None, "no such operation"),
        ("GET /teams", None, "not built"),
    ],
)
def test_a_request_outside_the_description_fails_the_test(
    fake: FakeGitHub, send: Client, line: str, body: object, named: str
) -> None:
    method, path = line.split()
    assert send(method, path, body).status_code == 422
    assert named in violated(fake)


def test_at_most_fifty_annotations_go_with_a_check_run_and_later_ones_are_added(fake: FakeGitHub, send: Client) -> None:
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}
    output = {"title": "t", "summary": "s", "annotations": [note] * 50}
    run = send("POST", "/check-runs", {"name": "x", "head_sha": "a" * 40, "output": output}).json()
    assert run["output"]["annotations_count"] == 50
    assert (
        send("PATCH", f"/check-runs/{run['id']}", {"output": {**output, "annotations": [note] * 51}}).status_code == 422
    )
    assert "has more than 50 items" in violated(fake)
    done = send(
        "PATCH", f"/check-runs/{run['id']}", {"conclusion": "success", "output": {**output, "annotations": [note]}}
    )
    assert (done.json()["status"], len(fake.annotations[run["id"]])) == ("completed", 51)
    (listed,) = send("GET", f"/commits/{'a' * 40}/check-runs?check_name=x").json()["check_runs"]
    assert listed["conclusion"] == "success"


def test_a_read_only_token_reads_and_is_told_what_it_lacks(fake: FakeGitHub, send: Client) -> None:
    fake.token(TOKEN, permissions={"contents": "read", "pull-requests": "read"})
    fake.say(7, "hello")
    assert send("GET", "/issues/7/comments").status_code == 200
    refused = send("POST", "/issues/7/comments", {"body": "x"})
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "issues=write; pull_requests=write"
    assert (
        send("POST", f"/statuses/{'a' * 40}", {"state": "success"}).headers["X-Accepted-GitHub-Permissions"]
        == "statuses=write"
    )
    fake.token(TOKEN, permissions={"pull-requests": "write"})
    assert send("POST", "/issues/7/comments", {"body": "x"}).status_code == 201


def test_lists_come_in_pages_that_link_to_each_other(fake: FakeGitHub, send: Client) -> None:
    for number in range(5):
        fake.say(7, f"talk {number}")
    seen, url = [], "/issues/7/comments?per_page=2"
    while url:
        answer = send("GET", url)
        seen += [comment["body"] for comment in answer.json()]
        url = answer.links.get("next", {}).get("url", "").removeprefix(f"{fake.url}/repos/{fake.repository}")
    assert seen == [f"talk {number}" for number in range(5)]
    assert "next" not in answer.links


def test_what_did_not_change_is_not_sent_again_and_costs_nothing(fake: FakeGitHub, send: Client) -> None:
    fake.allowance = 2
    etag = send("GET", "").headers["ETag"]
    assert send("GET", "", If_None_Match=etag).status_code == 304
    fake.default_branch = "trunk"
    assert send("GET", "", If_None_Match=etag).json()["default_branch"] == "trunk"
    refused = send("GET", "")
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining"]) == (403, "0")


def test_writes_that_come_too_fast_meet_the_secondary_limit(fake: FakeGitHub, send: Client) -> None:
    now = 1_000_000.0
    fake.clock, fake.writes_apart = lambda: now, 1.0
    assert send("POST", "/issues/7/comments", {"body": "x"}).status_code == 201
    refused = send("POST", "/issues/7/comments", {"body": "y"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (403, "1")
    now += 2
    assert send("POST", "/issues/7/comments", {"body": "y"}).status_code == 201


def test_a_connection_may_end_without_an_answer(fake: FakeGitHub, send: Client) -> None:
    fake.troubles.append(Trouble("GET", DROPPED, path="/issues"))
    with pytest.raises(requests.ConnectionError):
        send("GET", "/issues/7/comments")
    assert send("GET", "/issues/7/comments").json() == []


def test_a_commit_is_made_of_blobs_and_trees_and_a_ref_that_follows(fake: FakeGitHub, send: Client) -> None:
    start = fake.push("main", {"dvc.lock": b"old", "src/train.py": b"print()"})
    blob = send("POST", "/git/blobs", {"content": base64.b64encode(b"new").decode(), "encoding": "base64"}).json()[
        "sha"
    ]
    entry = {"path": "dvc.lock", "mode": "100644", "type": "blob", "sha": blob}
    tree = send("POST", "/git/trees", {"tree": [entry], "base_tree": start}).json()["sha"]
    made = send("POST", "/git/commits", {"message": "Lock", "tree": tree, "parents": [start]}).json()
    assert made["verification"]["verified"]
    assert send("POST", "/git/refs", {"ref": "refs/heads/retrain/lock", "sha": made["sha"]}).status_code == 201
    assert send("POST", "/git/refs", {"ref": "refs/heads/retrain/lock", "sha": start}).status_code == 422
    assert fake.git.files("retrain/lock") == {"dvc.lock": b"new", "src/train.py": b"print()"}
    assert send("GET", "/git/ref/heads/retrain/lock").json()["object"]["sha"] == made["sha"]
    content = send("GET", "/contents/dvc.lock?ref=retrain/lock").json()
    assert base64.b64decode(content["content"]) == b"new"
    compared = send("GET", "/compare/main...retrain/lock").json()
    assert (compared["merge_base_commit"]["sha"], compared["ahead_by"], compared["status"]) == (start, 1, "ahead")
    assert send("DELETE", "/git/refs/heads/retrain/lock").status_code == 204
    assert send("GET", "/git/ref/heads/retrain/lock").status_code == 404


def test_a_ref_that_somebody_moved_meanwhile_is_not_moved_again(fake: FakeGitHub, send: Client) -> None:
    start = fake.push("main", {"a": b"1"})
    tree = send("GET", f"/git/trees/{start}").json()["sha"]
    ours = send("POST", "/git/commits", {"message": "Ours", "tree": tree, "parents": [start]}).json()["sha"]
    fake.meanwhile.append(Meanwhile("PATCH", "/git/refs/", lambda: fake.push("main", {"a": b"theirs"})))
    refused = send("PATCH", "/git/refs/heads/main", {"sha": ours, "force": False})
    assert (refused.status_code, refused.json()["message"]) == (422, "Update is not a fast forward")
    assert fake.git.files("main") == {"a": b"theirs"}


COMMIT = """mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid url } ref { name } }
}"""


def commit_on_main(expected: str) -> dict[str, object]:
    added = {"path": "dvc.lock", "contents": base64.b64encode(b"new").decode()}
    where = {"repositoryNameWithOwner": "Codertocat/Hello-World", "branchName": "main"}
    message = {"headline": "Lock", "body": "Why"}
    changes = {"additions": [added], "deletions": [{"path": "old"}]}
    return {"branch": where, "message": message, "expectedHeadOid": expected, "fileChanges": changes}


def test_a_commit_by_graphql_is_signed_and_only_on_the_expected_head(fake: FakeGitHub, send: Client) -> None:
    start = fake.push("main", {"dvc.lock": b"old", "old": b"", "kept": b""})
    done = send.graphql(COMMIT, input=commit_on_main(start))["data"]["createCommitOnBranch"]
    assert done["ref"] == {"name": "main"}
    assert fake.git.files("main") == {"dvc.lock": b"new", "kept": b""}
    assert send("GET", f"/git/commits/{done['commit']['oid']}").json()["verification"]["verified"]
    (error,) = send.graphql(COMMIT, input=commit_on_main(start))["errors"]
    assert (error["type"], error["path"]) == ("STALE_DATA", ["createCommitOnBranch"])
    assert "Expected branch to point to" in error["message"]


def test_a_query_outside_the_schema_fails_the_test(fake: FakeGitHub, send: Client) -> None:
    send.graphql("query { viewer { logn } }")
    assert "Cannot query field 'logn'" in violated(fake)
    send.graphql(COMMIT, input={"branch": {}})
    assert "expectedHeadOid" in violated(fake)
    send.graphql("mutation { createIssue(input: {title: 1}) { clientMutationId } }")
    assert violated(fake)


def test_a_read_only_token_changes_nothing_by_graphql_either(fake: FakeGitHub, send: Client) -> None:
    start = fake.push("main", {"a": b""})
    fake.token(TOKEN, read_only=True)
    (error,) = send.graphql(COMMIT, input=commit_on_main(start))["errors"]
    assert (error["type"], error["message"]) == ("FORBIDDEN", "Resource not accessible by integration")
    assert fake.git.tip("main") == start


def test_a_pull_request_is_opened_labelled_reviewed_and_closed(fake: FakeGitHub, send: Client) -> None:
    start = fake.push("main", {"a": b"1"})
    opening = {"title": "Lock", "head": "retrain/lock", "base": "main", "body": "why", "draft": True}
    assert send("POST", "/pulls", opening).status_code == 422
    fake.push("retrain/lock", {"a": b"2"}, parent=start)
    pull = send("POST", "/pulls", opening).json()
    assert send("POST", "/pulls", opening).status_code == 422
    number = pull["number"]
    send("PUT", f"/issues/{number}/labels", {"labels": ["passed", "retrain"]})
    fake.permissions["octocat"] = "write"
    assert send("POST", f"/pulls/{number}/requested_reviewers", {"reviewers": ["octocat"]}).status_code == 201
    assert send("POST", f"/pulls/{number}/requested_reviewers", {"reviewers": ["mallory"]}).status_code == 422
    (listed,) = send("GET", "/pulls?head=Codertocat:retrain/lock&state=open").json()
    assert [label["name"] for label in listed["labels"]] == ["passed", "retrain"]
    assert listed["head"]["sha"] == fake.git.tip("retrain/lock")
    assert send("DELETE", "/git/refs/heads/retrain/lock").status_code == 204
    assert send("GET", f"/pulls/{number}").json()["state"] == "closed"
    assert send("GET", "/pulls").json() == []


def test_actions_may_be_kept_from_opening_pull_requests(fake: FakeGitHub, send: Client) -> None:
    fake.actions_may_open_pulls = False
    fake.push("topic", {"a": b"2"}, parent=fake.push("main", {"a": b"1"}))
    refused = send("POST", "/pulls", {"title": "x", "head": "topic", "base": "main"})
    assert refused.status_code == 403
    assert "not permitted to create" in refused.json()["message"]


DRAFT = "mutation ($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
READY = "mutation ($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
AUTO = """mutation ($id: ID!, $oid: GitObjectID) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, expectedHeadOid: $oid, mergeMethod: SQUASH}) {
    pullRequest { autoMergeRequest { mergeMethod } }
  }
}"""


def test_drafts_and_auto_merge_are_by_graphql(fake: FakeGitHub, send: Client) -> None:
    pull = fake.open_pull(sha="a" * 40)
    assert send.graphql(DRAFT, id=pull["node_id"])["data"]["convertPullRequestToDraft"]["pullRequest"]["isDraft"]
    assert send.graphql(AUTO, id=pull["node_id"], oid="a" * 40)["errors"][0]["type"] == "UNPROCESSABLE"
    send.graphql(READY, id=pull["node_id"])
    assert not pull["draft"]
    assert send.graphql(AUTO, id=pull["node_id"], oid="b" * 40)["errors"][0]["type"] == "UNPROCESSABLE"
    done = send.graphql(AUTO, id=pull["node_id"], oid="a" * 40)
    assert done["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"] == {"mergeMethod": "SQUASH"}
    assert fake.auto_merges[pull["number"]]["expectedHeadOid"] == "a" * 40


HIDE = """mutation ($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized } }
}"""


def test_comments_are_hidden_by_graphql(fake: FakeGitHub, send: Client) -> None:
    comment = fake.say(7, "old")
    done = send.graphql(HIDE, id=comment["node_id"])
    assert done["data"]["minimizeComment"]["minimizedComment"]["isMinimized"]
    assert fake.minimized == {comment["node_id"]: "OUTDATED"}
    assert send.graphql(HIDE, id="IC_99")["errors"][0]["type"] == "NOT_FOUND"


def test_a_sticky_issue_is_found_by_its_label_and_closed(fake: FakeGitHub, send: Client) -> None:
    fake.open_issue("Something else")
    made = send("POST", "/issues", {"title": "Stale", "body": "why", "labels": ["retrain"]}).json()
    assert [one["title"] for one in send("GET", "/issues?labels=retrain").json()] == ["Stale"]
    send("PATCH", f"/issues/{made['number']}", {"state": "closed", "state_reason": "completed"})
    assert send("GET", "/issues?labels=retrain&state=open").json() == []
    assert send("POST", "/issues", {"title": " "}).status_code == 422


def test_a_comment_takes_a_reaction_once(fake: FakeGitHub, send: Client) -> None:
    comment = fake.say(7, "/retrain")
    path = f"/issues/comments/{comment['id']}/reactions"
    assert [send("POST", path, {"content": "eyes"}).status_code for _ in range(2)] == [201, 200]
    assert fake.reactions == [(comment["id"], "eyes", "github-actions[bot]")]


def test_an_artifact_comes_as_an_archive_from_another_host_that_gets_no_token(fake: FakeGitHub, send: Client) -> None:
    fake.runs.append({"id": 11, "head_branch": "topic", "head_sha": "a" * 40, "event": "pull_request"})
    fake.upload(11, "retrain-report", {"report.json": b"{}"})
    gone = fake.upload(11, "old", b"not even an archive", expired=True)
    (found,) = send("GET", "/actions/runs/11/artifacts?name=retrain-report").json()["artifacts"]
    answer = send("GET", f"/actions/artifacts/{found['id']}/zip")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).read("report.json") == b"{}"
    assert [request.path for request in fake.downloads] == [f"/artifacts/{found['id']}.zip"]
    assert send("GET", f"/actions/artifacts/{gone['id']}/zip").status_code == 410
    assert send("GET", "/actions/runs/11").json()["head_branch"] == "topic"


def test_pushes_are_remembered_also_those_to_a_fork(fake: FakeGitHub, send: Client) -> None:
    first = fake.push("main", {"a": b"1"})
    fake.push("topic", {"a": b"2"}, parent=first)
    fake.git.move("refs/heads/topic", fake.git.record(fake.git.tree([]), [], "anew"))
    rows = send("GET", "/activity?ref=refs/heads/topic").json()
    assert [(row["activity_type"], row["actor"]["login"]) for row in rows] == [("branch_creation", "octocat")]
    fake.push_to_fork("mallory/Hello-World", "topic", "b" * 40)
    assert [row["after"] for row in fake.activity] == ["b" * 40, rows[0]["after"], first]


def test_an_enterprise_server_lies_below_its_prefix() -> None:
    with serving(FakeGitHub(), "/api/v3") as fake, requests.Session() as session:
        fake.token(TOKEN)
        fake.push("main", {"a": b""})
        send = Client(fake, session)
        assert send("GET", "/branches/main").json()["name"] == "main"
        assert fake.received[0].path.startswith("/api/v3/repos/")


def test_what_this_file_uses_is_what_others_get() -> None:
    answer: Answer = DROPPED
    assert answer.status == 0
