"""Who prepares videos, one by one: processes of this machine, or what else is handed in."""

from collections.abc import Callable, Iterator, Sequence

from rotnet.data.framestore.packing import packets_of
from rotnet.data.processes import map_in_order
from rotnet.data.store import Task, left_out, prepare_video
from rotnet.data.workplace import Stored, file_sha256

# Gives what became of each task, in their order; of one whose process died, `died`.
Hands = Callable[[Sequence[Task]], Iterator[Stored]]


def processes(workers: int) -> Hands:
    """Return so many processes of this machine; 0 works in this one."""

    def prepared(tasks: Sequence[Task]) -> Iterator[Stored]:
        return map_in_order(prepare_video, tasks, workers=min(workers, len(tasks)), died=died)

    return prepared


def died(task: Task) -> Stored:
    """Return the row of a video whose process died."""
    reason = "the process that decoded it died (a crash in its codec, or no memory)"
    return Stored(left_out(task, reason, file_sha256(task.file)), packets_of([]))
