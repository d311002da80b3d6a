"""The vocabulary that search_spaces/README.md prints is the one there is."""

import re
from pathlib import Path

import pytest

from rotlab.planning.inits import inits
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.space.include import INCLUDE
from rotlab.planning.space.sections import CHOICES
from rotlab.planning.space.settings import vocabulary
from rotlab.planning.space.shape import MODALITIES
from rotlab.planning.space.spec import PLAIN_KEYS

SPACES = Path(__file__).parents[4] / "search_spaces"
README = (SPACES / "README.md").read_text(encoding="utf-8")
OURS = ("pretrain", "finetune", "evaluate", "linear", "retrieval", "fuse")


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def rows_of(first: str) -> dict[str, set[str]]:
    """The table whose heading begins so: first column -> names in the last."""
    lines = README[README.index(f"| {first} |") :].splitlines()[2:]
    table = [line.strip("|").split(" | ") for line in lines[: lines.index("")]]
    return {row[0].strip(" `"): names_in(row[-1]) for row in table}


def test_every_setting_of_ours_is_listed_and_no_other() -> None:
    kinds = load_kinds()
    sections = vocabulary({name: kinds[name] for name in OURS}).sections
    listed = rows_of("section")
    own = {name: set(model.model_fields) for name, model in sections.items()}
    own["pretext"].discard("task")  # init takes its place
    own["finetune"] -= own["pretrain"]  # "the same, and"
    assert listed == own


def test_every_word_of_the_language_is_in_an_example() -> None:
    examples = "\n".join(re.findall(r"```yaml\n(.*?)```", README, re.DOTALL))
    for word in {*PLAIN_KEYS, INCLUDE} - set(CHOICES):
        assert re.search(rf"^{word}:", examples, re.MULTILINE), word


@pytest.mark.parametrize("number", [0, 1])
def test_every_example_is_in_order(number: int, tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[number]
    (tmp_path / "common.yaml").write_text(
        "name: example\nbase: tiny\ndata: {pretrain: hockey, target: ucf101}\n"
    )
    (tmp_path / "example.yaml").write_text(example)
    plan = plan_file(tmp_path / "example.yaml", tmp_path).plan
    assert plan.cells
    assert not plan.warnings


def test_every_init_modality_and_file_is_listed() -> None:
    assert set(inits()) <= set(rows_of("init"))
    assert set(MODALITIES) <= names_in(README)
    assert set(rows_of("file")) == {path.name for path in SPACES.glob("*.yaml")}
