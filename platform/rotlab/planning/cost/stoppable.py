"""What stopping tries that fall behind can save at most. At least it saves nothing."""

from collections import Counter
from collections.abc import Collection, Mapping

from rotlab.planning.cost.cost import Estimate
from rotlab.planning.plan.decisions import Contest, Proposed
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import StageKind


def stoppable(
    plan: Plan,
    kinds: Mapping[str, StageKind],
    estimates: Mapping[str, Estimate],
    done: Collection[str],
) -> dict[str, float | None]:
    """Return key -> seconds of the stage that may be saved, None where nobody knows how many.

    That is so if every try is stopped as soon as the pruner may, but for those that it lets get to
    their end: the shortest of each search. Of a try on several seeds or splits, one is begun.

    Args:
        plan: with all proposals.
        kinds: stage kinds by name.
        estimates: of every stage.
        done: keys of the stages that the store has.
    """
    uses = Counter(key for cell in plan.cells for key in cell.stages)
    uses.update(key for one in plan.proposed for key in one.stages)
    found: dict[str, float | None] = {}
    for tuning in plan.tunings.values():
        if tuning.contest is None:
            continue
        own = [one for one in plan.proposed if one.proposal.tuning == tuning.key]
        missing = [one for one in own if not _is_done(one, done)]
        each = [_of(one, plan, kinds, estimates, tuning.contest, uses, done) for one in missing]
        each.sort(key=lambda saved: sum(one or 0.0 for one in saved.values()))
        for saved in each[max(tuning.contest.whole - (len(own) - len(missing)), 0) :]:
            found |= saved
    return found


def _is_done(proposed: Proposed, done: Collection[str]) -> bool:
    """Whether all that judges a proposal is there."""
    return all(key in done for key in proposed.results)


def _of(
    proposed: Proposed,
    plan: Plan,
    kinds: Mapping[str, StageKind],
    estimates: Mapping[str, Estimate],
    contest: Contest,
    uses: Mapping[str, int],
    done: Collection[str],
) -> dict[str, float | None]:
    """What one try may save, of the stages that it alone needs."""
    first = min(
        (key for key in proposed.results if key not in done),
        key=lambda key: estimates[key].seconds or 0.0,
    )
    begun = plan.inputs_of([first])
    saved: dict[str, float | None] = {}
    for key in proposed.stages:
        if uses[key] > 1 or key in done or (key in begun and key != first):
            continue
        seconds = estimates[key].seconds
        share = _share_left(plan, kinds, key, contest) if key == first else 1.0
        saved[key] = None if seconds is None else seconds * share
    return saved


def _share_left(plan: Plan, kinds: Mapping[str, StageKind], key: str, contest: Contest) -> float:
    """How much of a stage is still to do when it may first be stopped."""
    stage = plan.stages[key]
    length = kinds[stage.kind].length
    if length is None:
        return 0.0
    section, _, setting = length.setting.partition(".")
    epochs = getattr(getattr(stage.config, section), setting)
    return max(epochs - contest.grace, 0) / epochs
