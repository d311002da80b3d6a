"""Settings of every stage: one module a group of them, and what each stage reads. No torch here."""

from rotnet.config.clip import ClipConfig, Modality, ViewConfig
from rotnet.config.measuring import EvaluateConfig, FuseConfig, LinearConfig, RetrievalConfig
from rotnet.config.model import ModelConfig
from rotnet.config.pretext import PRETEXT_READS, AngleSet, PretextConfig
from rotnet.config.runtime import RuntimeConfig
from rotnet.config.settings import identity
from rotnet.config.stages import (
    FinetuneConfig,
    FrozenConfig,
    FusionConfig,
    PretrainConfig,
    ProbeConfig,
    RetrieveConfig,
    ScoreConfig,
)
from rotnet.config.training import CHANGEABLE, DataConfig, TrainConfig, TuneConfig

__all__ = [
    "CHANGEABLE",
    "PRETEXT_READS",
    "AngleSet",
    "ClipConfig",
    "DataConfig",
    "EvaluateConfig",
    "FinetuneConfig",
    "FrozenConfig",
    "FuseConfig",
    "FusionConfig",
    "LinearConfig",
    "Modality",
    "ModelConfig",
    "PretextConfig",
    "PretrainConfig",
    "ProbeConfig",
    "RetrievalConfig",
    "RetrieveConfig",
    "RuntimeConfig",
    "ScoreConfig",
    "TrainConfig",
    "TuneConfig",
    "ViewConfig",
    "identity",
]
