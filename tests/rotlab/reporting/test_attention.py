"""Which networks' attention a page shows, and how: the truth is known from the cells."""

import base64
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rotlab.reporting.page.attention import (
    MOST,
    MOST_BYTES,
    Look,
    attention_html,
    few_looks,
    looks_of,
)
from rotlab.tracking.stage_runs import StageRun
from rotnet.pictures.strip import Strip
from tests.rotlab.tracking.strips import make_strip

Frame = Callable[..., pd.DataFrame]


def run_of(key: str, kind: str, data: tuple[str, ...] = ("test:demo:1",)) -> StageRun:
    return StageRun(key, kind, "FINISHED", 1.0, 0, 1, "", data, f"run-{key}", {}, {})


@pytest.fixture
def study(frame: Frame) -> tuple[pd.DataFrame, list[StageRun]]:
    """Two inits by RGB, DIF and their fusion, two seeds; each init rests on pretrainings or not."""
    rows: list[dict[str, Any]] = []
    behind: list[tuple[str, ...]] = []
    stages: dict[str, StageRun] = {}
    for seed in (1, 0):
        for init in ("scratch", "rotation"):
            own = {m: f"e-{init}-{m}-{seed}" for m in ("rgb", "dif")}
            for modality in ("rgb", "dif", "fusion"):
                rows.append({"modality": modality, "init": init, "seed": seed, "accuracy": 0.5})
                scored = tuple(own.values()) if modality == "fusion" else (own[modality],)
                last = (f"f-{init}-{seed}",) if modality == "fusion" else ()
                behind.append((*scored, *last))
                stages |= {key: run_of(key, "evaluate") for key in scored}
                stages |= {key: run_of(key, "fuse", ()) for key in last}
    stages["p"] = run_of("p", "pretrain", ("pretrain:pool",))
    made = frame(rows, ["modality", "init"])
    made["stages"] = pd.Series(behind, dtype=object)
    return made, list(stages.values())


def strips_of(looks: list[Look]) -> dict[str, Strip]:
    return {
        look.key: make_strip(
            20 + 3 * number,
            modality="dif" if "dif" in look.key else "rgb",
            random=150 if "dif" in look.key else 151,
            role="pretrain" if look.key == "p" else "test",
        )
        for number, look in enumerate(looks)
    }


def pictures(html: str) -> list[tuple[str, np.ndarray]]:
    found = re.findall(r'<img src="data:image/webp;base64,([^"]+)" alt="([^"]*)"', html)
    assert html.count("<img") == len(found)
    return [
        (alt, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))) for data, alt in found
    ]


def test_every_arm_is_looked_at_by_its_first_seed_and_a_fusion_by_its_members(
    study: tuple[pd.DataFrame, list[StageRun]],
) -> None:
    looks = looks_of(*study, {"p": "rotation"})
    assert [(look.arm, look.key, look.joined) for look in looks] == [
        ("rgb, scratch", "e-scratch-rgb-0", False),
        ("dif, scratch", "e-scratch-dif-0", False),
        ("rgb, rotation", "e-rotation-rgb-0", False),
        ("dif, rotation", "e-rotation-dif-0", False),
        ("rotation", "p", False),
    ]
    made, stages = study
    only = made[made["modality"] == "fusion"].reset_index(drop=True)
    only.attrs = made.attrs
    assert [(look.arm, look.key, look.joined) for look in looks_of(only, stages, {})][:2] == [
        ("scratch", "e-scratch-rgb-0", True),
        ("scratch", "e-scratch-dif-0", True),
    ]


