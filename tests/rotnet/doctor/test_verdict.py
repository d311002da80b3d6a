"""From readings to a verdict: each rule by a case that turns it."""

import json
from dataclasses import replace

import pytest

from rotnet.doctor.border import Stillness
from rotnet.doctor.content import Content
from rotnet.doctor.interval import Estimate
from rotnet.doctor.probe import Reading
from rotnet.doctor.report import report
from rotnet.doctor.verdict import Examination, Planted, Probed


def reading(share: float, error: float = 0.006) -> Reading:
    return Reading("linear", "rotation", 0.25, Estimate(share, error, 5000, 5000))


def content(lead: float = 0.0, still: int = 0) -> Content:
    estimate = Estimate(lead, 0.01, 5000, 100)
    parts = {"whole": Estimate(0.8, 0.01, 5000, 100)}
    return Content("rotation", 0.25, parts, estimate, Stillness(100, still))


CLEAN = Examination(
    rotations=4,
    path="exact",
    modality="rgb",
    probed=(
        Probed("noise", "all", (reading(0.251),), required=True),
        Probed("files", "colour", (reading(0.5),), required=False),
    ),
    planted=(
        Planted("a bar", (reading(0.26), reading(1.0)), ""),
        Planted("combing", (), "half turns"),
    ),
    content=content(),
    full=True,
    seconds=1.0,
)


def test_at_chance_and_with_all_plants_found_a_set_is_clean() -> None:
    assert CLEAN.verdict == "clean"


@pytest.mark.parametrize(
    ("share", "error", "verdict"),
    [
        (0.269, 0.006, "clean"),  # 0.269 + 1.645 * 0.006 = 0.2789
        (0.271, 0.006, "leak"),  # 0.2809: above 0.28, and 3.5 standard errors above chance
        (0.300, 0.020, "probe too weak"),  # 0.3329, but that is 2.5 standard errors
        (0.255, 0.020, "probe too weak"),  # 0.2879, but it may be chance
    ],
)
def test_the_upper_bound_must_lie_below_chance_and_3_points(
    share: float, error: float, verdict: str
) -> None:
    probed = (Probed("noise", "all", (reading(share, error),), required=True),)
    assert replace(CLEAN, probed=probed).verdict == verdict


def test_a_planted_leak_that_neither_probe_finds_leaves_it_open() -> None:
    missed = (Planted("a bar", (reading(0.285), reading(0.25)), ""),)
    found = replace(CLEAN, planted=missed)
    assert found.verdict == "probe too weak"
    assert found.missed == ["a bar"]


def test_a_leak_is_one_however_weak_the_probe() -> None:
    leaky = (Probed("noise", "all", (reading(0.4),), required=True),)
    missed = (Planted("a bar", (reading(0.25),), ""),)
    assert replace(CLEAN, probed=leaky, planted=missed).verdict == "leak"


@pytest.mark.parametrize(
    ("lead", "still", "verdict"),
    [(0.05, 9, "clean"), (0.13, 0, "leak"), (0.11, 0, "clean"), (0.0, 10, "leak")],
)
def test_a_border_is_a_fault_where_it_stands_still_or_clearly_beats_the_next_ring(
    lead: float, still: int, verdict: str
) -> None:
    assert replace(CLEAN, content=content(lead, still)).verdict == verdict


def test_what_two_looks_show_together_is_judged_and_said() -> None:
    first, second = (Probed("noise", "all", (reading(s),), required=True) for s in (0.275, 0.252))
    other = Probed("files", "luma", (reading(0.9),), required=True)
    both = first.with_more([other, second])
    assert (first.told, both.told) == (True, False)
    found = replace(CLEAN, probed=(both, second.with_more([other])))
    assert found.verdict == "clean"
    assert "of 2 looks together" in "\n".join(report(found))
    assert [one["times"] for one in found.as_dict()["probed"]] == [2, 1]


def test_without_videos_the_path_alone_decides() -> None:
    found = replace(CLEAN, content=None)
    assert found.verdict == "clean"
    assert "no videos given" in "\n".join(report(found))


def test_a_report_names_what_told_and_what_was_missed_and_a_quick_one_says_so() -> None:
    leaky = (Probed("noise", "all", (reading(0.4),), required=True),)
    missed = (Planted("a bar", (reading(0.25),), ""),)
    text = "\n".join(report(replace(CLEAN, probed=leaky, planted=missed, full=False)))
    assert "rotations 4, path exact, rgb: leak" in text
    assert "leak: noise (all): linear tells rotation at 40.0 %, chance 25.0 %" in text
    assert "no probe found the planted leak 'a bar'" in text
    assert "a quick look, not the full check" in text


def test_figures_are_plain_values() -> None:
    found = json.loads(json.dumps(CLEAN.as_dict()))
    assert found["verdict"] == "clean"
    assert found["probed"][0]["readings"][0]["upper"] == pytest.approx(0.251 + 1.6449 * 0.006)
    assert found["content"]["still_border"] == {"videos": 100, "still": 0}
