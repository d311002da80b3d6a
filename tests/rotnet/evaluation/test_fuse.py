"""Fusion: several networks' scores become one."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from rotnet.config import FuseConfig, FusionConfig
from rotnet.errors import DataError
from rotnet.evaluation.fuse import fuse, mean_logits, mean_softmax
from rotnet.evaluation.scores import VAL_SCORES, Scores

Rule = Literal["mean_softmax", "mean_logits", "fitted"]


def config(rule: Rule) -> FusionConfig:
    return FusionConfig(fuse=FuseConfig(rule=rule))


def scores(
    probabilities: list[list[float]], labels: list[int], names: str = "abcdefghijkl"
) -> Scores:
    classes = tuple("xyzuvwst"[: len(probabilities[0])])
    return Scores(tuple(names[: len(labels)]), classes, np.array(labels), np.array(probabilities))


def write(folder: Path, members: dict[str, Scores], name: str = "scores.npz") -> dict[str, Path]:
    for member, given in members.items():
        (folder / member).mkdir(exist_ok=True)
        given.save(folder / member, name)
    return {member: folder / member for member in members}


def test_fusion_is_the_mean_of_the_probabilities(tmp_path: Path) -> None:
    members = {"rgb": scores([[0.9, 0.1]], [1]), "dif": scores([[0.0, 1.0]], [1])}
    np.testing.assert_allclose(mean_softmax(members).probabilities, [[0.45, 0.55]])
    found = fuse(FusionConfig(), write(tmp_path, members), tmp_path)
    assert found["accuracy"] == 1.0
    assert Scores.load(tmp_path).probabilities.shape == (1, 2)


def test_logits_are_averaged_before_the_softmax(tmp_path: Path) -> None:
    logits = [np.array([[2.0, 0.0], [1000.0, 0.0]]), np.array([[0.0, 6.0], [0.0, 990.0]])]
    plain = scores([[0.5, 0.5], [0.5, 0.5]], [1, 0])
    members = {name: replace(plain, logits=one) for name, one in zip("ab", logits, strict=True)}
    fused = mean_logits(members)
    shares = 1 / (1 + np.exp(np.array([2.0, -5.0])))
    np.testing.assert_allclose(fused.probabilities, np.stack([shares, 1 - shares], axis=1))
    assert fuse(config("mean_logits"), write(tmp_path, members), tmp_path)["accuracy"] == 1.0
    with pytest.raises(DataError, match=r"b has no logits.*or use rule mean_softmax"):
        mean_logits({**members, "b": plain})


def test_weights_are_fitted_on_validation_scores_and_never_on_those_of_the_test(
    tmp_path: Path,
) -> None:
    good, bad = [[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]
    test = {"good": scores([[0.2, 0.8]], [0], "t"), "bad": scores([[0.9, 0.1]], [0], "t")}
    members = write(tmp_path, test)
    write(tmp_path, {"good": scores(good, [0, 1]), "bad": scores(bad, [0, 1])}, VAL_SCORES)
    found = fuse(config("fitted"), members, tmp_path)
    np.testing.assert_allclose(Scores.load(tmp_path).probabilities, [[0.2, 0.8]], atol=1e-3)
    assert found["accuracy"] == 0.0  # the test labels, on which `bad` does better, played no part
    first, second = (tmp_path / "weights.csv").read_text().splitlines()[1:]
    assert first.startswith("good,0.99")
    assert second.startswith("bad,")
    fuse(FusionConfig(), members, tmp_path)
    assert not (tmp_path / "weights.csv").exists()


def test_networks_that_held_videos_out_may_stand_for_members_that_did_not(tmp_path: Path) -> None:
    test = {name: scores([[0.2, 0.8]], [0], "t") for name in ("good", "bad")}
    members = write(tmp_path, test)
    good, bad = [[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]
    like = write(tmp_path, {"good_": scores(good, [0, 1]), "bad_": scores(bad, [0, 1])}, VAL_SCORES)
    fuse(config("fitted"), members, tmp_path, {name: like[f"{name}_"] for name in members})
    assert (tmp_path / "weights.csv").read_text().splitlines()[1].startswith("good,0.99")
    with pytest.raises(DataError, match=r"none in bad: .*--held-out"):
        fuse(config("fitted"), members, tmp_path, {"good": like["good_"]})


def test_members_that_held_out_other_videos_are_weighed_on_those_in_common(tmp_path: Path) -> None:
    test = {name: scores([[0.5, 0.5]], [0], "t") for name in ("one", "two")}
    members = write(tmp_path, test)
    first = scores([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]], [0, 0, 0], "abc")
    second = scores([[0.5, 0.5], [0.9, 0.1]], [0, 0], "da")
    write(tmp_path, {"one": first, "two": second}, VAL_SCORES)
    fuse(config("fitted"), members, tmp_path)  # on a alone they are equal; on b and c not
    assert (tmp_path / "weights.csv").read_text() == "member,weight\none,0.5\ntwo,0.5\n"
    write(tmp_path, {"two": scores([[0.9, 0.1]], [0], "z")}, VAL_SCORES)
    with pytest.raises(DataError, match="one and two held out no video in common"):
        fuse(config("fitted"), members, tmp_path)


def test_fitting_without_sound_validation_scores_is_refused(tmp_path: Path) -> None:
    test = {name: scores([[0.5, 0.5]], [0], "t") for name in ("rgb", "dif")}
    members = write(tmp_path, test)
    with pytest.raises(DataError, match=r"needs val_scores.npz .*; none in rgb, dif:"):
        fuse(config("fitted"), members, tmp_path)
    write(tmp_path, test, VAL_SCORES)
    with pytest.raises(DataError, match="rgb has validation scores of test videos"):
        fuse(config("fitted"), members, tmp_path)
    others = {name: scores([[0.5, 0.5, 0.0]], [0]) for name in test}
    write(tmp_path, others, VAL_SCORES)
    with pytest.raises(DataError, match="rgb has validation scores of other classes"):
        fuse(config("fitted"), members, tmp_path)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_any_number_of_members_can_be_fused(tmp_path: Path, count: int) -> None:
    rng = np.random.default_rng(0)

    def drawn(names: str) -> Scores:
        logits = rng.standard_normal((len(names), 3))
        powers = np.exp(logits)
        given = scores((powers / powers.sum(1, keepdims=True)).tolist(), [0, 1, 2], names)
        return replace(given, logits=logits)

    members = write(tmp_path, {f"m{index}": drawn("abc") for index in range(count)})
    write(tmp_path, {f"m{index}": drawn("xyz") for index in range(count)}, VAL_SCORES)
    rules: tuple[Rule, ...] = ("mean_softmax", "mean_logits", "fitted")
    for rule in rules:
        assert fuse(config(rule), members, tmp_path)["videos"] == 3


def test_a_fusion_of_different_videos_or_of_one_network_is_refused() -> None:
    one = scores([[0.9, 0.1]], [1])
    other = scores([[0.9, 0.1]], [1], "b")
    with pytest.raises(DataError, match="rgb and dif did not score the same videos"):
        mean_softmax({"rgb": one, "dif": other})
    with pytest.raises(DataError, match="at least 2 members, got 1"):
        mean_softmax({"rgb": one})


def test_a_fusion_neither_replaces_a_member_nor_mixes_labels(tmp_path: Path) -> None:
    rgb, dif = scores([[0.9, 0.1]], [1]), scores([[0.9, 0.1]], [0])
    with pytest.raises(DataError, match="rgb and dif give the same videos other labels"):
        mean_softmax({"rgb": rgb, "dif": dif})
    for name in ("rgb", "dif"):
        (tmp_path / name).mkdir()
        rgb.save(tmp_path / name)
    members = {name: tmp_path / name for name in ("rgb", "dif")}
    with pytest.raises(DataError, match="choose another folder"):
        fuse(FusionConfig(), members, tmp_path / "dif")
