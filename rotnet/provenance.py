"""Where every value of the recipes comes from: the released code, later work, or our choice."""

from collections.abc import Mapping
from types import MappingProxyType

OURS = "our choice"
# What sources are called, and where they are to be found.
REFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "3DRotNet": "arXiv 1811.11387; released code: github.com/LongLong-Jing/3DRotNet",
        "VIE": "a re-implementation of 3DRotNet in github.com/neuroailab/VIE",
        "CtP": "a re-implementation of 3DRotNet in github.com/microsoft/CtP, configs/rot3d",
        "VCOP": "Xu et al., CVPR 2019; github.com/xudejing/video-clip-order-prediction",
    }
)

_Named = tuple[tuple[str, str], ...]  # a source, and the settings of which it has the values
_TRAIN, _RESNET = "3DRotNet, released train.py", "3DRotNet, released resnet.py"
_OFF = f"{OURS}: off"
_HOW = f"{OURS}: changes no result"
_UNREAD = f"{OURS}: not read by the rotation task"
_UNTOLD = f"{OURS}: the paper's is published nowhere"

# Of the values that settings have by themselves, wherever a recipe says nothing else.
_BY_ITSELF: _Named = (
    (
        f"{_TRAIN} and Video_dataloader.py",
        "clip.frames clip.stride clip.size views.flip views.mean views.std",
    ),
    (f"{_TRAIN}, in two lines commented out", "views.dif"),
    ("VIE, pt_loader/transforms.py; the released files are reduced beforehand", "clip.resize"),
    (f"{OURS}: the released code reads films of fixed length only", "clip.short_video"),
    (_OFF, "views.grey views.chroma_drop views.chroma_shift model.dropout"),
    (f"{OURS}: off, as it would change labels", "views.vertical_flip"),
    (f"{OURS}: read by diff_std only", "views.dif_std"),
    (_RESNET, "model.backbone model.depth model.width model.hidden"),
    (f"{_RESNET}, but that the gradient passes: see what differs", "model.shortcut"),
    ("3DRotNet, the paper and released train.py", "pretext.task pretext.rotations"),
    (
        f"{_TRAIN}: quarter turns that move pixels, of crops as they lie",
        "pretext.path pretext.room",
    ),
    (f"{_TRAIN}: all rotations of a clip in one step", "pretext.views"),
    (f"{_TRAIN}: cross-entropy over the rotations", "pretext.target pretext.smoothing"),
    (f"{_TRAIN}: the rotations themselves", "pretext.labels"),
    (f"{OURS}: see what differs; 10 degrees on path resampled, as in train.py", "pretext.jitter"),
    (_UNREAD, "pretext.paces pretext.options"),
    (f"{OURS}: all of it", "data.pretrain_fraction"),
    (_TRAIN, "pretrain.batch_size pretrain.lr pretrain.momentum pretrain.weight_decay"),
    (f"{_TRAIN}: x0.1, in steps", "pretrain.schedule pretrain.gamma"),
    (f"{OURS}: each video once an epoch", "pretrain.steps_per_epoch"),
    (
        _OFF,
        "pretrain.warmup_epochs pretrain.nesterov pretrain.clip_gradient pretrain.accumulate "
        "pretrain.changes",
    ),
    (f"{OURS}: 32 bits", "pretrain.precision"),
    (_OFF, "pretrain.compile pretrain.deterministic"),
    (_UNTOLD, "finetune.batch_size finetune.momentum finetune.schedule finetune.gamma"),
    (
        _OFF,
        "finetune.warmup_epochs finetune.nesterov finetune.clip_gradient finetune.accumulate "
        "finetune.changes",
    ),
    (_OFF, "finetune.compile finetune.deterministic"),
    (f"{OURS}: each video once an epoch", "finetune.steps_per_epoch"),
    (f"{OURS}: 32 bits", "finetune.precision"),
    (f"{OURS}: all stages learn, from all labels", "finetune.freeze finetune.shots"),
    ("CtP: 10 clips, centre crop", "evaluate.clips evaluate.crops"),
    (OURS, "linear.clips linear.pools linear.l2 linear.val_fraction"),
    ("VCOP: mean over 10 clips", "retrieval.clips"),
    (_UNTOLD, "fuse.rule"),
    (_HOW, "runtime.workers runtime.verify runtime.checkpoint_s runtime.eval_batch"),
    (_HOW, "runtime.recompute runtime.attention"),
)

