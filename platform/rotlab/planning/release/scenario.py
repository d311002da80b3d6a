"""The cluster of a simulation, as `--simulate` names it: "gpus=64 spot_mtbf=6h"."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rotlab.planning.space.names import unknown
from rotnet.config import RuntimeConfig
from rotnet.errors import UserError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_CORES_PER_GPU = 8


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cluster that is held from the beginning to the end.

    Args:
        gpus: devices.
        cpus: cores.
        gpus_per_node: devices of a node, which is lost as a whole; the last may have fewer.
        spot_mtbf_s: mean time until a node is taken away, exponentially distributed; None: never.
        checkpoint_s: between two checkpoints of a stage; what came after the last one is lost.
        startup_s: until a node is there, at first and again.
        worker_s: until a process can take stages; one takes others of the same request after that.
        overhead_s: of each stage, beside its work: to be begun, committed and heard of.
        seed: of the failures.
    """

    gpus: int = 0
    cpus: int = 0
    gpus_per_node: int = 1
    spot_mtbf_s: float | None = None
    checkpoint_s: float = RuntimeConfig().checkpoint_s
    startup_s: float = 0.0
    worker_s: float = 0.0
    overhead_s: float = 0.0
    seed: int = 0

    @property
    def num_nodes(self) -> int:
        """Nodes; without GPUs all cores are one."""
        return -(-self.gpus // self.gpus_per_node) or 1

    @property
    def margin(self) -> int:
        """How many stages are released beyond those that fit, as in a run."""
        return 1 + self.cpus // 8

    def __str__(self) -> str:
        said = [_counted(self.cpus, "core"), _counted(self.num_nodes, "node")]
        if self.gpus:
            said.insert(0, _counted(self.gpus, "GPU"))
        if self.spot_mtbf_s is not None:
            said.append(
                f"a node is lost every {duration(self.spot_mtbf_s)}, a checkpoint every "
                f"{duration(self.checkpoint_s)}, seed {self.seed}"
            )
        if self.startup_s:
            said.append(f"a node starts in {duration(self.startup_s)}")
        if self.worker_s:
            said.append(f"a process in {duration(self.worker_s)}")
        if self.overhead_s:
            said.append(f"{duration(self.overhead_s)} beside the work of each stage")
        return ", ".join(said)


def parse_scenario(text: str) -> Scenario:
    """Return the cluster that a text such as "gpus=64 spot_mtbf=6h" names.

    Cores that are not named are 8 for each GPU.

    Raises:
        UserError: a name or a value is not understood, or there is nothing to run on.
    """
    found: dict[str, Any] = {}
    for part in text.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if name not in OPTIONS:
            raise _refused(text, unknown("option", name, list(OPTIONS)))
        field, read = OPTIONS[name]
        if not equals or field in found:
            why = "stands there twice" if equals else "needs a value"
            raise _refused(text, f"{name} {why}, such as {name}={_EXAMPLES[name]}")
        number = read(value)
        if number is None:
            raise _refused(text, f"{name}={value}: {_RULES[read]}, such as {_EXAMPLES[name]}")
        found[field] = number
    if not found.get("gpus") and not found.get("cpus"):
        raise _refused(text, f"needs gpus or cpus; it may have {', '.join(OPTIONS)}")
    return Scenario(**{"cpus": _CORES_PER_GPU * found.get("gpus", 0), **found})


def duration(seconds: float) -> str:
    """Return a time in the largest of the units of which there is at least one."""
    for unit, length in (("h", 3600.0), ("m", 60.0)):
        if seconds >= length:
            return (
                f"{seconds / length:,.3g} {unit}" if seconds < 3.6e6 else f"{seconds / 3600:,.0f} h"
            )
    return f"{seconds:.3g} s"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _positive(text: str) -> int | None:
    return _whole(text) or None


def _time(text: str) -> float | None:
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)([smh])", text)
    return float(found[1]) * _UNITS[found[2]] if found else None


def _long_time(text: str) -> float | None:
    return _time(text) or None


_RULES: Mapping[Callable[[str], Any], str] = {
    _whole: "must be a whole number",
    _positive: "must be a whole number above 0",
    _time: "must be a time in s, m or h",
    _long_time: "must be a time above 0 in s, m or h",
}
OPTIONS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "gpus": ("gpus", _whole),
    "cpus": ("cpus", _positive),
    "gpus_per_node": ("gpus_per_node", _positive),
    "spot_mtbf": ("spot_mtbf_s", _long_time),
    "checkpoint": ("checkpoint_s", _time),
    "startup": ("startup_s", _time),
    "worker": ("worker_s", _time),
    "overhead": ("overhead_s", _time),
    "seed": ("seed", _whole),
}
_EXAMPLES = {
    "gpus": "64",
    "cpus": "512",
    "gpus_per_node": "8",
    "spot_mtbf": "6h",
    "checkpoint": "30s",
    "startup": "3m",
    "worker": "10s",
    "overhead": "0.5s",
    "seed": "1",
}


def _refused(text: str, why: str) -> UserError:
    return UserError(f"--simulate {text!r}: {why}")
