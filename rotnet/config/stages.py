"""All the settings that each stage reads."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from rotnet.config.clip import ClipConfig, Modality, ViewConfig
from rotnet.config.measuring import EvaluateConfig, FuseConfig, LinearConfig, RetrievalConfig
from rotnet.config.model import ModelConfig
from rotnet.config.pretext import PretextConfig
from rotnet.config.runtime import RuntimeConfig
from rotnet.config.settings import Settings
from rotnet.config.training import DataConfig, TrainConfig, TuneConfig

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class PretrainConfig(Settings):
    """All that a pretraining is made of, but its videos."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    pretext: PretextConfig = PretextConfig()
    data: DataConfig = DataConfig()
    pretrain: TrainConfig = TrainConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()

    @model_validator(mode="after")
    def _one_way_to_save_memory(self) -> Self:
        _check_compiled(self.pretrain, self.runtime)
        return self

    @model_validator(mode="after")
    def _no_view_changes_a_label(self) -> Self:
        if self.pretext.task == "rotation" and self.views.vertical_flip:
            raise ValueError(
                "views.vertical_flip must be 0 when rotations are learnt: a vertical flip is a "
                f"half turn of a mirrored clip; got {self.views.vertical_flip:g}"
            )
        return self


class FinetuneConfig(Settings):
    """All that a fine-tuning is made of, but its videos and the network it starts from."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    finetune: TuneConfig = TuneConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()

    @model_validator(mode="after")
    def _one_way_to_save_memory(self) -> Self:
        _check_compiled(self.finetune, self.runtime)
        return self


class ScoreConfig(Settings):
    """All that scoring needs beside the network, which brings its own clip and views."""

    evaluate: EvaluateConfig = EvaluateConfig()
    runtime: RuntimeConfig = RuntimeConfig()


class FrozenConfig(Settings):
    """All that measuring a frozen network is made of, but its videos and the network."""

    modality: Modality = "rgb"
    clip: ClipConfig = ClipConfig()
    views: ViewConfig = ViewConfig()
    model: ModelConfig = ModelConfig()
    seed: Seed = 0
    runtime: RuntimeConfig = RuntimeConfig()


class ProbeConfig(FrozenConfig):
    """All that a linear probe is made of, but its videos and the network it looks into."""

    linear: LinearConfig = LinearConfig()


class RetrieveConfig(FrozenConfig):
    """All that a retrieval is made of, but its videos and the network whose features it uses."""

    retrieval: RetrievalConfig = RetrievalConfig()


class FusionConfig(Settings):
    """All that a fusion needs beside its members' scores."""

    fuse: FuseConfig = FuseConfig()


def _check_compiled(training: TrainConfig, runtime: RuntimeConfig) -> None:
    if training.compile and runtime.recompute:
        raise ValueError(
            "runtime.recompute and compile exclude one another: what is compiled decides by itself "
            "what to keep; set one of them to false"
        )
