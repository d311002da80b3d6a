"""Named, complete settings: what holds unless a search space says otherwise. No torch here."""

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
    """A value for every section of settings."""

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


PAPER = Recipe(
    # Released train.py: SGD 0.1, momentum 0.9, weight decay 1e-3, batch 32, x0.1 every 24,000
    # iterations, saved every 4,000, seen past 116,000. An epoch here is 4,000 of its iterations.
    pretrain=TrainConfig(
        epochs=29,
        steps_per_epoch=4000,
        milestones=(6, 12, 18, 24),
        lr=0.1,
        weight_decay=1e-3,
        val_fraction=0.01,
    ),
    # Our choice: no source gives the paper's fine-tuning. Length and steps are those of CtP's (150
    # epochs, x0.1 at 60 and 120, learning rate 0.01, weight decay 5e-4).
    finetune=TuneConfig(epochs=150, milestones=(60, 120), lr=0.01, weight_decay=5e-4),
)

TINY = Recipe(
    # Our choice: the released network at a quarter of its width, on small clips, so that a CPU
    # trains it in minutes.
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
)

RECIPES = {"paper": PAPER, "tiny": TINY}
