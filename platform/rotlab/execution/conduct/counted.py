"""Whether the hours that searches count are any where they run."""

from collections.abc import Collection, Mapping

from rotlab.planning.plan.decisions import Tuning
from rotlab.planning.stage import Resources
from rotnet.errors import UserError


def check_counted(tunings: Collection[Tuning], resources: Mapping[str, Resources]) -> None:
    """Refuse a search that would never come to the end of its hours, or is judged by none.

    Args:
        tunings: the searches.
        resources: stage kind -> what its stages occupy.

    Raises:
        UserError: it counts hours of GPUs, and nothing takes one.
    """
    if any(each.gpus for each in resources.values()):
        return
    ways_out = "give cpu_hours, or ask for GPUs: resources: {finetune: {gpus: 1}, ...}"
    limits = {one.allowance.unit for one in tunings if one.allowance is not None}
    if "gpu_hours" in limits:
        raise UserError(
            "search.budget.gpu_hours: nothing takes a GPU here, so none of them would ever be used;"
            f" {ways_out}"
        )
    if any(each.unit == "gpu_hours" for one in tunings for each in one.objectives):
        raise UserError(
            "search.metric.gpu_hours: nothing takes a GPU here, so all tries would come to 0; "
            f"{ways_out}"
        )
