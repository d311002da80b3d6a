"""What fitted fusions ask of a plan, as people read it. Nothing is printed."""

from collections import Counter

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import is_held_out


def held_out_lines(plan: Plan) -> list[str]:
    """Which stages are made so that what joins others is fitted on held-out videos."""
    joining = [one for one in plan.stages.values() if any(map(is_held_out, one.inputs))]
    keys = {key for one in joining for name, key in one.inputs.items() if is_held_out(name)}
    counted = plan.count_by_kind()
    number = f"{len(joining)} fusion{'' if len(joining) == 1 else 's'}"
    lines = [
        f"fitted: {count} of {counted[kind]} {kind} stages hold videos out, to weigh {number} of "
        "networks that have learnt from all"
        for kind, count in Counter(plan.stages[key].kind for key in keys).items()
    ]
    return [""] * bool(lines) + lines
