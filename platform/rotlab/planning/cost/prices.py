"""A user's price file: what devices cost and how fast they are, and which one to plan for.

```yaml
currency: EUR
device: A100                 # to plan for; others are there to be named by --device
devices:
  A100: {gpu_hour: 1.10, flops: {fp32: 7e12, bf16: 35e12}}   # sustained in training, of one GPU
  cpu: {cpu_hour: 0.04, flops: 2e10}                          # of one core
nodes:                       # whole machines, for `rotlab cluster check`; on Kubernetes, groups
  g6.xlarge: {hour: 0.80, spot_hour: 0.30}
```
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from rotlab.planning.cost.devices import CPU, DEVICES, Device
from rotlab.planning.space.names import unknown
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place, read_source
from rotlab.planning.work import Precision
from rotnet.errors import UserError

_FORM = (
    "a price file has currency and devices, such as {A100: {gpu_hour: 1.10}}, or nodes, such as "
    "{g6.xlarge: {hour: 0.80}}"
)
_PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, slots=True)
class NodePrice:
    """What a whole machine costs.

    Args:
        hour: on demand.
        spot_hour: as spot.
    """

    hour: float | None = None
    spot_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """What is known of devices beside the defaults.

    Args:
        currency: of the prices; None where there are none.
        device: name of the one to plan for, where the file names one.
        hourly: device -> price of an hour of one GPU, or of one core for "cpu".
        devices: by name, those of the file before the known ones.
        nodes: machine of a provider, or group of nodes -> what it costs.
    """

    currency: str | None = None
    device: str | None = None
    hourly: Mapping[str, float] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=lambda: DEVICES)
    nodes: Mapping[str, NodePrice] = field(default_factory=dict)

    def find(self, name: str) -> Device:
        """Return the device of a name.

        Raises:
            UserError: neither the file nor rotlab knows it.
        """
        if name not in self.devices:
            said = unknown("device", name, list(self.devices))
            raise UserError(f"{said}; others can be described in a file for --prices")
        return self.devices[name]


def read_prices(path: Path) -> Prices:
    """Return what a price file says.

    Raises:
        SpecError: with all that is wrong with the file.
    """
    report = Report(read_source(path, _FORM))
    report.mapping((), ("currency", "device", "devices", "nodes"), "key")
    nodes = {name: _node(report, name) for name in _machines(report)}
    given = report.get(("devices",))
    if given is None and nodes:
        given = {}
    elif not isinstance(given, dict) or not given:
        report.add(("devices",), f"must name at least one device, got {shown(given)}; {_FORM}")
        given = {}
    devices, hourly = dict(DEVICES), {}
    for name in given:
        devices[name] = _device(report, name)
        price = _price(report, name)
        if price is not None:
            hourly[name] = price
    currency = report.text(("currency",)) if hourly or nodes or report.has(("currency",)) else None
    device = report.text(("device",)) if report.has(("device",)) else None
    if device is not None and device not in devices:
        report.add(("device",), unknown("device", device, list(devices)))
    if report.problems:
        raise SpecError(path, report.problems)
    return Prices(currency, device, hourly, devices, nodes)


def _device(report: Report, name: str) -> Device:
    place = ("devices", name)
    hour = "cpu_hour" if name == CPU else "gpu_hour"
    report.mapping(place, (hour, "flops"), f"entry of {name}")
    known = DEVICES.get(name)
    at = (*place, "flops")
    if not report.has(at):
        if known is None:
            report.add(place, f"needs flops: how many a second {name} keeps up in training")
        return known or Device(name)
    given = report.get(at)
    if not isinstance(given, dict):
        rate = _number(report, at)
        return Device(name, dict.fromkeys(_PRECISIONS, rate), "price file: in any precision")
    rates: dict[Precision, float] = dict(known.flops) if known else {}
    report.mapping(at, _PRECISIONS, "precision")
    for precision in _PRECISIONS:
        if report.has((*at, precision)):
            rates[precision] = _number(report, (*at, precision))
    beside = f"; else {known.source}" if known and len(given) < len(_PRECISIONS) else ""
    return Device(name, rates, f"price file: {', '.join(map(str, given))}{beside}")


def _machines(report: Report) -> list[str]:
    given = report.get(("nodes",))
    if report.has(("nodes",)) and not isinstance(given, dict):
        report.add(
            ("nodes",), f"must be a mapping of machines to prices, got {shown(given)}; {_FORM}"
        )
    return list(given) if isinstance(given, dict) else []


def _node(report: Report, name: str) -> NodePrice:
    place = ("nodes", name)
    given = report.mapping(place, ("hour", "spot_hour"), f"entry of {name}")
    return NodePrice(**{unit: _number(report, (*place, unit), free=True) for unit in given})


def _price(report: Report, name: str) -> float | None:
    at = ("devices", name, "cpu_hour" if name == CPU else "gpu_hour")
    return _number(report, at, free=True) if report.has(at) else None


def _number(report: Report, place: Place, *, free: bool = False) -> float:
    """A number above 0, or at least 0 where it may be free; 1 after a problem."""
    value = report.get(place)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and (0 < value < float("inf") or (free and value == 0)):
        return float(value)
    rule = "at least 0" if free else "greater than 0"
    report.add(place, f"must be a number {rule}, got {shown(value)}")
    return 1.0
