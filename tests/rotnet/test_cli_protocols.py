"""Measuring networks by commands alone."""

from pathlib import Path

import pytest

from rotnet.cli import main
from rotnet.data.manifest import Manifest
from rotnet.evaluation.scores import Scores

SMALL = [
    *("--recipe", "tiny", "--set", "clip.resize=24", "--set", "clip.size=20"),
    *("--set", "model.width=2"),
]


def test_a_random_network_is_probed_and_both_modalities_are_fused(
    tmp_path: Path, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [str(tmp_path / modality) for modality in ("rgb", "dif")]
    for member, modality in zip(members, ("rgb", "dif"), strict=True):
        brief = ["--set", "linear.clips=2", "--set", "linear.l2=[0.1]"]
        words = [str(actions.folder), member, "--split", "2", "--modality", modality]
        assert main(["linear", *words, *SMALL, *brief]) == 0
        said = capsys.readouterr().out
        assert said.count("chosen on val\n") == 1
        assert "layer1_pool2" in said
        assert "val_accuracy" in said
        assert "accuracy_layer1" not in said  # it stands in the table already
    fused = str(tmp_path / "fused")
    for rule in ("mean_logits", "fitted", "mean_softmax"):
        assert main(["fuse", fused, *members, "--rule", rule]) == 0
    assert len(Scores.load(tmp_path / "fused").videos) == len(actions.select("test", 2))


def test_a_random_network_is_searched_beside_its_chance(
    tmp_path: Path, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    brief = ["--set", "retrieval.clips=2"]
    assert main(["retrieve", str(actions.folder), str(tmp_path / "out"), *SMALL, *brief]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["here", "%", "by", "chance", "%"]
    assert [line.split()[0] for line in lines[1:-2]] == ["R@1", "R@5", "R@10", "R@20", "mAP"]
    assert len(lines[1].split()) == 3
    assert (tmp_path / "out" / "neighbours.csv").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["linear", "DATA", "OUT", "--init", "OUT"], "network.pt: no such checkpoint"),
        (["linear", "DATA", "OUT", "--set", "linear.l2=[0]"], "greater than 0"),
        (
            ["linear", "DATA", "OUT", "--set", "linear.val_fraction=0.0"],
            "linear.val_fraction: Input should be greater than 0, got 0.0",
        ),
        (["retrieve", "DATA", "OUT", "--split", "9"], "split 9"),
        (["retrieve", "DATA", "OUT", "--set", "linear.clips=3"], "unknown section 'linear'"),
        (["fuse", "OUT", "DATA", "DATA", "--rule", "fited"], "did you mean 'fitted'"),
        (
            ["fuse", "OUT", "a", "b", "--rule", "fitted", "--held-out", "c"],
            "--held-out takes a network for each of the 2 SCORES, got 1",
        ),
        (
            ["fuse", "OUT", "a", "b", "--held-out", "c", "d"],
            "--held-out is for --rule fitted, not mean_softmax",
        ),
        (["fuse", "OUT", "DATA", "DATA"], "a folder of scores is given twice: "),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    actions: Manifest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"DATA": str(actions.folder), "OUT": str(tmp_path / "out")}
    assert main([places.get(word, word) for word in words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
