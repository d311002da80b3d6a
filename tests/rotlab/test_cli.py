"""The rotlab command: its answers, its refusals and what it does not import."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from rotlab.cli import COMMANDS, main
from rotlab.execution.conduct.peaks import Peaks
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.plan.share import Peak
from rotlab.planning.release.smoke import smoke_of
from rotlab.store.record import Record
from rotlab.store.store import Store

SPACES = Path(__file__).parents[2] / "search_spaces"
TRIAL = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands start where there are neither data nor results."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROTLAB_DATA", raising=False)
    monkeypatch.delenv("ROTLAB_STORE", raising=False)


def test_check_says_what_a_file_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SPACES / "paper.yaml")]) == 0
    assert capsys.readouterr().out == "ok: 24 arms, 432 cells, 756 stages, 0 warnings\n"


def test_plan_as_json_counts_stages_with_and_without_sharing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", str(SPACES / "paper.yaml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["arms"], found["cells"], found["stages_total"]) == (24, 432, 756)
    assert (found["stages"]["pretrain"], found["stages"]["finetune"]) == (36, 288)
    assert (found["stages_unshared"]["pretrain"], found["stages_unshared"]["finetune"]) == (
        432,
        576,
    )
    assert len(found["excluded"]) == 6
    assert list(found["absent"]) == ["hmdb51", "kinetics400", "ucf101"]
    assert not found["unsupported"]
    assert set(found["stages_done"].values()) == {0}


def test_plan_tells_people_what_runs_what_does_not_and_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", str(SPACES / "paper.yaml")]) == 0
    shown = capsys.readouterr().out
    for expected in (
        "24 arms, 432 cells on ucf101, hmdb51",
        "pretext.rotations where init is scratch: 24 combinations are 6 arms",
        "excluded: 6 arms: too dear for what it tells",
        "absent: ucf101; prepare it with: rotnet prepare ucf101",
        "400 GPU-hours; `run` stops there, and goes on once it is raised; what is missing is",
    ):
        assert expected in shown
    (pretrain,) = [line.split() for line in shown.splitlines() if line.startswith("pretrain ")]
    assert pretrain == ["pretrain", "36", "432", "12.0x", "0"]


def commit_pretraining(file: Path, seconds: float) -> None:
    """Leave a record of a file's one pretraining in ./store."""
    plan = plan_file(file, None).plan
    store = Store.open("store")
    (pretrain,) = [stage for stage in plan.stages.values() if stage.kind == "pretrain"]
    attempt = store.new_attempt(pretrain)
    now = "2026-01-01T00:00:00+00:00"
    record = Record(
        key=pretrain.key,
        kind=pretrain.kind,
        attempt=attempt.name,
        metrics={},
        files={},
        seconds=seconds,
        config=pretrain.config.model_dump(mode="json"),
        inputs={},
        data=tuple(asdict(ref) for ref in pretrain.data),
        versions={},
        host="here",
        device="cpu",
        commit=None,
        started=now,
        ended=now,
    )
    store.commit(pretrain, attempt, record)


def test_plan_counts_what_the_store_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(TRIAL)
    commit_pretraining(tmp_path / "a.yaml", seconds=1.0)
    assert main(["plan", "a.yaml", "--json", "--store", "store"]) == 0
    done = json.loads(capsys.readouterr().out)["stages_done"]
    assert done == {"pretrain": 1, "finetune": 0, "evaluate": 0}


def test_plan_says_which_shares_of_a_device_were_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TRIAL + "resources: {pretrain: {gpus: auto}}\n"
    (tmp_path / "a.yaml").write_text(text)
    words = ["plan", "a.yaml", "--store", "store", "--device", "A100"]
    assert main(words) == 0
    before = capsys.readouterr().out
    assert "gpus: auto of pretrain: a whole device for 1 not yet measured" in before
    kinds, plan = load_kinds(), plan_file(tmp_path / "a.yaml", None).plan
    (sort,) = (
        one
        for one in smoke_of(plan, kinds, plan.stages).plan.stages.values()
        if one.kind == "pretrain"
    )
    peaks = Peaks(Store.open("store").peaks_folder(), kinds)
    peaks.add(peaks.mark(sort.kind, sort.key, sort.config), "A100", Peak("A100", 40, 8))
    assert main(words) == 0
    after = capsys.readouterr().out
    assert "gpus: auto of pretrain: 1/4 of A100 measured for 1" in after


