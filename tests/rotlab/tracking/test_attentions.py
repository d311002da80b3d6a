"""Attention maps are read from MLflow as stages left them; what is none is passed over."""

from pathlib import Path

import numpy as np

from rotlab.tracking.attentions import read_attention
from rotlab.tracking.client import open_client
from rotnet.pictures.strip import FILE
from tests.rotlab.tracking.strips import make_strip


def test_runs_that_have_none_are_passed_over(uri: str, tmp_path: Path) -> None:
    client = open_client(uri)
    experiment = client.create_experiment("x", str(tmp_path / "artifacts"))
    runs = [client.create_run(experiment).info.run_id for _ in range(3)]
    strip = make_strip()
    strip.save(tmp_path / FILE)
    client.log_artifact(runs[0], str(tmp_path / FILE))
    client.log_text(runs[1], "no picture", FILE)
    found = read_attention(uri, runs)
    assert list(found) == [runs[0]]
    assert found[runs[0]].videos == strip.videos
    for row, pictures in strip.pictures.items():
        np.testing.assert_array_equal(found[runs[0]].pictures[row], pictures)
