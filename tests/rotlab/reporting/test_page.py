"""The page's structure, without a browser."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from rotlab.execution.search.importance import Importance
from rotlab.planning.plan.decisions import Decisions, Proposal, Tuning, Winner
from rotlab.planning.plan.pedigree import pedigrees
from rotlab.planning.space.population import Population
from rotlab.reporting.comparison import compare
from rotlab.reporting.page.confusions import MOST, Sum, confusions_html, wanted
from rotlab.reporting.page.facts import Source, without_password
from rotlab.reporting.page.page import Study, page
from rotlab.reporting.page.rotations import rotations_html
from rotlab.tracking.confusions import Confusion
from tests.rotlab.reporting.pages import NASTY, Frame, looked_at, make_study, page_stage

_VOID = {"meta", "input", "br", "img"}


class _Page(HTMLParser):
    """Holds that tags are closed in their order; collects identities, links, scripts and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.heads: list[str] = []
        self.data: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if held.get("id"):
            self.ids.append(str(held["id"]))
        if tag == "a":
            self.links.append(str(held["href"]))
        self.addresses += [str(held[name]) for name in ("src", "action", "data") if held.get(name)]
        if tag == "link":
            self.addresses.append(str(held.get("href")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.data.append(data)
        else:
            self.words += data
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.heads.append(data)


@pytest.fixture
def study(frame: Frame) -> Study:
    return make_study(frame)


def test_the_page_is_well_formed_and_every_identity_stands_once(study: Study) -> None:
    parser = _Page()
    parser.feed(page(study))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert {link.removeprefix("#") for link in parser.links} <= set(parser.ids)


def test_the_page_fetches_nothing(study: Study) -> None:
    text = page(study)
    parser = _Page()
    parser.feed(text)
    assert parser.addresses == []
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert "secret" not in text


def test_the_page_holds_question_answer_tables_failures_and_where_they_come_from(
    study: Study,
) -> None:
    parser = _Page()
    parser.feed(page(study))
    for said in (
        "Of 8 differences to scratch, ",
        "1 of 30 cells missing",
        f"Bad: {NASTY}",
        "seed 2, split 1: failed",
        "mlflow.example",
        "Main effects and interactions over 10 arms",
        "n counts seeds",
    ):
        assert said in parser.words
    assert parser.heads[0] == f"Does {NASTY} help?"
    for head in ("Learning curves", "Cost and sharing", "Failures and what is missing"):
        assert head in parser.heads


def test_rotations_are_told_by_arm_and_of_very_many_there_is_no_table() -> None:
    accuracies = {"val_accuracy": 0.6, "val_accuracy_0": 0.5, "val_accuracy_90": 0.75}
    stages = [
        page_stage("a", "pretrain", metrics=accuracies),
        page_stage("b", "pretrain", metrics=accuracies | {"val_accuracy_0": 1.0}),
        page_stage("c", "pretrain", metrics={f"val_accuracy_{angle}": 0.1 for angle in range(360)}),
    ]
    parser = _Page()
    parser.feed(rotations_html(stages, {"a": "rgb", "b": "rgb", "c": "dif"}))
    assert "pretraining ofstages0°90°" in parser.words
    assert "rgb275.075.0" in parser.words
    assert "dif" not in parser.words
    assert rotations_html(stages[2:], {}) == ""


def test_only_a_page_that_is_written_anew_says_how_often(study: Study) -> None:
    parser = _Page()
    parser.feed(page(study, every_s=15))
    assert parser.open == []
    assert {"following", "age", "again"} <= set(parser.ids)
    assert 'data-every="15"' in page(study, every_s=15)
    assert 'id="following"' not in page(study)


def test_confusions_are_summed_by_arm_and_of_many_classes_mistakes_are_told(study: Study) -> None:
    one = Confusion(("up", NASTY), np.array([[3, 1], [0, 4]]))
    keys = [held[-1] for held in study.frame["stages"][:2]]
    held = replace(study, confusions={keys[0]: one, keys[1]: one, study.stages[0].key: one})
    parser = _Page()
    parser.feed(page(held))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert "rgb, scratch: 14 of 16 videos right, 2 of 3 stages" in parser.words
    assert "What is taken for what" in parser.heads
    assert NASTY not in page(held)
    names = tuple(f"class {number}" for number in range(40))
    counts = np.diag([5] * 40)
    counts[3, 4] = 2
    many = confusions_html("x", {"all": Sum(1, 1, Confusion(names, counts))}, "videos")
    assert "all: 200 of 202 videos right, 1 stage<" in many
    assert "The 1 most frequent mistakes among 40 classes" in many
    assert confusions_html("x", {}, "videos") == ""


def test_of_very_many_stages_each_arm_that_is_shown_is_asked_alike() -> None:
    arms = {f"arm {arm}": [f"{arm}-{seed}" for seed in range(25)] for arm in range(2 * MOST)}
    asked = wanted([arms, {"pretrain": ["p", "p"]}])
    first = asked[: MOST + 1]
    assert first == [*(f"{arm}-0" for arm in range(MOST)), "p"]
    assert asked[MOST + 1 : 2 * MOST + 1] == [f"{arm}-1" for arm in range(MOST)]
    assert len(asked) == 25 * MOST + 1


def test_of_very_many_failures_the_page_shows_some_and_says_so(study: Study) -> None:
    broken = [
        page_stage(f"x{n}", "finetune", state="FAILED", error="no " * 500) for n in range(300)
    ]
    text = page(replace(study, stages=broken))
    assert "100 of 300 are shown" in text
    assert text.count("no no no") < 110 * 500


def test_rotations_taken_for_others_stand_beside_the_share_told(study: Study) -> None:
    pre = page_stage("p", "pretrain", metrics={"val_accuracy_0": 1.0, "val_accuracy_180": 0.5})
    turned = Confusion(("0", "180"), np.array([[4, 0], [2, 2]]))
    parser = _Page()
    parser.feed(page(replace(study, stages=[*study.stages, pre], confusions={"p": turned})))
    assert "pretrain: 6 of 8 views of held-out videos right, 1 stage" in parser.words


def test_attention_is_within_the_page_and_arms_without_any_are_named(study: Study) -> None:
    parser = _Page()
    parser.feed(page(looked_at(study)))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert "Where networks look" in parser.heads
    assert len(parser.addresses) == 2 * (1 + 2 + 1)  # clips, two networks, a random one
    assert all(one.startswith("data:image/webp;base64,") for one in parser.addresses)
    assert f"No maps of rgb, pace (evaluate), rgb, {NASTY} (evaluate)," in parser.words
    for held in (study, replace(looked_at(study), attention=None)):
        parser = _Page()
        parser.feed(page(held))
        assert "Where networks look" not in parser.heads
        assert parser.addresses == []


def test_searches_tell_which_settings_mattered_or_why_they_do_not(study: Study) -> None:
    searches = [
        Importance("init=scratch on demo", 30, {"finetune.lr": 0.9, "finetune.batch_size": 0.1}),
        Importance("init=rotation on demo", 5, {}, "5 proposals have a value"),
    ]
    parser = _Page()
    parser.feed(page(replace(study, searches=searches)))
    assert "init=scratch on demofinetune.lr9030" in parser.words
    assert "init=rotation on demo: 5 proposals have a value." in parser.words


def test_a_population_shows_who_took_over_from_whom_and_what_won(study: Study) -> None:
    population = Population(4, 5, "finetune.epochs", "finetune.changes")
    arms = ({"init": "scratch"},)
    tuning = Tuning("t", ("finetune.lr",), arms, "demo", "rgb", 8, population=population)
    changes = [{"after": 5, "lr": 0.12}]
    begun: list[dict[str, Any]] = [
        {"finetune.lr": at / 10, "finetune.epochs": 5} for at in range(1, 5)
    ]
    later = [{**one, "finetune.epochs": 10} for one in begun[:3]]
    later.append({"finetune.lr": 0.1, "finetune.epochs": 10, "finetune.changes": changes})
    proposals = (
        *(Proposal("t", at, one) for at, one in enumerate(begun, 1)),
        *(
            Proposal("t", at + 4, one, {"parent": parent})
            for at, (one, parent) in enumerate(zip(later, (1, 2, 3, 1), strict=True), 1)
        ),
    )
    values = {1: 0.5, 2: 0.4, 3: 0.3, 4: 0.25, 5: 0.6, 6: 0.4, 7: None, 8: 0.75}
    winner = Winner("t", 8, later[-1], 0.75, values)
    decisions = Decisions({"t": proposals}, {"t": winner}, values={"t": values})
    parser = _Page()
    parser.feed(page(replace(study, populations=pedigrees({"t": tuning}, decisions))))
    assert "What populations came to" in parser.heads
    assert "40.250.75 \u2190 1 *" in parser.words
    assert "10.5 *0.6" in parser.words
    assert "30.3-" in parser.words
    assert "Won, and replayed: to epoch 5 lr=0.1; to epoch 10 lr=0.12." in parser.words
    told = "after epoch 5, member 4 (0.25) took over from member 1 (0.5): lr 0.1 -> 0.12"
    assert told in parser.words


def test_text_of_users_is_never_a_tag(study: Study) -> None:
    text = page(study)
    assert NASTY not in text
    assert "<script>alert" not in text


def test_every_plot_has_data_that_a_script_can_read(study: Study) -> None:
    text = page(study)
    plots = re.findall(r'data-plot="([^"]+)">(.*?)</script>', text)
    assert [name for name, _ in plots] == ["c1-means", "c1-effects", "curve-finetune-loss"]
    for name, held in plots:
        plot = json.loads(held)
        assert {"data", "layout"} == set(plot)
        assert f'id="{name}" role="img"' in text


def test_a_study_without_any_result_has_a_page_too(frame: Frame) -> None:
    made = frame([{"modality": "rgb", "init": "scratch", "state": "MISSING"}], ["modality", "init"])
    made["stages"] = None
    source = Source("mine", "sqlite:///x.db", "1", datetime.now(UTC), {})
    parser = _Page()
    parser.feed(page(Study(made, compare(made), [], {}, [], source)))
    assert parser.open == []
    assert "There is nothing to compare yet" in parser.words


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:secret@host:5000/a", "https://host:5000/a"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
        ("postgresql://u:p@db/ml", "postgresql://db/ml"),
    ],
)
def test_passwords_of_addresses_are_not_shown(uri: str, shown: str) -> None:
    assert without_password(uri) == shown
