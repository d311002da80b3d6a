"""What the identity of a stage's work depends on."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from rotlab.planning.key import canonical, stage_key
from rotlab.planning.kinds import EVALUATE, FINETUNE, FUSE, PRETRAIN
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import DataRef
from rotnet.config import ClipConfig, PretrainConfig, RuntimeConfig, identity

POOL = DataRef("pool", "pretrain", None, "0123abcd")


GOLDEN = [
    "673b5b3d3ec05d1bf993",  # pretrain
    "644efc845de0152668ec",  # finetune
    "88aca17d22ac7bc5f220",  # evaluate
    "7398a5025f5caa808a96",  # fuse
]


def key_of(config: PretrainConfig, data: tuple[DataRef, ...] = (POOL,)) -> str:
    return stage_key(PRETRAIN, identity(config), {}, data)


def test_golden_keys_stand() -> None:
    """A key that moves disowns everything in every store; a new setting needs a neutral value."""
    pretrain = key_of(PretrainConfig())
    finetune = stage_key(
        FINETUNE, identity(FINETUNE.config()), {"init": pretrain}, [DataRef("t", "train", 1, "ff")]
    )
    evaluate = stage_key(
        EVALUATE,
        identity(EVALUATE.config()),
        {"network": finetune},
        [DataRef("t", "test", 1, "ff")],
    )
    fuse = stage_key(FUSE, identity(FUSE.config()), {"dif": evaluate, "rgb": evaluate}, [])
    assert [pretrain, finetune, evaluate, fuse] == GOLDEN


def test_a_key_is_20_hexadecimal_digits() -> None:
    key = key_of(PretrainConfig())
    assert len(key) == 20
    assert int(key, 16) > 0


def test_all_that_can_change_a_result_changes_the_key() -> None:
    config = PretrainConfig()
    same = identity(config)
    keys = {
        key_of(config),
        key_of(PretrainConfig(seed=1)),
        key_of(PretrainConfig(modality="dif")),
        key_of(PretrainConfig(clip=ClipConfig(frames=8))),
        key_of(config, (replace(POOL, fingerprint="0123abce"),)),
        key_of(config, (replace(POOL, split=1),)),
        key_of(config, (replace(POOL, role="train"),)),
        stage_key(replace(PRETRAIN, version=99), same, {}, (POOL,)),
        stage_key(replace(PRETRAIN, name="other"), same, {}, (POOL,)),
        stage_key(PRETRAIN, same, {"init": "a"}, (POOL,)),
        stage_key(PRETRAIN, same, {"other": "a"}, (POOL,)),
    }
    assert len(keys) == 11


def test_names_of_data_sets_and_hows_do_not_change_the_key() -> None:
    config = PretrainConfig()
    assert key_of(config, (replace(POOL, name="elsewhere"),)) == key_of(config)
    assert key_of(PretrainConfig(runtime=RuntimeConfig(workers=7))) == key_of(config)


def test_the_order_of_inputs_does_not_change_the_key() -> None:
    one = stage_key(FUSE, {}, {"rgb": "a", "dif": "b"}, ())
    assert one == stage_key(FUSE, {}, {"dif": "b", "rgb": "a"}, ())
    assert one != stage_key(FUSE, {}, {"dif": "a", "rgb": "b"}, ())


def test_canonical_text_keeps_types_apart_and_refuses_what_is_no_number() -> None:
    assert canonical({"b": 1, "a": [1.0, True, None, "x"]}) == '{"a":[1.0,true,null,"x"],"b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(math.nan)


def test_a_whole_number_given_for_a_real_one_is_the_same_work(plan: Callable[[str], Plan]) -> None:
    one, other = plan("finetune: {lr: 1}\n"), plan("finetune: {lr: 1.0}\n")
    assert set(one.stages) == set(other.stages)
