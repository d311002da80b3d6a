"""How a simulated run went. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a simulated run went.

    Args:
        stages: that were run.
        makespan_s: from the first node asked for to the last stage's end.
        gpu_hours: of stages at work, what they lost included.
        cpu_hours: likewise, of all their cores.
        held_gpu_hours: of nodes that were there.
        held_cpu_hours: likewise.
        failures: nodes that were lost while a stage ran on them.
        lost_s: of stages' work that had to be done again.
        critical_path_s: the longest chain of stages.
        work_bound_s: all work shared evenly by all that the cluster has.
        startup_s: before anything can begin.
    """

    stages: int
    makespan_s: float
    gpu_hours: float
    cpu_hours: float
    held_gpu_hours: float
    held_cpu_hours: float
    failures: int
    lost_s: float
    critical_path_s: float
    work_bound_s: float
    startup_s: float

    @property
    def lower_bound_s(self) -> float:
        """No order of stages is faster on this cluster, even without failures."""
        return self.startup_s + max(self.critical_path_s, self.work_bound_s)

    @property
    def utilisation(self) -> float:
        """Share of the held GPUs, or cores where there are none, that stages were at work on."""
        held = self.held_gpu_hours or self.held_cpu_hours
        return (self.gpu_hours if self.held_gpu_hours else self.cpu_hours) / held if held else 0.0
