"""From a prepared set to fused scores by commands alone."""

from pathlib import Path

import pytest

from rotnet.cli import main
from rotnet.data.manifest import Manifest
from rotnet.evaluation.scores import Scores

SMALL = ["--recipe", "tiny", "--set", "clip.resize=24", "--set", "clip.size=20"]
TRAIN = [*SMALL, "--set", "model.width=2"]


def test_pretrain_finetune_evaluate_fuse(
    tmp_path: Path, pool: Manifest, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    for modality in ("rgb", "dif"):
        pre, tuned, scored = (str(tmp_path / f"{modality}-{name}") for name in ("pre", "ft", "ev"))
        brief = ["--set", "pretrain.epochs=2", "--modality", modality]
        assert main(["pretrain", str(pool.folder), pre, *TRAIN, *brief]) == 0
        assert "val_accuracy_270" in capsys.readouterr().out
        brief = ["--set", "finetune.epochs=3", "--modality", modality, "--init", pre]
        assert main(["finetune", str(actions.folder), tuned, *TRAIN, *brief]) == 0
        assert main(["evaluate", tuned, str(actions.folder), scored, "--recipe", "tiny"]) == 0
    members = [str(tmp_path / f"{modality}-ev") for modality in ("rgb", "dif")]
    capsys.readouterr()
    assert main(["fuse", str(tmp_path / "fused"), *members]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert len(Scores.load(tmp_path / "fused").videos) == len(actions.select("test", 1))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "pretrain.epochs=0"], "pretrain.epochs: Input should be greater than 0, got 0"),
        (["--set", "pretrain.epoch=3"], "'epoch' of pretrain; did you mean 'epochs'?"),
        (
            ["--recipe", "tiny", "--set", "pretrain.epochs=1"],
            "warmup_epochs must be below epochs, got 1 of 1\n",
        ),
        (["--set", "finetun.epochs=3"], "unknown section 'finetun'; (clip,"),
        (["--set", "epochs"], "write it as SECTION.FIELD=VALUE"),
        (["--set", "views.vertical_flip=0.5"], "error: views.vertical_flip must be 0 when"),
        (
            ["--set", "pretext.rotations=3"],
            "error: pretext.rotations: Input should be 2, 4, 8 or 360 "
            'or a mapping in JSON such as {"angles": [0, 120, 240]}, got 3\n',
        ),
        (
            ["--set", 'pretext.rotations={"angles": [0, 360]}'],
            "error: pretext.rotations.angles.1: Input should be less than 360, got 360\n",
        ),
        (
            ["--set", "pretext.rotations=8", "--set", "pretext.path=exact"],
            "turns by multiples of 90 degrees, and the set has 45; use path resampled",
        ),
        (["--recipe", "tiny", "--set", "pretrain.lr=1e30"], "the loss is no number since step"),
        (["--recipe", "tinny"], "did you mean 'tiny'"),
    ],
)
def test_a_bad_setting_is_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    pool: Manifest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["pretrain", str(pool.folder), str(tmp_path / "out"), *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_place_that_is_a_file_is_one_line(
    tmp_path: Path, pool: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "file"
    place.touch()
    assert main(["pretrain", str(pool.folder), str(place)]) == 2
    assert capsys.readouterr().err == f"error: {place}: File exists\n"
