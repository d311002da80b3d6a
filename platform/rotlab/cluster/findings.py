"""What surveys of a cluster's machines mean for a study. Nothing is asked, nothing printed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rotlab.cluster.survey import Cuda, Survey

Verdict = Literal["ok", "warn", "bad"]

_MUST_EQUAL = ("python", "ray", "rotlab", "torch")
_SHOULD_EQUAL = ("torchvision", "av", "numpy")
_SHOWN = ("python", "ray", "torch", "mlflow", "rotlab")
_GB = 10**9
_LEAST_BYTES, _FEW_BYTES = 1 * _GB, 10 * _GB
_SKEW_WARN_S, _SKEW_BAD_S = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        verdict: whether it is in order; a study should not be begun with a bad one.
        where: the driver, or a node.
        what: was looked at.
        text: what was found, and what to do about it.
    """

    verdict: Verdict
    where: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a clock is from the driver's.

    Args:
        ahead_s: seconds that it is ahead; negative: behind.
        within_s: how far that may be off.
    """

    ahead_s: float
    within_s: float


def judge(driver: Survey) -> Iterator[Finding]:
    """Yield what the driver's own machine means."""
    said = ", ".join(f"{name} {driver.versions.get(name, 'missing')}" for name in _SHOWN)
    lacking = [name for name in ("ray", "torch", "mlflow") if name not in driver.versions]
    if lacking:
        said += f"; install rotlab[platform], {', '.join(lacking)} is missing"
    yield Finding("bad" if lacking else "ok", "driver", "versions", said)
    yield from _machine(driver, "driver")


def judge_node(node: Survey, driver: Survey, clock: Clock, where: str) -> Iterator[Finding]:
    """Yield what a node's survey means, beside the driver's."""
    yield from _versions(node, driver, where)
    yield from _machine(node, where)
    yield _clock(clock, where)


def exit_status(findings: Sequence[Finding]) -> int:
    """Return 1 if anything is bad, else 0."""
    return int(any(finding.verdict == "bad" for finding in findings))


def _versions(node: Survey, driver: Survey, where: str) -> Iterator[Finding]:
    verdict: Verdict
    for verdict, names in (("bad", _MUST_EQUAL), ("warn", _SHOULD_EQUAL)):
        differ = _differ(node.versions, driver.versions, names)
        if differ:
            yield Finding(
                verdict,
                where,
                "versions",
                f"{', '.join(differ)}; run the driver and the nodes from one image",
            )
    if node.commit != driver.commit:
        yield Finding(
            "warn",
            where,
            "code",
            f"commit {node.commit}, but the driver has {driver.commit}; bring both to one",
        )
    elif not _differ(node.versions, driver.versions, (*_MUST_EQUAL, *_SHOULD_EQUAL)):
        yield Finding("ok", where, "versions", "as the driver's")


def _differ(node: Mapping[str, str], driver: Mapping[str, str], names: Sequence[str]) -> list[str]:
    return [
        f"{name} {node.get(name, 'missing')}, but the driver has {driver.get(name, 'none')}"
        for name in names
        if node.get(name) != driver.get(name)
    ]


def _machine(found: Survey, where: str) -> Iterator[Finding]:
    yield _gpus(found, where)
    for name, room in found.rooms.items():
        free = f"{room.free_bytes / _GB:,.1f} GB free at {room.path}"
        if room.free_bytes < _LEAST_BYTES:
            yield Finding("bad", where, f"{name} disk", f"{free}; at least 1 GB is needed")
        elif room.free_bytes < _FEW_BYTES:
            yield Finding("warn", where, f"{name} disk", f"{free}; large sets need more")
        else:
            yield Finding("ok", where, f"{name} disk", free)
    if found.store is None:
        yield Finding("ok", where, "store", "written, and a file is created by one only")
    else:
        yield Finding("bad", where, "store", found.store)


def _gpus(found: Survey, where: str) -> Finding:
    number = f"{found.gpus} GPU{'' if found.gpus == 1 else 's'}"
    if not found.gpus:
        return Finding("ok", where, "GPUs", "none: stages run on cores")
    if found.cuda is None:
        said = f"{number}, but torch is built for cores only; install one that is built for CUDA"
        return Finding("bad", where, "GPUs", said)
    if found.driver is None:
        said = f"{number}, but no driver's library; run the container with NVIDIA's toolkit"
        return Finding("bad", where, "GPUs", said)
    if found.driver[0] < found.cuda[0]:
        said = (
            f"{number}, but torch needs CUDA {_dotted(found.cuda)}, and the driver knows no newer "
            f"than {_dotted(found.driver)}; renew the driver, or take a torch built for that"
        )
        return Finding("bad", where, "GPUs", said)
    said = f"{number}; CUDA {_dotted(found.cuda)}, a driver for {_dotted(found.driver)}"
    return Finding("ok", where, "GPUs", said)


def _clock(clock: Clock, where: str) -> Finding:
    surely_s = max(0.0, abs(clock.ahead_s) - clock.within_s)
    side = "ahead of" if clock.ahead_s > 0 else "behind"
    said = f"{abs(clock.ahead_s):.2f} s {side} the driver's (known to {clock.within_s:.2f} s)"
    if surely_s > _SKEW_BAD_S:
        return Finding("bad", where, "clock", f"{said}; have both keep time by NTP")
    if surely_s > _SKEW_WARN_S:
        return Finding("warn", where, "clock", f"{said}; have both keep time by NTP")
    return Finding("ok", where, "clock", said)


def _dotted(version: Cuda) -> str:
    return f"{version[0]}.{version[1]}"
