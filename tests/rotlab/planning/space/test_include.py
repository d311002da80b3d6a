"""Search spaces that build on other files."""

from pathlib import Path

import pytest

from rotlab.planning.plan.planned import plan_file
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.source import read_source
from rotlab.planning.space.spec import Spec, load_spec

COMMON = (
    "base: tiny\n"
    "data: {pretrain: hockey, target: weizmann}\n"
    "finetune: {epochs: 9, lr: 0.5}\n"
    "axes: {clip.frames: [4, 8], init: [rotation, scratch]}\n"
    "measure: [finetune, retrieval]\n"
)


def write(folder: Path, **files: str) -> Path:
    """Write files named so; return the path of the one that is called main."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "main.yaml"


def refused(path: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return caught.value


def without_text(spec: Spec) -> tuple[object, ...]:
    return tuple(
        getattr(spec, name)
        for name in Spec.__dataclass_fields__
        if name not in ("text", "path", "lines")
    )


def test_an_included_file_is_merged_as_one_would_by_hand(tmp_path: Path) -> None:
    own = (
        "name: a\ninclude: common.yaml\nfinetune: {lr: 0.1, shots: 2}\naxes: {clip.frames: [16]}\n"
    )
    by_hand = (
        "name: a\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"
        "finetune: {epochs: 9, lr: 0.1, shots: 2}\n"
        "axes: {clip.frames: [16], init: [rotation, scratch]}\nmeasure: [finetune, retrieval]\n"
    )
    path = write(tmp_path, main=own, common=COMMON, hand=by_hand)
    assert without_text(load_spec(path)) == without_text(load_spec(tmp_path / "hand.yaml"))
    included, hand = (plan_file(one, tmp_path).plan for one in (path, tmp_path / "hand.yaml"))
    assert list(included.stages) == list(hand.stages)


def test_of_several_files_a_later_one_has_more_to_say(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main="name: a\ninclude: [common.yaml, more.yaml]\nfinetune: {lr: 0.1}\n",
        common=COMMON,
        more="finetune: {lr: 0.2, epochs: 7}\nmeasure: linear\n",
    )
    spec = load_spec(path)
    assert spec.settings["finetune"] == {"epochs": 7, "lr": 0.1}
    assert spec.measure == ("linear",)


def test_paths_are_relative_to_the_file_that_includes(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    write(tmp_path / "shared", common="include: base.yaml\n", base=COMMON)
    path = write(tmp_path, main="name: a\ninclude: shared/common.yaml\n")
    assert load_spec(path).base == "tiny"


def test_two_files_may_include_the_same_one(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main="name: a\ninclude: [left.yaml, right.yaml]\n",
        left="include: common.yaml\n",
        right="include: common.yaml\n",
        common=COMMON,
    )
    assert load_spec(path).base == "tiny"


def test_what_is_wrong_inside_an_included_file_is_told_with_its_name_and_line(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        main="name: a\ninclude: common.yaml\nclip: {stride: 0}\n",
        common=COMMON.replace("epochs: 9", "epochs: -9").replace("lr: 0.5", "lrr: 1"),
    )
    error = refused(path)
    assert [(one.path, one.line, one.where) for one in error.problems] == [
        (None, 3, "clip.stride"),
        (tmp_path / "common.yaml", 3, "finetune.lrr"),
        (tmp_path / "common.yaml", 3, "finetune.epochs"),
    ]
    assert f"\n  {tmp_path / 'common.yaml'} line 3 finetune.epochs: must be greater" in str(error)
    write(tmp_path, main="name: a\ninclude: common.yaml\nfinetune: {epochs: 9}\n")
    assert str(refused(path)).startswith(
        f"{tmp_path / 'common.yaml'}: line 3 finetune.lrr: unknown"
    )


def test_what_shows_only_in_the_plan_is_told_with_the_included_line_too(tmp_path: Path) -> None:
    exclude = "exclude:\n  - {when: {clip.frames: 99}, because: no}\n"
    path = write(tmp_path, main="name: a\ninclude: common.yaml\n", common=COMMON + exclude)
    warnings = plan_file(path, tmp_path).plan.warnings
    assert f"{tmp_path / 'common.yaml'} line 7 exclude: matches no arm" in warnings
    write(tmp_path, common=COMMON + "replicates: {split: [9]}\n")
    with pytest.raises(SpecError, match=r"common\.yaml: line 6 replicates\.split: 'weizmann' has"):
        plan_file(path, tmp_path)


def test_a_setting_fixed_in_one_file_and_an_axis_in_the_other_is_told_with_both_places(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, main="name: a\ninclude: common.yaml\nclip: {frames: 4}\n", common=COMMON)
    (only,) = refused(path).problems
    assert (only.path, only.line) == (tmp_path / "common.yaml", 4)
    assert only.text.startswith("is fixed in line 3 and an axis as well")


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("3", "line 2 include: must be a file's name or a list of them, got 3"),
        ("[common.yaml, null]", "line 2 include: must be a file's name"),
        ("comon.yaml", "line 2 include: unknown file 'comon.yaml'; did you mean 'common.yaml'?"),
        ("none/common.yaml", "line 2 include: no such folder"),
        ("main.yaml", "line 2 include: goes in a circle"),
    ],
)
def test_what_cannot_be_included_is_one_problem_with_its_line(
    tmp_path: Path, include: str, expected: str
) -> None:
    path = write(tmp_path, main=f"name: a\ninclude: {include}\n", common=COMMON)
    (only,) = refused(path).problems
    assert f"line {only.line} {only.where}: {only.text}".startswith(expected)


def test_a_circle_is_told_where_it_closes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main="name: a\ninclude: common.yaml\n",
        common=f"{COMMON}include: more.yaml\n",
        more="# nothing\n\ninclude: [main.yaml]\n",
    )
    said = str(refused(path))
    assert said.startswith(f"{tmp_path / 'more.yaml'}: line 3 include: goes in a circle: ")
    assert said.count(" includes ") == 3


def test_an_included_file_that_is_no_yaml_is_told_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, main="name: a\ninclude: common.yaml\n", common="base: [\n")
    assert str(refused(path)).startswith(f"{tmp_path / 'common.yaml'}: line 2 not readable as YAML")


def test_the_text_of_a_study_has_all_files_and_still_is_the_files(tmp_path: Path) -> None:
    path = write(tmp_path, main="name: a\ninclude: common.yaml\n", common=COMMON)
    text = load_spec(path).text
    assert all(f"# {line}" in text for line in COMMON.splitlines())
    (tmp_path / "text.yaml").write_text(text)
    assert read_source(tmp_path / "text.yaml").values == read_source(path).values
