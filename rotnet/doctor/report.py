"""An examination as text: a verdict, then a table for each sort of probe."""

from collections.abc import Iterable, Iterator, Sequence

from rotnet.doctor.interval import Estimate
from rotnet.doctor.probe import MARGIN, Reading
from rotnet.doctor.verdict import Examination

SHARE = "{:5.1f} % [{:.1f}, {:.1f}]"


def report(found: Examination) -> Iterator[str]:
    """Yield the lines of a report on one rotation set."""
    yield (
        f"rotations {named(found.rotations)}, path {found.path}, {found.modality}: "
        f"{found.verdict}  ({found.seconds:.0f} s)"
    )
    for leak in found.leaks:
        yield f"  leak: {leak}"
    for name in found.missed:
        yield f"  too weak: no probe found the planted leak {name!r}"
    for source in found.unsure:
        yield f"  too weak: {source}: too few clips to say"
    if not found.full:
        yield "  a quick look, not the full check: a leak is one, but nothing is proven clean"
    yield ""
    yield f"  path: content without an up; at chance = upper 95 % bound below chance + {_margin()}"
    yield from _aligned(_path_rows(found))
    yield ""
    yield f"  planted leaks: found = lower 95 % bound above chance + {_margin()}, by either probe"
    yield from _aligned(_plant_rows(found))
    if found.content:
        yield ""
        yield (
            f"  content: what parts of real pictures tell a CNN ({found.content.question}, chance "
            f"{_percent(found.content.chance)}); reported, and no fault by itself"
        )
        rows = [(name, _share(part)) for name, part in found.content.parts.items()]
        yield from _aligned(rows)
        still = found.content.stillness
        yield (
            f"    border over next ring: {_share(found.content.lead)}; borders that stand still: "
            f"{still.still} of {still.videos} videos"
        )
    else:
        yield ""
        yield "  content: no videos given, none looked at"


def named(rotations: object) -> str:
    """Return a rotation set, as settings dump it, in words."""
    if isinstance(rotations, dict):
        return "{" + ", ".join(str(angle) for angle in rotations["angles"]) + "}"
    return str(rotations)


def _path_rows(found: Examination) -> Iterator[Sequence[str]]:
    for probed in found.probed:
        for reading in probed.readings:
            said = "told" if reading.told else "at chance" if reading.at_chance else "unsure"
            note = said if probed.required else f"{said} (reported, not required)"
            if probed.times > 1:
                note += f", of {probed.times} looks together"
            yield (f"{probed.source} ({probed.look})", *_told(reading), note)


def _plant_rows(found: Examination) -> Iterator[Sequence[str]]:
    for planted in found.planted:
        if planted.not_for:
            yield (planted.name, "not applicable:", planted.not_for)
        for reading in planted.readings:
            yield (planted.name, *_told(reading), "found" if reading.found else "missed")


def _told(reading: Reading) -> tuple[str, ...]:
    asked = f"{reading.question}, chance {_percent(reading.chance)}"
    return reading.probe, asked, _share(reading.estimate)


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield rows with their columns aligned; the last one of a row needs no width."""
    table = list(rows)
    widths: dict[int, int] = {}
    for row in table:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, 0), len(cell))
    for row in table:
        cells = [cell.ljust(widths[column]) for column, cell in enumerate(row[:-1])]
        yield "    " + "  ".join([*cells, row[-1]])


def _share(estimate: Estimate) -> str:
    return SHARE.format(100 * estimate.share, 100 * estimate.lower, 100 * estimate.upper)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _margin() -> str:
    return f"{100 * MARGIN:.0f} points"
