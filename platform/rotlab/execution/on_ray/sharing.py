"""A run among others on a cluster that it has joined: it takes its share of it, and gives way."""

import contextlib
from collections.abc import Callable, Iterator

from rotlab.execution.conduct.conduct import Conduct
from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.neighbours import Neighbours
from rotlab.execution.on_ray.cluster import Cluster
from rotlab.planning.release.fairness import Wish


@contextlib.contextmanager
def beside_others(
    job: Job, conduct: Conduct, cluster: Cluster, run: str
) -> Iterator[Callable[[], None]]:
    """Yield what is to be called now and then: it hears of others, and limits the run for them.

    A cluster that was started for the run has no others.

    Args:
        job: the study.
        conduct: the run.
        cluster: that it is on.
        run: its identity.
    """
    if not cluster.may_grow:
        yield lambda: None
        return
    neighbours = Neighbours(job.store.cluster_folder(cluster.name), run)

    def wish() -> Wish:
        return conduct.wish(job.plan.name, job.weight)

    def look() -> None:
        try:
            conduct.limit = neighbours.look(wish)
        except OSError:  # a full disk: no order of work is worth an end
            conduct.limit = None

    try:
        yield look
    finally:
        with contextlib.suppress(OSError):
            neighbours.leave()