def test_a_warning_does_not_stop_a_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    axes = "axes: {clip.frames: [4, 8]}\nexclude: [{when: {clip.frames: 5}, because: no}]\n"
    (tmp_path / "a.yaml").write_text(TRIAL + axes)
    assert main(["check", "a.yaml"]) == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("1 warning\n")
    assert shown.err == "warning: a.yaml: line 5 exclude: matches no arm\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["pla"], "unknown command 'pla'; did you mean 'plan'?"),
        (["plan"], "the following arguments are required: FILE"),
        (["plan", "a.yaml", "--jsn"], "unrecognized arguments: --jsn"),
        (["check", "none.yaml"], "none.yaml: no such file"),
        (["check", "."], "is a folder"),
        (
            ["check", "a.yaml"],
            "a.yaml: line 4 finetun: unknown key 'finetun'; did you mean 'finetune'?",
        ),
        (["plan", str(SPACES / "demo.yaml"), "--store", "a.yaml"], "a.yaml is a file"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2(
    arguments: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(TRIAL + "finetun: {epochs: 3}\n")
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert expected in shown.err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none.yaml", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_no_command_is_help_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)
    assert main(["--help"]) == 0


@pytest.mark.parametrize(
    "arguments", [["--help"], ["schema"], ["plan", str(SPACES / "paper.yaml")]]
)
def test_planning_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom rotlab.cli import main\n"
        f"main({arguments!r})\n"
        "heavy = {'torch', 'ray', 'mlflow', 'optuna', 'pandas', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603  # our own code in a fresh interpreter
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_reads_the_output_may_stop_reading() -> None:
    command = f"{sys.executable} -m rotlab.cli plan {SPACES / 'paper.yaml'} --json | head -n 1"
    done = subprocess.run(  # noqa: S602  # a pipe is what is tested
        f"set -o pipefail; {command}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


def test_plan_tells_hours_money_and_a_simulated_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prices.yaml").write_text("currency: EUR\ndevices: {A100: {gpu_hour: 1.5}}\n")
    words = ["plan", str(SPACES / "paper.yaml"), "--prices", "prices.yaml"]
    words += ["--simulate", "gpus=32 spot_mtbf=6h"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    for expected in ("GPU-hours", "EUR", "12.0x", "dearest values", "simulated on 32 GPUs"):
        assert expected in shown
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    total = found["costs"]["total"]
    assert total["planned"]["money"] == pytest.approx(1.5 * total["planned"]["gpu_hours"], rel=0.01)
    assert found["simulated"]["makespan_s"] >= found["simulated"]["lower_bound_s"]


def test_plan_reckons_by_like_stages_of_other_studies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(TRIAL + "pretrain: {epochs: 3}\n")
    (tmp_path / "b.yaml").write_text(TRIAL + "pretrain: {epochs: 9, lr: 0.3}\n")
    commit_pretraining(tmp_path / "a.yaml", seconds=3600.0)
    assert main(["plan", "b.yaml", "--json", "--store", "store"]) == 0
    found = json.loads(capsys.readouterr().out)["costs"]["kinds"]
    assert found["pretrain"]["planned"]["cpu_hours"] == pytest.approx(3)
    assert found["pretrain"]["sources"] == {"1 like stage that ran": 1}
    assert list(found["finetune"]["sources"]) == ["FLOPs over 40 GFLOP/s of cpu in fp32"]


def test_a_cluster_that_is_not_understood_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(SPACES / "paper.yaml"), "--simulate", "gpu=4"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --simulate 'gpu=4': unknown option 'gpu'; did you mean 'gpus'?")
    assert said.count("\n") == 1


def test_stages_are_tried_first_or_only_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "x.yaml", "--smoke", "--smoke-only"]) == 2
    assert "not allowed with argument --smoke" in capsys.readouterr().err


def test_what_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device", "store/1.json")

    monkeypatch.setattr("rotlab.commands.check.run", refuse)
    assert main(["check", "trial.yaml"]) == 2
    assert capsys.readouterr().err == "error: store/1.json: No space left on device\n"


def test_a_store_of_a_newer_version_is_refused_and_nothing_in_it_is_to_be_removed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "trial.yaml").write_text(TRIAL)
    record = tmp_path / "store" / "pretrain" / "abc" / "record.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"format": 2, "kind": "pretrain", "key": "abc"}))
    assert main(["plan", "trial.yaml", "--store", "store"]) == 2
    assert capsys.readouterr().err == (
        "error: the record of pretrain abc was written by a newer version of rotlab (format 2, "
        "known here is 1): update rotlab, or give --store another place\n"
    )


def test_an_error_of_ours_has_a_status_of_its_own_and_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr("rotlab.commands.check.run", stumble)
    assert main(["check", "trial.yaml"]) == 70
    assert "KeyError: 'odd'" in capsys.readouterr().err
