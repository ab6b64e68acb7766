"""Stage files of DVC 0.x to dvc.yaml and dvc.lock: what is written, what is kept, what is refused."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.pipeline import files, migration, yaml12
from runner.pipeline.checksum import checksum
from runner.pipeline.migration import Migration

OLD = "60b725f10c9c85c70d97880dfe8191b3"


def ran(text: str) -> str:
    """Give a stage file with the md5 that says that it is as it was when it ran."""
    return f"{text}md5: {checksum(yaml12.parse(text, 'x.dvc'))}\n"


def migrated(**others: str) -> Migration:
    """Migrate files named `a__b_dvc` for `a/b.dvc`."""
    texts = {name.replace("__", "/").replace("_", "."): text for name, text in others.items()}
    dvc_files = [name for name in texts if not name.endswith(".lock")]
    return migration.migrate(files.load(dvc_files, texts.get), texts.get)


def stages_of(made: Migration, file: str = "dvc.yaml") -> dict[str, dict[str, object]]:
    return yaml12.parse(made.written[file], file)["stages"]  # type: ignore[no-any-return]


STAGE = ran(f"cmd: train\ndeps:\n- path: data\n  md5: {OLD}\nouts:\n- path: model\n  md5: {OLD}\n  size: 2\n")


def test_a_stage_goes_to_the_dvc_yaml_and_the_lock_of_its_folder() -> None:
    made = migrated(sub__train_dvc=STAGE)
    assert made.written == {
        "sub/dvc.yaml": "stages:\n  train:\n    cmd: train\n    deps:\n    - data\n    outs:\n    - model\n",
        "sub/dvc.lock": (
            "schema: '2.0'\nstages:\n  train:\n    cmd: train\n    deps:\n"
            f"    - path: data\n      md5: {OLD}\n    outs:\n    - path: model\n      md5: {OLD}\n      size: 2\n"
        ),
    }
    assert made.removed == ("sub/train.dvc",)
    assert made.stages == {"sub/train.dvc": "sub/dvc.yaml:train"}
    assert made.stale == ()


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("model_pkl_dvc", "cmd: x\nouts:\n- path: model.pkl\n", "model"),
        ("Dvcfile", "cmd: x\nouts:\n- path: out/auc.metric\n", "auc"),
        ("Dvcfile", "cmd: x\n", "stage"),
        ("sub__Dvcfile", "cmd: x\n", "sub"),
        ("a b@c_dvc", "cmd: x\n", "a-b-c"),
        ("train_dvc", "cmd: x\n", "train-2"),
    ],
)
def test_names_are_valid_and_unique(file: str, text: str, name: str) -> None:
    made = migrated(**{file: text}, dvc_yaml="stages:\n  train:\n    cmd: old\n")
    assert next(iter(made.stages.values())).rpartition(":")[2] == name


def test_flags_and_words_are_kept_and_what_dvc_3_has_no_word_for_goes_below_meta() -> None:
    text = (
        "desc: d\nmeta: {by: me}\nwdir: .\nlocked: true\nalways_changed: true\ncmd: x\nouts:\n"
        "- {path: a, cache: false, persist: true, push: false, remote: r, desc: o, labels: [l], type: t}\n"
        f"- {{path: m, metric: {{type: hcsv, xpath: '0,auc'}}, tags: {{best: {{md5: {OLD}}}}}, meta: {{k: 1}}}}\n"
        "- {path: n, metric: true}\n- {path: p, plot: true}\n"
    )
    assert stages_of(migrated(s_dvc=text))["s"] == {
        "desc": "d",
        "cmd": "x",
        "outs": [
            {
                "a": {
                    "desc": "o",
                    "type": "t",
                    "labels": ["l"],
                    "remote": "r",
                    "cache": False,
                    "push": False,
                    "persist": True,
                }
            }
        ],
        "metrics": [
            {"m": {"meta": {"k": 1, "metric": {"type": "hcsv", "xpath": "0,auc"}, "tags": {"best": {"md5": OLD}}}}},
            "n",
        ],
        "plots": ["p"],
        "frozen": True,
        "always_changed": True,
        "meta": {"by": "me"},
    }


def test_what_the_shell_replaces_is_no_template() -> None:
    made = migrated(s_dvc="cmd:\n- echo ${HOME} \\${A}\n- b\n")
    assert stages_of(made)["s"]["cmd"] == ["echo \\${HOME} \\\\${A}", "b"]


def test_comments_go_above_the_stage_and_what_only_looks_like_one_does_not() -> None:
    text = "# how\ncmd: |\n  echo '#1'\n  # not one\ndeps:\n- path: a#b   # why\n# last\n"
    written = migrated(s_dvc=text).written["dvc.yaml"]
    assert written.startswith("stages:\n  # how\n  # why\n  # last\n  s:\n")
    assert written.count("# ") == 4


def test_a_dvc_yaml_that_is_there_keeps_its_text() -> None:
    text = "# ours\nstages:\n    old:\n        cmd: x   # one\n\nplots:\n- a.csv\n"
    made = migrated(train_dvc=STAGE, dvc_yaml=text, dvc_lock="schema: '2.0'\nstages:\n  old:\n    cmd: x\n")
    assert made.written["dvc.yaml"] == (
        "# ours\nstages:\n    old:\n        cmd: x   # one\n    train:\n      cmd: train\n      deps:\n      - data\n"
        "      outs:\n      - model\n\nplots:\n- a.csv\n"
    )
    assert made.written["dvc.lock"].startswith("schema: '2.0'\nstages:\n  old:\n    cmd: x\n  train:\n")


@pytest.mark.parametrize(
    "text", ["cmd: x\n", STAGE.replace("cmd: train", "cmd: other"), STAGE.replace(f"  md5: {OLD}\n", "", 1)]
)
def test_a_stage_that_would_run_again_is_not_recorded_as_having_run(text: str) -> None:
    made = migrated(s_dvc=text)
    assert made.stale == ("s.dvc",)
    assert made.written.keys() == {"dvc.yaml"}


def test_the_md5_at_the_top_of_data_goes_as_dvc_3_would_find_it_changed() -> None:
    data = f"outs:\n- md5: {OLD}\n  path: data\n"
    assert migrated(data_dvc=f"md5: {OLD}\n{data}").written == {"data.dvc": data}


def test_the_md5_at_the_top_of_an_import_stays() -> None:
    text = f"deps:\n- path: https://h/b\n  checksum: abc\nouts:\n- md5: {OLD}\n  path: b\n"
    assert migrated(b_dvc=f"md5: {checksum(yaml12.parse(text, 'b.dvc'))}\n{text}") == Migration()


def test_keys_of_dvc_0_leave_the_files_of_data_too() -> None:
    text = f"outs:\n- md5: {OLD}\n  path: data\n  cache: true\n  metric: false\n  tags:\n    v1: {{md5: {OLD}}}\n"
    written = migrated(data_dvc=text).written["data.dvc"]
    assert yaml12.parse(written, "data.dvc")["outs"] == [
        {"md5": OLD, "path": "data", "cache": True, "meta": {"tags": {"v1": {"md5": OLD}}}}
    ]


def test_a_project_without_stage_files_is_left_alone() -> None:
    assert migrated(data_dvc="outs:\n- path: data\n", dvc_yaml="stages:\n  s:\n    cmd: x\n") == Migration()


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"s_dvc": "cmd: x\ndeps:\n- path: a\n  repo: {url: u}\n"}, "s.dvc:3:3: a stage of a dvc.yaml cannot read"),
        ({"data_dvc": "outs:\n- path: a\n  metric: true\n"}, "data.dvc:2:3: a is a metric or a plot that no stage"),
        ({"s_dvc": "cmd: x\n", "dvc_yaml": "stages: {a: {cmd: x}}\n"}, "dvc.yaml:1:1: its stages are not written one"),
    ],
)
def test_what_would_be_lost_is_refused_with_its_place(texts: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        migrated(**texts)
    assert [str(problem).startswith(told) for problem in caught.value.problems] == [True], str(caught.value)
