"""How much work stages are, by what they show a network."""

import pytest

from rotlab.planning.counting import (
    evaluate_work,
    finetune_work,
    linear_work,
    pretrain_work,
    retrieval_work,
)
from rotlab.planning.stage import Role, Stage
from rotlab.planning.work import Size, Work
from rotnet.config import (
    ClipConfig,
    DataConfig,
    EvaluateConfig,
    FinetuneConfig,
    ModelConfig,
    PretextConfig,
    PretrainConfig,
    ProbeConfig,
    RetrieveConfig,
    ScoreConfig,
    TrainConfig,
    TuneConfig,
)
from rotnet.models.layers import Network, network

CLIP, MODEL = ClipConfig(frames=8, size=32, resize=36), ModelConfig(width=8)
SIZES: dict[Role, Size] = {
    "pretrain": Size(1000, 0, ""),
    "train": Size(100, 10, ""),
    "test": Size(50, 10, ""),
}


def net(outputs: int) -> Network:
    found = network(MODEL, CLIP.frames, CLIP.size, outputs)
    assert found is not None
    return found


def pretrain(pretext: PretextConfig | None = None, share: float = 1, **values: object) -> Work:
    config = PretrainConfig(
        clip=CLIP,
        model=MODEL,
        pretext=pretext or PretextConfig(),
        data=DataConfig(pretrain_fraction=share),
        pretrain=TrainConfig.model_validate({"epochs": 3, "batch_size": 10, **values}),
    )
    found = pretrain_work(config, SIZES, ())
    assert found is not None
    return found


def finetune(**values: object) -> Work:
    tuning = TuneConfig.model_validate({"epochs": 3, "batch_size": 10, **values})
    config = FinetuneConfig(clip=CLIP, model=MODEL, finetune=tuning)
    found = finetune_work(config, SIZES, ())
    assert found is not None
    return found


def test_a_pretraining_shows_every_video_in_every_rotation_in_every_epoch() -> None:
    assert pretrain().amount == 3 * 1000 * 4 * net(4).training_flops()
    assert pretrain(PretextConfig(rotations=2)).amount == 3 * 1000 * 2 * net(2).training_flops()
    assert pretrain(PretextConfig(rotations=360, views=5)).amount == (
        3 * 1000 * 5 * net(360).training_flops()
    )
    paces = PretextConfig(task="pace", paces=(1, 2, 4))
    assert pretrain(paces).amount == 3 * 1000 * 3 * net(3).training_flops()


def test_a_pretraining_of_so_many_steps_does_not_hang_on_the_number_of_videos() -> None:
    assert pretrain(steps_per_epoch=7).amount == 3 * 7 * 10 * 4 * net(4).training_flops()


def test_videos_held_out_are_gone_through_forward_after_each_epoch() -> None:
    learnt = 3 * 900 * 4 * net(4).training_flops()
    assert pretrain(val_fraction=0.1).amount == learnt + 3 * 100 * 4 * net(4).forward_flops


@pytest.mark.parametrize("epochs", [1, 5, 40])
def test_work_is_as_the_epochs(epochs: int) -> None:
    assert pretrain(epochs=epochs).amount / pretrain(epochs=1).amount == epochs
    assert finetune(epochs=epochs).amount / finetune(epochs=1).amount == epochs


def test_half_of_the_videos_are_half_of_the_work() -> None:
    assert pretrain(share=0.5).amount / pretrain().amount == 0.5


def test_stages_that_differ_in_amount_only_are_alike() -> None:
    assert pretrain(epochs=9, lr=0.5, val_fraction=0.2).like == pretrain().like
    assert pretrain(precision="bf16").like != pretrain().like
    assert pretrain(PretextConfig(rotations=2)).like != pretrain().like  # other batches
    assert finetune(freeze=3).like != finetune().like


def test_frozen_stages_cost_less_and_few_labels_cost_little() -> None:
    assert finetune(freeze=5).amount < finetune(freeze=3).amount < finetune().amount
    assert finetune(shots=2).amount == finetune().amount * 20 / 100


def test_scoring_goes_through_all_clips_and_crops_of_the_test_videos() -> None:
    tuned = Stage("f", "finetune", FinetuneConfig(clip=CLIP, model=MODEL))
    config = ScoreConfig(evaluate=EvaluateConfig(clips=4, crops=3))
    found = evaluate_work(config, SIZES, (tuned,))
    assert found is not None
    assert found.amount == 50 * 4 * 3 * net(10).forward_flops
    assert evaluate_work(config, SIZES, ()) is None


def test_features_are_of_training_and_test_videos() -> None:
    both = 150 * 10 * net(10).forward_flops
    probed = linear_work(ProbeConfig(clip=CLIP, model=MODEL), SIZES, ())
    searched = retrieval_work(RetrieveConfig(clip=CLIP, model=MODEL), SIZES, ())
    assert probed is not None
    assert searched is not None
    assert (probed.amount, searched.amount) == (both, both)


def test_a_saved_network_takes_four_bytes_a_weight() -> None:
    assert pretrain().result_bytes == 4 * net(4).weights
