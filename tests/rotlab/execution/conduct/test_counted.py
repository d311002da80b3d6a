"""Hours of GPUs are refused where nothing takes a GPU: none would ever be counted."""

import pytest

from rotlab.execution.conduct.counted import check_counted
from rotlab.planning.plan.decisions import Tuning
from rotlab.planning.space.allowance import Allowance
from rotlab.planning.space.objectives import Objective
from rotlab.planning.stage import Resources
from rotnet.errors import UserError

CORES, DEVICES = {"finetune": Resources(1, 0.0)}, {"finetune": Resources(1, 0.5)}


def judged_by(*objectives: str, hours: Allowance | None = None) -> Tuning:
    each = tuple(Objective(one, "minimize") for one in objectives)
    return Tuning("t", ("a.b",), ({},), "mine", "rgb", 4, allowance=hours, objectives=each)


@pytest.mark.parametrize(
    ("tuning", "said"),
    [
        (judged_by(hours=Allowance(4, "gpu_hours")), "search.budget.gpu_hours: nothing takes a"),
        (judged_by("val_loss", "gpu_hours"), "search.metric.gpu_hours: nothing takes a GPU here"),
    ],
)
def test_hours_of_gpus_are_refused_where_there_are_none(tuning: Tuning, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_counted([judged_by(), tuning], CORES)
    check_counted([tuning], DEVICES)


def test_hours_of_cores_are_there_everywhere() -> None:
    hours = Allowance(4, "cpu_hours")
    check_counted([judged_by("val_loss", "cpu_hours", hours=hours)], CORES)
