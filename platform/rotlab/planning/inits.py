"""What a network starts from: the values of `init`, and what each makes of the settings.

A pretext's own name is an init: the network starts from a pretraining by it. The others start from
no pretraining, from weights in a file, or from training with the target's labels.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rotnet.config import PRETEXT_READS
from rotnet.errors import UserError
from rotnet.registry import PRETEXTS

PRETEXT = "pretext"  # every pretext, where a stage kind says what it can start from
ROTATION, SCRATCH, RANDOM_FROZEN = "rotation", "scratch", "random-frozen"
SUPERVISED, TARGET = "supervised", "target"
OTHERS = (SCRATCH, RANDOM_FROZEN, SUPERVISED, TARGET)
ALL_STAGES = 5  # the value of finetune.freeze that lets only the head learn

_TASK = "task"  # the setting of the section `pretext` that init takes the place of


def inits() -> tuple[str, ...]:
    """Return all values of `init`: the pretexts, rotation first, then the others.

    Raises:
        UserError: a package registers a pretext under a name that means something else here.
    """
    names = PRETEXTS.names()
    for name in (*OTHERS, PRETEXT):
        if name in names:
            raise UserError(
                f"a pretext is registered as {name!r}, which means something else as an init; "
                "its package has to give it another name"
            )
    return (ROTATION, *(name for name in names if name != ROTATION), *OTHERS)


def is_pretext(init: str) -> bool:
    """Say whether a network with this init is pretrained."""
    return init not in OTHERS


def fits(init: str, allowed: Collection[str]) -> bool:
    """Say whether an init is among those a stage kind names; "pretext" stands for all of them."""
    return init in allowed or (PRETEXT in allowed and is_pretext(init))


def imposed(init: str, section: str) -> Mapping[str, Any]:
    """Return the settings of a section that an init decides: field -> value."""
    if section == "pretext" and is_pretext(init):
        return {_TASK: init}
    if section == "finetune" and init == RANDOM_FROZEN:
        return {"freeze": ALL_STAGES}
    return {}


def reads(init: str, section: str, field: str) -> bool:
    """Say whether a setting has a say where a network has this init.

    A pretext reads its own settings of the section `pretext` only, and no init's pretext reads the
    task, which init itself is.
    """
    if section == "pretext":
        own = PRETEXT_READS.get(init, frozenset(["options"]))
        return is_pretext(init) and field != _TASK and field in own
    return field not in imposed(init, section)


def ways(section: str, fields: Iterable[str], among: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the different ways in which inits read a section: an init for each -> its fields.

    Args:
        section: of settings.
        fields: of the section, those that matter.
        among: inits; of several that read the section alike the first is taken.
    """
    fields = tuple(fields)
    found: dict[str, tuple[str, ...]] = {}
    for init in among:
        read = tuple(field for field in fields if reads(init, section, field))
        alike = (
            read == known and imposed(init, section) == imposed(other, section)
            for other, known in found.items()
        )
        if not any(alike):
            found[init] = read
    return found