def test_each_network_has_a_row_of_pictures_with_words_beside_the_clips_and_a_random_one(
    study: tuple[pd.DataFrame, list[StageRun]],
) -> None:
    looks = looks_of(*study, {"p": "rotation"})
    strips = strips_of(looks)
    html = attention_html(looks, strips)
    found = pictures(html)
    told = [alt for alt, _ in found]
    heads = re.findall(r'<th scope="row">([^<]*)</th>', html)
    assert heads == [
        "clip",
        *(look.arm for look in looks[:4]),
        "random weights, rgb",
        "random weights, dif",
        *("clip", "rotation", "random weights, rgb"),
    ]
    assert len(found) == 2 * len(heads)
    assert all(told)
    assert told[:4] == [
        "fall/1.mp4, frame 9 of 16",
        "rise/2.mp4, frame 9 of 16",
        "rgb, scratch in fall/1.mp4: most active at the upper left",
        "rgb, scratch in rise/2.mp4: active everywhere alike",
    ]
    for (_, picture), look in zip(found[2:10:2], looks[:4], strict=True):
        expected = int(strips[look.key].pictures["network"][0, 0, 0, 0])
        assert abs(picture.astype(int) - expected).max() <= 3
    assert "<summary>demo, test videos of split 1: 6 networks</summary>" in html
    assert "<summary>pool, videos held out: 2 networks</summary>" in html
    assert "The lighter, the more active; stage layer2" in html
    assert "fusion, scratch joins rgb, scratch and dif, scratch.</li>" in html
    assert "No maps of" not in html


def test_arms_without_maps_are_named_and_a_study_without_any_says_so(
    study: tuple[pd.DataFrame, list[StageRun]],
) -> None:
    looks = looks_of(*study, {"p": "rotation"})
    strips = strips_of(looks)
    del strips["e-scratch-dif-0"], strips["p"]
    html = attention_html(looks, strips)
    assert "No maps of dif, scratch (evaluate), rotation (pretrain): made before" in html
    assert "dif, scratch in" not in html
    bare = attention_html(looks, {})
    assert "No maps of any network" in bare
    assert "<img" not in bare
    assert attention_html([], {}) == ""


def test_networks_that_saw_other_clips_stand_in_tables_of_their_own(
    study: tuple[pd.DataFrame, list[StageRun]],
) -> None:
    looks = looks_of(*study, {})[:2]
    strips = {looks[0].key: make_strip(), looks[1].key: make_strip(clip=90)}
    assert attention_html(looks, strips).count("<table") == 2
    strips[looks[1].key] = make_strip(70)
    assert attention_html(looks, strips).count("<table") == 1


def test_a_page_shows_no_more_networks_and_takes_no_more_bytes_than_it_may() -> None:
    rng = np.random.default_rng(0)
    many = [Look(f"arm {n}", f"k{n}", False, run_of(f"k{n}", "evaluate")) for n in range(100)]
    assert len(few_looks(many)) <= MOST
    assert few_looks(many)[0] is many[0]
    assert few_looks(many[:3]) == many[:3]
    clip = rng.integers(0, 256, (16, 160, 160, 3), dtype=np.uint8)  # no picture is larger

    def noise(own: int) -> Strip:
        drawn: Mapping[str, Any] = {
            "clip": clip,
            "network": np.random.default_rng(own).integers(0, 256, clip.shape, dtype=np.uint8),
        }
        names = tuple(f"{n}.mp4" for n in range(16))
        words = {"network": ("",) * 16}
        return Strip(names, "test", "rgb", "layer2", 1, 2, drawn, words)  # type: ignore[arg-type]

    shown = few_looks(many)
    html = attention_html(many, {look.key: noise(n) for n, look in enumerate(shown)})
    assert len(html) < MOST_BYTES + 20_000
    assert f"{len(shown)} of 100 networks are looked at" in html
    assert "more rows would make the page too large" in html


def test_names_of_videos_and_arms_are_never_tags() -> None:
    nasty = "<script>\"'&"
    look = Look(nasty, "k", False, run_of("k", "evaluate"))
    html = attention_html([look], {"k": make_strip(videos=(f"{nasty}/1.mp4",))})
    assert "<script" not in html
    assert 'alt="&lt;script&gt;&quot;&#x27;&amp;/1.mp4, frame 9 of 16"' in html
