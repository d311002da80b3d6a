"""A bill as people and programs read it. Nothing is printed."""

from collections.abc import Iterable
from typing import Any

from rotlab.planning.cost.bill import Bill, KindBill, Spending
from rotlab.planning.cost.costed import Costed
from rotlab.planning.space.budget import Budget

_DEAREST = 8  # values shown; the rest are in the JSON
_LEAST = 0.005  # of the missing hours: what takes less is not among the dearest


def bill_lines(costed: Costed) -> list[str]:
    """Return the bill as text: hours by kind and in total, sources, disk, the dearest values."""
    bill = costed.bill
    lines = _table(bill)
    lines += _stoppable(bill)
    wide = max(map(len, bill.kinds))
    lines += ["", *(f"  {kind:{wide}}  {_sources(one)}" for kind, one in bill.kinds.items())]
    lines += ["", f"disk: {size(bill.bytes_planned)} for all results"]
    if bill.bytes_missing != bill.bytes_planned:
        lines[-1] += f", {size(bill.bytes_missing)} of them missing"
    lines += _dearest(bill)
    lines += [f"assumed: {one}" for one in costed.assumed]
    return lines


def budget_line(budget: Budget, costed: Costed | None) -> str:
    """Return a budget in a line, and whether what is missing is thought to exceed it."""
    line = f"budget: {budget}; `run` stops there, and goes on once it is raised"
    if costed is None:
        return line
    missing = costed.bill.total.missing
    needs = (
        (budget.gpu_hours, missing.gpu_hours, "GPU-hours"),
        (budget.cpu_hours, missing.cpu_hours, "CPU-hours"),
        (budget.money, missing.money, costed.bill.prices.currency),
    )
    over = [f"{n:,.4g} {unit}" for limit, n, unit in needs if limit and n and n > limit]
    return f"{line}; what is missing is thought to take {', '.join(over)}" if over else line


def bill_json(costed: Costed) -> dict[str, Any]:
    """Return the same as plain values; hours that nobody knows are counted in `unknown`."""
    bill = costed.bill
    return {
        "device": bill.machine.device.name,
        "currency": bill.prices.currency,
        "kinds": {kind: _kind_json(one) for kind, one in bill.kinds.items()},
        "total": _kind_json(bill.total),
        "stoppable": _spending_json(bill.stoppable),
        "bytes_planned": bill.bytes_planned,
        "bytes_missing": bill.bytes_missing,
        "values": [
            {"axis": one.axis, "value": one.value, "saved": _spending_json(one.saved)}
            for one in bill.values
        ],
        "assumed": list(costed.assumed),
    }


def hours(number: float) -> str:
    """Return hours with about three digits: 1,234 or 12.3 or 0.0123."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def money(number: float | None, currency: str | None) -> str:
    """Return an amount of money, "-" where there is no price."""
    return "-" if number is None else f"{number:,.2f} {currency}"


def size(num_bytes: float) -> str:
    """Return a size in the largest unit of which there is at least one."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return f"{num_bytes:.3g} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:,.3g} TB"


def _table(bill: Bill) -> list[str]:
    noun = "GPU-hours" if bill.machine.device.has_gpu else "CPU-hours"
    heading: tuple[str, ...] = (noun, "planned", "missing", "cell by cell", "saved")
    if bill.prices.hourly:
        heading += ("price", "missing", "cell by cell")
    rows = [heading]
    named = (*bill.kinds.items(), ("total", bill.total))
    rows += [_row(f"  {name}", one, bill) for name, one in named]
    if bill.machine.device.has_gpu and bill.total.planned.cpu_hours:
        spent = bill.total
        each = (spent.planned, spent.missing, spent.unshared)
        extra = ("  CPU-hours besides", *(hours(one.cpu_hours) for one in each), "")
        rows.append(extra + ("",) * (len(heading) - len(extra)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    ]


def _row(name: str, one: KindBill, bill: Bill) -> tuple[str, ...]:
    has_gpu = bill.machine.device.has_gpu
    each = (one.planned, one.missing, one.unshared)
    planned, missing, unshared = (spent.hours(has_gpu=has_gpu) for spent in each)
    row = (
        name,
        _known(one.planned, planned),
        _known(one.missing, missing),
        _known(one.unshared, unshared),
        f"{unshared / planned:.1f}x" if planned else "-",
    )
    if not bill.prices.hourly:
        return row
    return (*row, *(money(spent.money, bill.prices.currency) for spent in each))


def _known(spent: Spending, number: float) -> str:
    """Hours, and whether there are more that nobody knows."""
    if spent.stages and spent.unknown == spent.stages:
        return "unknown"
    return hours(number) + ("+" if spent.unknown else "")


def _stoppable(bill: Bill) -> list[str]:
    """What stopping tries may save, where some may be stopped."""
    most = bill.stoppable
    if not most.stages:
        return []
    has_gpu = bill.machine.device.has_gpu
    noun = "GPU-hours" if has_gpu else "CPU-hours"
    saved = _known(most, most.hours(has_gpu=has_gpu))
    return [f"search.pruner may save between none and {saved} of the missing {noun}"]


def _sources(one: KindBill) -> str:
    return "; ".join(
        f"{number} stage{'' if number == 1 else 's'}: {why}" for why, number in one.sources.items()
    )


def _dearest(bill: Bill) -> list[str]:
    """What dropping a value would save, of the values that matter."""
    has_gpu = bill.machine.device.has_gpu
    whole = bill.total.missing.hours(has_gpu=has_gpu)
    found = [(one, one.saved.hours(has_gpu=has_gpu)) for one in bill.values]
    dear = [(one, spent) for one, spent in found if whole and spent > _LEAST * whole][:_DEAREST]
    if not dear:
        return []
    noun = "GPU-hours" if has_gpu else "CPU-hours"
    return [
        f"dearest values, in the {noun} still missing that dropping one would save:",
        *_columns(
            (
                f"  {one.axis}={'none' if one.value is None else one.value}",
                hours(spent),
                f"{spent / whole:.0%}",
            )
            for one, spent in dear
        ),
    ]


def _columns(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    found = list(rows)
    wide = [max(len(row[column]) for row in found) for column in range(3)]
    return [f"{a.ljust(wide[0])}  {b.rjust(wide[1])}  {c.rjust(wide[2])}" for a, b, c in found]


def _kind_json(one: KindBill) -> dict[str, Any]:
    return {
        "planned": _spending_json(one.planned),
        "missing": _spending_json(one.missing),
        "unshared": _spending_json(one.unshared),
        "sources": dict(one.sources),
    }


def _spending_json(spent: Spending) -> dict[str, Any]:
    return {
        "gpu_hours": spent.gpu_hours,
        "cpu_hours": spent.cpu_hours,
        "money": spent.money,
        "stages": spent.stages,
        "unknown": spent.unknown,
    }
