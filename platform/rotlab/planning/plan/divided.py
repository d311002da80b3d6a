"""Stages that several processes compute, each with its share of the cores and devices."""

from collections.abc import Iterable, Iterator, Mapping

from rotlab.planning.stage import Resources, Stage, StageKind
from rotnet.errors import UserError


def undivided(
    stages: Iterable[Stage], kinds: Mapping[str, StageKind], resources: Mapping[str, Resources]
) -> Iterator[tuple[str, str]]:
    """Yield (kind, why) for stages that cannot be computed by as many processes as are asked for.

    Each reason once. Where it is not known yet whether a process gets a device, it is taken to.

    Args:
        stages: of a plan.
        kinds: stage kinds by name.
        resources: kind -> what its stages occupy, where the search space or the run says it.
    """
    told: set[tuple[str, str]] = set()
    for stage in stages:
        kind = kinds[stage.kind]
        asked = resources.get(stage.kind, kind.resources)
        if asked.processes == 1 or kind.divides is None:
            continue
        why = kind.divides(stage.config, asked.processes, asked.gpus is None or asked.gpus > 0)
        if why is not None and (stage.kind, why) not in told:
            told.add((stage.kind, why))
            yield stage.kind, why


def check_divided(
    stages: Iterable[Stage], kinds: Mapping[str, StageKind], resources: Mapping[str, Resources]
) -> None:
    """Refuse requests, resolved for a cluster, by which a stage cannot be computed.

    Raises:
        UserError: with all of them.
    """
    found = [f"resources.{kind}: {why}" for kind, why in undivided(stages, kinds, resources)]
    if found:
        raise UserError("; ".join(found))
