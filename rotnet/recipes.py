"""Named, complete settings: what holds unless a search space says otherwise. No torch here.

`rotnet.provenance` has the source of each value.
"""

from dataclasses import dataclass

from rotnet.config import (
    ClipConfig,
    DataConfig,
    EvaluateConfig,
    FuseConfig,
    LinearConfig,
    ModelConfig,
    PretextConfig,
    RetrievalConfig,
    RuntimeConfig,
    TrainConfig,
    TuneConfig,
    ViewConfig,
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A value for every section of settings.

    Args:
        about: where it comes from.
        deviations: in what it differs from that, though its values are the same.
        on_cpu: whether it is made for a machine without a GPU.
    """

    about: str
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    pretext: PretextConfig = PretextConfig()
    data: DataConfig = DataConfig()
    pretrain: TrainConfig = TrainConfig()
    finetune: TuneConfig = TuneConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    linear: LinearConfig = LinearConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    fuse: FuseConfig = FuseConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    deviations: tuple[str, ...] = ()
    on_cpu: bool = False


PAPER = Recipe(
    about="the released code of 3DRotNet (arXiv 1811.11387), its gaps filled from later work",
    # An epoch is 4,000 iterations of the released code. What is not here is as in `rotnet.config`.
    pretrain=TrainConfig(
        epochs=29,
        steps_per_epoch=4000,
        milestones=(6, 12, 18, 24),
        lr=0.1,
        weight_decay=1e-3,
        val_fraction=0.01,
    ),
    finetune=TuneConfig(
        epochs=150,
        milestones=(60, 120),
        lr=0.01,
        weight_decay=5e-4,
        val_fraction=0.1,
        final="train+val",
    ),
    deviations=(
        "shortcuts of kind A let the gradient through; the released code cuts it by accident "
        "(model.shortcut: A-detached)",
        "no random turn by up to 10 degrees with black corners before the crop; path resampled "
        "has it without corners (pretext.path, pretext.jitter)",
        "the four copies of a clip lie side by side, not in blocks by rotation",
        "frames keep their own range: the released code stretches each frame to 0-255 while it "
        "turns it, so that DIF sees flicker",
        "a window is T * stride + 1 frames, 33, so that DIF has its 17th frame; the released code "
        "reads 32",
        "the pretext is judged in eval mode on videos held out, without random views",
        "the fine-tuning and the test protocol of the paper are published nowhere",
    ),
)

CTP = Recipe(
    about="the rotation baseline of CtP (microsoft/CtP, configs/rot3d), on UCF101",
    clip=ClipConfig(frames=16, stride=2, resize=128, size=112),
    # A stem of 3x7x7 without pooling is torchvision's r3d_18.
    model=ModelConfig(backbone="r3d_18", hidden=512, dropout=0.5),
    pretext=PretextConfig(views=1),
    pretrain=TrainConfig(
        epochs=300,
        batch_size=32,
        milestones=(100, 200),
        lr=0.01,
        weight_decay=1e-4,
        clip_gradient=40.0,
        val_fraction=0.1,
    ),
    finetune=TuneConfig(
        epochs=150,
        batch_size=32,
        milestones=(60, 120),
        lr=0.01,
        weight_decay=5e-4,
        val_fraction=0.1,
        final="train+val",
    ),
    evaluate=EvaluateConfig(clips=10),
    deviations=(
        "a stride of 2 in pretraining, where it draws 1 to 5, with jitter in time",
        "one scale, a short side of 128, where it draws from three",
        "no colour jitter; a flip with probability 0.5 in fine-tuning too, where it has 0.35",
        "dropout in pretraining too",
        "quarter turns that move pixels, where it duplicates a border row or column, which tells "
        "the label",
        "batch statistics of one device, where it synchronises four",
    ),
)

VCOP = Recipe(
    about="the protocol of small-scale studies since VCOP: UCF101 alone, 150 epochs, 10 clips",
    clip=ClipConfig(frames=16, stride=1, resize=128, size=112),
    model=ModelConfig(backbone="r3d_18", hidden=512),
    pretrain=TrainConfig(
        epochs=300, batch_size=8, lr=1e-3, weight_decay=5e-4, schedule="constant", val_fraction=0.1
    ),
    finetune=TuneConfig(
        epochs=150,
        batch_size=8,
        lr=1e-3,
        weight_decay=5e-4,
        schedule="constant",
        val_fraction=0.084,
        final="train+val",
    ),
    evaluate=EvaluateConfig(clips=10),
    deviations=(
        "rotation is the pretext, not the order of clips",
        "videos held out for validation are whole groups, where it draws single clips, so that "
        "groups leak",
        "test videos are all scored and searched, where its retrieval drops the last batch",
        "r3d_18, where its r3d has one block a stage",
    ),
)

TINY = Recipe(
    about="the released network at a quarter of its width on small clips, for a CPU: our choice",
    clip=ClipConfig(frames=8, stride=4, resize=36, size=32),
    model=ModelConfig(width=16),
    pretrain=TrainConfig(
        epochs=20,
        batch_size=16,
        lr=0.05,
        weight_decay=1e-4,
        schedule="cosine",
        warmup_epochs=1.0,
        val_fraction=0.1,
    ),
    finetune=TuneConfig(
        epochs=40, batch_size=16, lr=0.02, weight_decay=1e-4, schedule="cosine", warmup_epochs=2.0
    ),
    evaluate=EvaluateConfig(clips=5),
    on_cpu=True,
)

RECIPES = {"paper": PAPER, "ctp": CTP, "vcop": VCOP, "tiny": TINY}