_CTP_TUNING = "finetune.epochs finetune.lr finetune.weight_decay"
_CTP_STEPS = "finetune.schedule finetune.milestones finetune.gamma"

# Of the values that a recipe states, or that its own source has as well.
_OF_RECIPES: Mapping[str, _Named] = {
    "paper": (
        (f"{_TRAIN}: seen past iteration 116,000", "pretrain.epochs"),
        (f"{_TRAIN}: it saves every 4,000 iterations", "pretrain.steps_per_epoch"),
        (f"{_TRAIN}: every 24,000 iterations", "pretrain.milestones"),
        (OURS, "pretrain.val_fraction finetune.val_fraction finetune.final"),
        ("CtP; the paper's is published nowhere", f"{_CTP_TUNING} {_CTP_STEPS}"),
    ),
    "ctp": (
        ("CtP", "clip.frames clip.stride clip.resize clip.size"),
        ("CtP: a stem of 3x7x7 without pooling", "model.backbone"),
        (f"{OURS}: CtP's head has one layer", "model.hidden"),
        ("CtP, in fine-tuning", "model.dropout"),
        ("CtP", "views.flip pretext.task pretext.rotations"),
        ("CtP: one random rotation of each clip", "pretext.views"),
        ("CtP", "pretrain.epochs pretrain.lr pretrain.momentum pretrain.weight_decay"),
        ("CtP", "pretrain.schedule pretrain.milestones pretrain.gamma pretrain.clip_gradient"),
        ("CtP: 4 devices with 8 clips each", "pretrain.batch_size"),
        (OURS, "pretrain.val_fraction finetune.val_fraction finetune.final finetune.batch_size"),
        ("CtP", f"{_CTP_TUNING} {_CTP_STEPS} evaluate.clips evaluate.crops"),
    ),
    "vcop": (
        ("VCOP", "clip.frames clip.resize clip.size"),
        (OURS, "clip.stride model.hidden pretrain.val_fraction finetune.final"),
        (f"{OURS}: VCOP's r3d has one block a stage", "model.backbone"),
        (f"{OURS}: VCOP's pretext is another", "pretrain.epochs pretrain.lr pretrain.schedule"),
        (f"{OURS}: VCOP's pretext is another", "pretrain.milestones"),
        ("VCOP, of fine-tuning", "pretrain.batch_size pretrain.weight_decay"),
        ("VCOP", "finetune.epochs finetune.batch_size finetune.lr finetune.weight_decay"),
        (f"{OURS}: steps are not recorded", "finetune.schedule finetune.milestones"),
        ("VCOP: 800 of UCF101's 9,537, here in whole groups", "finetune.val_fraction"),
        ("VCOP", "evaluate.clips"),
    ),
    "tiny": (
        (f"{OURS}: small, for a CPU", "clip.frames clip.stride clip.resize clip.size model.width"),
        (OURS, "pretrain.epochs pretrain.batch_size pretrain.lr pretrain.weight_decay"),
        (OURS, "pretrain.schedule pretrain.milestones pretrain.warmup_epochs"),
        (OURS, "pretrain.val_fraction finetune.val_fraction finetune.final"),
        (OURS, "finetune.epochs finetune.batch_size finetune.lr finetune.weight_decay"),
        (OURS, "finetune.schedule finetune.milestones finetune.warmup_epochs evaluate.clips"),
    ),
}


def sources_of(recipe: str) -> Mapping[str, str]:
    """Return where each value of a recipe comes from: section.setting -> source.

    A source is our choice, or begins with a name of `REFERENCES`.
    """
    return {**_by_setting(_BY_ITSELF), **_by_setting(_OF_RECIPES[recipe])}


def own_settings(recipe: str) -> frozenset[str]:
    """Return the settings whose values a recipe has a source of its own for."""
    return frozenset(_by_setting(_OF_RECIPES[recipe]))


def _by_setting(named: _Named) -> dict[str, str]:
    return {setting: source for source, settings in named for setting in settings.split()}
