"""What computes, and how fast it is taken to be where no record tells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rotlab.planning.work import Precision

CPU = "cpu"  # the name of every machine without a GPU, as records have it


@dataclass(frozen=True, slots=True)
class Device:
    """A sort of GPU, or of CPU core.

    Args:
        name: of the GPU, or "cpu".
        flops: precision -> floating-point operations a second that training keeps up, of one GPU or
            core.
        source: of these numbers.
    """

    name: str
    flops: Mapping[Precision, float] = field(default_factory=dict)
    source: str = ""

    @property
    def has_gpu(self) -> bool:
        """Whether stages run on GPUs here."""
        return self.name != CPU

    def is_called(self, found: str) -> bool:
        """Say whether a record's device is of this sort: A100 is NVIDIA A100-SXM4-80GB, A10 not."""
        return _words(self.name) <= _words(found)


def _gpu(name: str, fp32: float, half: float, *, has_bf16: bool = True) -> Device:
    """A GPU by the peaks of its data sheet, in TFLOP/s: without and with tensor cores."""
    rates: dict[Precision, float] = {
        "fp32": _OF_FP32 * fp32 * 1e12,
        "bf16": (_OF_HALF * half if has_bf16 else _OF_FP32 * fp32) * 1e12,
        "fp16": _OF_HALF * half * 1e12,
    }
    shares = f"{_OF_FP32:.0%} of {fp32:g} in fp32, {_OF_HALF:.0%} of {half:g} on tensor cores"
    return Device(name, rates, f"assumed: {shares}, the TFLOP/s of NVIDIA's data sheet")


# Assumed, not measured: 3D convolutions with batch normalisation between them wait for memory.
_OF_FP32, _OF_HALF = 0.35, 0.12
_CORE = 4e10  # about what the demo keeps up on cores that do nothing else
DEVICES: Mapping[str, Device] = {
    one.name: one
    for one in (
        _gpu("T4", 8.1, 65, has_bf16=False),
        _gpu("V100", 15.7, 125, has_bf16=False),
        _gpu("A10", 31.2, 125),
        _gpu("L4", 30.3, 121),
        _gpu("A100", 19.5, 312),
        _gpu("H100", 67, 989),
        Device(
            CPU,
            {"fp32": _CORE, "bf16": _CORE, "fp16": _CORE},
            "assumed of one core",
        ),
    )
}
DEFAULT_GPU = "A100"


def rate_text(rate: float) -> str:
    """Return a rate in TFLOP/s, or in GFLOP/s below one of those."""
    return f"{rate / 1e12:.3g} TFLOP/s" if rate >= 1e12 else f"{rate / 1e9:.3g} GFLOP/s"


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))
