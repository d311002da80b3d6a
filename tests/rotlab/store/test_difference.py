"""Why stages would run: held against the likest result that is there."""

from dataclasses import replace

from rotlab.planning.key import stage_key
from rotlab.planning.stage import DataRef, Stage
from rotlab.store.difference import drift, reasons
from rotlab.store.record import Record
from rotnet.config import identity
from tests.rotlab.execution.lab import KINDS, CountConfig, make_record, make_stage
from tests.rotlab.execution.search.bowls import BOWL, Bowl, BowlConfig

DATA = DataRef("ucf", "train", 1, "f1")


def recorded(stage: Stage, **more: object) -> Record:
    data = tuple(
        {"name": r.name, "role": r.role, "split": r.split, "fingerprint": r.fingerprint}
        for r in stage.data
    )
    made = replace(
        make_record(stage),
        config=stage.config.model_dump(mode="json"),
        inputs=dict(stage.inputs),
        data=data,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def why(stage: Stage, *records: Record, before: tuple[Stage, ...] = ()) -> str:
    return reasons([*before, stage], records, KINDS)[stage.key]


def test_the_settings_that_changed_are_named() -> None:
    there = recorded(make_stage("count", name="a", epochs=2))
    assert why(make_stage("count", name="a", epochs=5), there) == "epochs 2 -> 5"
    assert why(make_stage("count", name="b", epochs=5), there) == 'epochs 2 -> 5, name "a" -> "b"'


def test_the_likest_result_is_what_counts() -> None:
    far = recorded(make_stage("count", name="z", epochs=9, seconds=1.0))
    near = recorded(make_stage("count", name="a", epochs=2))
    assert why(make_stage("count", name="a", epochs=5), far, near) == "epochs 2 -> 5"


def test_what_differs_in_much_is_new() -> None:
    there = recorded(make_stage("count", name="a"))
    new = make_stage("count", name="b", epochs=7, seconds=1.0, fail=True)
    assert why(new, there) == "new: it differs in 4 things from all that is there"
    assert why(make_stage("total", name="a"), there) == "the store has no result of total"


def test_a_stage_runs_because_its_parent_does_or_is_another() -> None:
    old, new = make_stage("count", name="a"), make_stage("count", name="a", epochs=5)
    child = make_stage("total", {"x": new}, name="t")
    there = [recorded(old), recorded(make_stage("total", {"x": old}, name="t"))]
    assert why(child, *there, before=(new,)) == "what it starts from would run"
    assert why(child, *there) == "it starts from another result"


def with_data(stage: Stage, ref: DataRef) -> Stage:
    key = stage_key(KINDS[stage.kind], identity(stage.config), stage.inputs, (ref,))
    return replace(stage, key=key, data=(ref,))


def test_changed_data_and_another_split_are_told_apart() -> None:
    stage = make_stage("count", name="a")
    there = recorded(with_data(stage, DATA))
    changed = with_data(stage, replace(DATA, fingerprint="f2"))
    assert why(changed, there) == "its data changed, or are others"
    assert why(with_data(stage, replace(DATA, split=2)), there) == "never run: another split"
    both = with_data(stage, replace(DATA, split=2, fingerprint="f2"))
    assert why(both, there) == "its data changed, or are others"


def bowl(seed: int, **settings: float) -> Stage:
    config = BowlConfig(bowl=Bowl(**settings), seed=seed)
    return Stage(stage_key(BOWL, identity(config), {}, ()), "bowl", config)


def test_a_replicate_that_was_never_run_is_no_change() -> None:
    there = recorded(bowl(0))
    found = reasons([bowl(1), bowl(1, rate=2.0)], [there], {"bowl": BOWL})
    assert list(found.values()) == ["never run: another seed", "bowl.rate 1.0 -> 2.0, seed 0 -> 1"]


def test_what_stands_beside_others_that_the_plan_asks_for_was_never_run() -> None:
    one, other = make_stage("count", name="a"), make_stage("count", name="b")
    first, second = (make_stage("total", {"x": each}, name="t") for each in (one, other))
    there = [recorded(each) for each in (one, other, first)]
    asked = {first.key}
    assert reasons([second], there, KINDS, asked)[second.key] == (
        "never run: it starts from another replicate, or arm"
    )
    assert reasons([second], there, KINDS)[second.key] == "it starts from another result"


def test_equal_work_under_another_key_is_of_other_code() -> None:
    stage = make_stage("count", name="a")
    there = recorded(replace(stage, key="0" * 20))
    assert why(stage, there) == "the code of count is another version, now 1"
    assert CountConfig(name="a") == stage.config


def test_results_of_other_source_are_counted_by_kind_and_commit() -> None:
    stage = make_stage("count", name="a")
    records = [
        recorded(stage, source=source, commit=commit)
        for source, commit in (("s1", "x"), ("s1", "x"), ("s1", None), ("s2", "y"))
    ]
    found = drift(records, {"count": "s2"}, "y")
    assert found == {"count": {"x": 2, "no commit": 1}}
    assert drift(records[:3], {"count": "s1"}, "y") == {}


def test_of_results_that_do_not_say_their_source_the_commit_is_compared() -> None:
    stage = make_stage("count", name="a")
    records = [recorded(stage, commit=name) for name in ("x", "y")]
    assert drift(records, {"count": "s2"}, "y") == {"count": {"x": 1}}
