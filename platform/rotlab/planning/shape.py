"""Which stage kinds make a cell's result, and which settings they read between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from rotlab.planning.kinds import sections_of
from rotlab.planning.stage import Input, StageKind
from rotnet.config import Modality

MEMBERS: tuple[str, ...] = get_args(Modality)
FUSION = "fusion"
MODALITIES = (*MEMBERS, FUSION)
INITS = ("rotation", "scratch")


@dataclass(frozen=True, slots=True)
class Shape:
    """The chain of stage kinds behind one sort of cell.

    Args:
        init: what the network starts from.
        members: the modalities a chain is made for, one or all.
        scorer: kind of the last stage of each chain.
        joiner: kind of the stage that joins the chains; None for a single one.
        sections: settings that some stage reads.
        choices: those of init and modality that make a difference.
    """

    init: str
    members: tuple[str, ...]
    scorer: StageKind
    joiner: StageKind | None
    sections: frozenset[str]
    choices: frozenset[str]

    def reads(self, axis: str) -> bool:
        """Say whether an axis ("clip.frames", "init") makes a difference to such cells."""
        return axis in self.choices or axis.partition(".")[0] in self.sections


def shape_of(measure: str, init: str, modality: str, kinds: Mapping[str, StageKind]) -> Shape:
    """Return what a cell is made of: the measured kind, what it needs, what scores and joins it.

    Raises:
        ValueError: fusion is asked of a kind whose results nothing joins.
    """
    measured = kinds[measure]
    scorer = kinds[measured.scored_by] if measured.scored_by else measured
    involved = _involved(scorer, init, kinds)
    choices = _choices(scorer, kinds)
    fused = modality == FUSION and "modality" in choices
    if fused and scorer.joined_by is None:
        raise ValueError(f"{scorer.name!r} cannot be fused: no stage kind joins its results")
    joiner = kinds[scorer.joined_by] if fused and scorer.joined_by else None
    read = [*involved, joiner] if joiner else involved
    return Shape(
        init=init,
        members=MEMBERS if fused else (modality if modality in MEMBERS else MEMBERS[0],),
        scorer=scorer,
        joiner=joiner,
        sections=frozenset(section for kind in read for section in sections_of(kind)),
        choices=frozenset(choices),
    )


def applies(source: Input, init: str, modality: str) -> bool:
    """Say whether a kind takes this input in a cell with these choices."""
    if source.only_if is None:
        return True
    choice, value = source.only_if
    return {"init": init, "modality": modality}[choice] == value


def _choices(last: StageKind, kinds: Mapping[str, StageKind]) -> set[str]:
    """Which of init and modality could make a difference to a result, whatever the other one is."""
    behind = {
        name for init in INITS for name in (kind.name for kind in _involved(last, init, kinds))
    }
    found = {
        source.only_if[0] for name in behind for source in kinds[name].inputs if source.only_if
    }
    found |= {"modality" for name in behind if "modality" in kinds[name].config.model_fields}
    return found


def _involved(last: StageKind, init: str, kinds: Mapping[str, StageKind]) -> list[StageKind]:
    """The kinds behind a result, last first; an input that depends on the modality counts."""
    found = {last.name: last}
    queue = [last]
    for kind in queue:
        for source in kind.inputs:
            taken = any(applies(source, init, modality) for modality in MEMBERS)
            if taken and source.kind not in found:
                found[source.kind] = kinds[source.kind]
                queue.append(kinds[source.kind])
    return list(found.values())
