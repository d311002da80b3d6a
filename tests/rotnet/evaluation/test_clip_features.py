"""Features by clip and by video, and the Parquet file they go to."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from rotnet.cli import main
from rotnet.config import ClipConfig, ModelConfig, PretrainConfig, RuntimeConfig
from rotnet.data.manifest import Manifest
from rotnet.errors import CheckpointError
from rotnet.evaluation import feature_table
from rotnet.evaluation.clip_features import clip_features, per_video
from rotnet.evaluation.opened import open_network
from rotnet.learning.checkpoint import Network, save_network
from rotnet.models.net import build

MODEL = ModelConfig(width=2, hidden=4)
CONFIG = PretrainConfig(clip=ClipConfig(frames=4, stride=2, resize=24, size=20), model=MODEL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network with random weights, as a pretraining leaves it."""
    return saved(tmp_path / "net")


def saved(folder: Path, factor: float = 1.0) -> Path:
    folder.mkdir()
    weights = build(MODEL, 4, seed=1).state_dict()
    weights["layer4.1.bn2.bias"] = weights["layer4.1.bn2.bias"] + factor
    plain = CONFIG.model_dump(mode="json")
    save_network(Network("pretrain", plain, ("0", "90", "180", "270"), "", None, weights), folder)
    return folder


def test_what_comes_back_from_the_file_is_what_the_network_says(
    tmp_path: Path, folder: Path, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "features.parquet"
    stages = ["layer4", "stem"]
    words = ["features", str(folder), str(actions.folder), str(out), "--stage", *stages]
    assert main([*words, "--per", "clip", "--clips", "3", "--role", "test", "--split", "2"]) == 0
    assert "clips of" in capsys.readouterr().out
    network, videos = open_network(folder), actions.select("test", 2)
    expected = list(clip_features(network, videos, stages, clips=3, runtime=RuntimeConfig()))
    table = pq.read_table(out)
    assert table.column_names == ["video", "label", "group", "start", "clips", *stages]
    assert len(table) == len(expected) == 3 * len(videos)
    assert table["video"].to_pylist() == [row.video.path for row in expected]
    assert table["label"].to_pylist() == [row.video.label for row in expected]
    assert table["start"].to_pylist() == [row.start for row in expected]
    for stage, size in (("layer4", 16), ("stem", 2)):
        assert table.schema.field(stage).type.list_size == size
        flat = table[stage].combine_chunks().flatten().to_numpy()
        wanted = np.stack([row.vectors[stage] for row in expected])
        np.testing.assert_array_equal(flat.reshape(-1, size), wanted)
    note = json.loads(table.schema.metadata[feature_table.NOTE])
    assert (note["network"], note["role"], note["split"], note["clips"]) == ("net", "test", 2, 3)
    assert note["data"] == actions.fingerprint


def test_starts_are_where_the_clips_lie(folder: Path, actions: Manifest) -> None:
    network, videos = open_network(folder), actions.select("train", 1)
    rows = list(clip_features(network, videos, ["layer2"], clips=2, runtime=RuntimeConfig()))
    for first, last in zip(rows[::2], rows[1::2], strict=True):
        assert (first.video, first.start) == (last.video, 0)
        assert last.start == last.video.frames - CONFIG.clip.window


def test_a_video_is_the_mean_of_its_clips_and_of_no_other(folder: Path, actions: Manifest) -> None:
    network, videos = open_network(folder), actions.select("train", 1)
    # Batches of 4 clips end within videos of 3.
    runtime = RuntimeConfig(eval_batch=4, workers=0)
    clips = list(clip_features(network, videos, ["layer3"], clips=3, runtime=runtime))
    means = list(per_video(clips))
    assert [row.video for row in means] == list(videos.videos)
    assert {(row.start, row.clips) for row in means} == {(None, 3)}
    vectors = np.stack([row.vectors["layer3"] for row in clips])
    expected = vectors.reshape(len(videos), 3, -1).astype(np.float64).mean(axis=1)
    np.testing.assert_allclose([row.vectors["layer3"] for row in means], expected, rtol=1e-6)


def test_the_last_stage_holds_what_the_head_is_given(folder: Path, actions: Manifest) -> None:
    network, videos = open_network(folder), actions.select("train", 1)
    runtime = RuntimeConfig()
    last = network.model.stages[-1]
    row = next(clip_features(network, videos, [last], clips=1, runtime=runtime))
    batch = next(network.loader(videos, runtime).scoring(clips=1, batch_size=1))
    with torch.inference_mode():
        expected = network.model.features(network.see(batch))[0]
    torch.testing.assert_close(torch.from_numpy(row.vectors[last]), expected)


def test_rows_are_written_in_groups(
    tmp_path: Path, folder: Path, pool: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_table, "ROWS_IN_GROUP", 7)
    out = tmp_path / "features.parquet"
    assert main(["features", str(folder), str(pool.folder), str(out), "--clips", "1"]) == 0
    file = pq.ParquetFile(out)
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes == [7, 7, 6]
    table = file.read()
    assert set(table["label"].to_pylist()) == {None}
    assert set(table["start"].to_pylist()) == {None}


def test_features_that_fail_half_way_leave_no_file(tmp_path: Path, actions: Manifest) -> None:
    broken = saved(tmp_path / "broken", factor=float("nan"))
    out = tmp_path / "features.parquet"
    assert main(["features", str(broken), str(actions.folder), str(out)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]
    rows = clip_features(
        open_network(broken),
        actions.select("pretrain"),
        ["layer4"],
        clips=1,
        runtime=RuntimeConfig(),
    )
    with pytest.raises(CheckpointError, match=r"broken: gives features \(layer4\) that are not"):
        list(rows)
    with pytest.raises(ValueError, match="no features to write"):
        feature_table.write_features(out, iter([]), {})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--stage", "layer5"], "has no stage 'layer5'; did you mean 'layer4'? (stem, "),
        (["--clips", "0"], "--clips must be at least 1, got 0"),
        (["--role", "test", "--split", "9"], "no split 9; its splits are 1, 2, 3"),
    ],
)
def test_a_bad_request_is_one_line(
    words: list[str],
    message: str,
    folder: Path,
    actions: Manifest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "features.parquet"
    assert main(["features", str(folder), str(actions.folder), str(out), *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not out.exists()


def test_a_file_of_another_name_is_refused(
    folder: Path, actions: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "features.csv"
    assert main(["features", str(folder), str(actions.folder), str(out)]) == 2
    assert capsys.readouterr().err == f"error: {out}: a file of features must be named *.parquet\n"
    assert not out.exists()


def test_without_pyarrow_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("rotnet.commands.features", "rotnet.evaluation.feature_table"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["features", "a", "b", "c"]) == 2
    assert capsys.readouterr().err == (
        "error: rotnet features writes Parquet with pyarrow: pip install pyarrow\n"
    )
