"""What a search space may say, and what is said of one that is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.spec import Spec, load_spec

Read = Callable[[str], Spec]
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"


def said(read: Read, text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        read(text)
    return [f"{one.line} {one.where}: {one.text}" for one in caught.value.problems]


def test_a_minimal_file_has_the_documented_defaults(read: Read) -> None:
    spec = read("name: a\ndata: {target: weizmann}\n")
    assert (spec.base, spec.modality, spec.init, spec.measure) == (
        "paper",
        "rgb",
        "rotation",
        ("finetune",),
    )
    assert spec.replicates.seeds == (0,)
    assert spec.replicates.splits is None
    assert spec.pretrain_data is None


def test_1e_3_is_a_number_and_equal_to_0_001(read: Read) -> None:
    one = read(HEAD + "axes: {finetune.lr: [1e-3, 1E-2]}\n")
    assert one.axes["finetune.lr"] == (0.001, 0.01)
    assert said(read, HEAD + "axes: {finetune.lr: [1e-3, 0.001]}\n") == [
        "4 axes.finetune.lr: value 2 is equal to value 1: 0.001"
    ]


def test_a_rotation_set_that_has_a_name_is_equal_to_it(read: Read) -> None:
    assert said(read, HEAD + "axes:\n  pretext.rotations: [2, {angles: [0, 180]}]\n") == [
        "5 axes.pretext.rotations: value 2 is equal to value 1: 2"
    ]
    spec = read(HEAD + "axes: {pretext.rotations: [2, {angles: [90, 270]}]}\n")
    assert spec.axes["pretext.rotations"] == (2, {"angles": [90, 270]})


def test_all_problems_are_reported_at_once_with_their_lines(read: Read) -> None:
    text = (
        "name: bad name\n"
        "qestion: x\n"
        "data: {target: weizmann}\n"
        "finetune:\n"
        "  epochs: -3\n"
        "  schedule: cosin\n"
        "axes:\n"
        "  finetun.epochs: [1]\n"
        "  clip.frames: []\n"
    )
    found = said(read, text)
    assert [one.partition(" ")[0] for one in found] == ["1", "2", "5", "6", "8", "9"]
    assert found[2] == "5 finetune.epochs: must be greater than 0, got -3"
    assert "did you mean 'cosine'?" in found[3]
    assert found[4] == (
        "8 axes.finetun.epochs: unknown setting 'finetun.epochs'; did you mean 'finetune.epochs'?"
    )
    with pytest.raises(SpecError, match=r"6 problems\n  line 1 name"):
        read(text)


def test_a_single_problem_is_a_single_line(read: Read) -> None:
    with pytest.raises(SpecError) as caught:
        read(HEAD + "finetune: {epochs: 0}\n")
    assert str(caught.value).endswith(
        "space.yaml: line 4 finetune.epochs: must be greater than 0, got 0"
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("finetun: {epochs: 3}", "did you mean 'finetune'?"),
        ("clip.frames: 8", "clip: {frames: ...}"),
        ("clip: {frame: 8}", "did you mean 'frames'?"),
        ("clip: 8", "must be a mapping"),
        ("clip: {frames: true}", "must be a whole number, got true"),
        ("clip: {frames: 8.5}", "must be a whole number, got 8.5"),
        ('finetune: {lr: "0.1"}', "must be a number, got '0.1'"),
        ("finetune: {lr: .inf}", "must be finite"),
        ("clip: {size: 40}", "size must be at most resize"),
        ("pretext: {rotations: 16}", "must be 2, 4, 8 or 360 or {angles: ...}, got 16"),
        ("pretext: {rotations: {angles: [90, 400]}}", "must be less than 360, got 400"),
        ("pretext: {rotations: {angles: [0, 9], a: 1}}", "unknown setting 'a'"),
        ("modality: rbg", "did you mean 'rgb'?"),
        ("modality: rgb\naxes: {modality: [dif]}", "is fixed in line 4"),
        ("clip: {frames: 4}\naxes: {clip.frames: [8]}", "is fixed in line 4"),
        ("axes: 3", "must be a mapping"),
        ("axes: {clip.frames: 8}", "must be a list of values, got 8"),
        ("axes: {seed: [1, 2]}", "write replicates: {seed: [...]}"),
        ("axes: {pretext: {rotations: [2]}}", "is a section; name one of its settings"),
        ("axes: {runtime.workers: [1, 2]}", "changes no result"),
        ("exclude: [3]", "must be a mapping (when, because), got 3"),
        ("axes: {init: [rotate]}", "did you mean 'rotation'?"),
        ("replicates: {seed: [1, 1]}", "1 stands there twice"),
        ("replicates: {split: [0]}", "must be at least 1"),
        ("replicates: {seed: [true]}", "must be a whole number, got true"),
        (
            "measure: [finetun]",
            "did you mean 'finetune'? (evaluate, finetune, linear, pretrain, retrieval)",
        ),
        ("measure: fuse", "unknown measure 'fuse'"),
        ("measure: pretrain\nmodality: fusion", "'pretrain' cannot be fused"),
        ("exclude: [{because: x}]", "needs `when`"),
        ("exclude: [{when: {}, because: x}]", "needs `when`"),
        ("axes: {init: [scratch]}\nexclude: [{when: {init: scratch}}]", "is missing"),
        ("exclude: [{when: {clip.frames: 8}, because: x}]", "unknown axis 'clip.frames'"),
        ("resources: {pretrain: {cpus: 0}}", "must be greater than 0, got 0"),
        ("resources: {pretrain: {gpus: 1.5}}", "whole ones"),
        ("resources: {train: {}}", "unknown stage kind 'train'"),
        ("budget: {gpu_hours: -1}", "must be a finite number greater than 0, got -1"),
        ("base: papr", "did you mean 'paper'?"),
    ],
)
def test_what_is_wrong_is_named_with_the_way_out(read: Read, text: str, expected: str) -> None:
    head = HEAD.replace("base: tiny\n", "") if text.startswith("base") else HEAD
    (only,) = said(read, f"{head}{text}\n")
    assert expected in only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- 1\n", "is a mapping"),
        ("name: [1,\n", "not readable as YAML"),
        ("name: a\nname: b\n", 'line 2 not readable as YAML: found duplicate key "name"$'),
        ("name: !!python/object/apply:os.system ['ls']\n", "tags such as"),
        ("name: " + 21 * "[" + 21 * "]" + "\n", "nested more than"),
        ("? [1, 2]\n: 3\n", "is not text"),
        ("name: 2020-01-01\n", "is a date"),
        ("name: x\n--- \nname: y\n", "several documents, with --- between them; give each"),
        ("name: \x00\n", "not readable as YAML"),
    ],
)
def test_a_file_that_is_no_search_space_is_one_line(read: Read, text: str, expected: str) -> None:
    with pytest.raises(SpecError, match=expected) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    for path, expected in [
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "is a folder"),
        (tmp_path / "binary.yaml", "is not UTF-8"),
    ]:
        with pytest.raises(SpecError, match=expected):
            load_spec(path)


def test_aliases_of_aliases_do_not_fill_the_memory(read: Read) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(SpecError, match="more than 100000 values"):
        read("\n".join(lines))


def test_more_combinations_than_anyone_means_are_refused(read: Read) -> None:
    many = ", ".join(str(n) for n in range(1, 102))
    text = "".join(f"  finetune.{name}: [{many}]\n" for name in ("epochs", "batch_size", "lr"))
    (only,) = said(read, f"{HEAD}axes:\n{text}")
    assert "1,030,301 combinations" in only
