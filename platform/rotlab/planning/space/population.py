"""How a search may train a population, whose members take over from one another on the way."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rotlab.planning.space.axes import WHEN
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.stage import Length, StageKind

PLACE = ("search", "population")
FEWEST, MOST = 4, 1000  # members: of fewer a quarter is none, and more are a slip
# Of Ray Tune's PopulationBasedTraining, by its names and with its defaults.
SHARES: Mapping[str, tuple[float, float, float]] = {  # name -> default, lowest, highest
    "quantile_fraction": (0.25, 0.0, 0.5),
    "resample_probability": (0.25, 0.0, 1.0),
}
_PARTS = ("members", "every", *SHARES)
_NOT_BESIDE = {
    "budget": "what a population takes is given by members and epochs",
    "proposals": "a population makes as many as it has members, in each generation",
    "at_once": "all members of a generation are under way at once",
    "sampler": "members are drawn at random, and then change what the best of them have",
    "pruner": "members that fall behind take over from the best, and none is stopped",
}


@dataclass(frozen=True, slots=True)
class Population:
    """Networks that are trained side by side, some epochs at a time; each time is a generation.

    Args:
        members: how many there are.
        every: epochs of a generation.
        length: the setting that says how long one is trained, such as "finetune.epochs".
        changes: the setting that says what changes on its way, such as "finetune.changes".
        quantile_fraction: share of the members that take over from as many of the best.
        resample_probability: chance that a setting is then drawn anew, and not changed by a factor.
    """

    members: int
    every: int
    length: str
    changes: str
    quantile_fraction: float = SHARES["quantile_fraction"][0]
    resample_probability: float = SHARES["resample_probability"][0]

    def generation(self, number: int) -> int:
        """Return to which generation a proposal belongs, both counted from 1."""
        return (number - 1) // self.members + 1

    def member(self, number: int) -> int:
        """Return of which member a proposal is, both counted from 1."""
        return (number - 1) % self.members + 1

    def before(self, number: int) -> int:
        """Return how many proposals the generations before that of a proposal have."""
        return (number - 1) // self.members * self.members

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.members} members in generations of {self.every} "
            f"epoch{'' if self.every == 1 else 's'}"
        )


def read_population(
    report: Report,
    kinds: Mapping[str, StageKind],
    settings: Collection[str],
    taken: Collection[str],
) -> Population | None:
    """Return the population that a file asks for, None where it asks for none or says it wrongly.

    Args:
        report: notes what is wrong.
        kinds: stage kinds by name.
        settings: that are searched.
        taken: settings that are fixed, or axes.
    """
    if not report.has(PLACE):
        return None
    before = len(report.problems)
    given = report.mapping(PLACE, _PARTS, "part of a population")
    for name, why in _NOT_BESIDE.items():
        if report.has(("search", name)):
            report.add(("search", name), f"does not go with population: {why}; leave it out")
    _check_numbers(report, given)
    length = _length_of(report, kinds, settings)
    if length is not None and length.changes in taken:
        report.add(PLACE, f"decides {length.changes}, which is fixed, or an axis; take that away")
    if len(report.problems) > before or length is None or length.changes is None:
        return None
    return Population(length=length.setting, changes=length.changes, **given)


def refuse_several(report: Report, objectives: int) -> None:
    """Note a problem where a population would be judged by more than one metric."""
    if report.has(PLACE) and objectives > 1:
        said = "a population takes over by one metric, and does not go with several"
        report.add(("search", "metric"), f"{said}; name one, or leave population out")


def why_not(population: Population, length: Length, config: Any) -> tuple[str, str] | None:  # noqa: ANN401  # of any kind
    """Return why a training cannot be a population's; None where it can.

    Args:
        population: that it would be of.
        length: of its kind.
        config: of the stage.

    Returns:
        The part of `population` that is to blame, "" for all of it; and what is wrong.
    """
    section, _, name = length.setting.partition(".")
    training = getattr(config, section)
    epochs = getattr(training, name)
    if (undivided := length.undivided(config)) is not None:
        because, otherwise = undivided
        said = f"{because}, and a population is trained in parts that follow one another"
        return "", f"does not go: {said}; take {section}.schedule {otherwise}"
    if epochs % population.every or epochs == population.every:
        parts = [one for one in range(1, epochs) if epochs % one == 0]
        way_out = (
            f"take {', '.join(map(str, parts))}, or another length"
            if parts
            else f"lengthen {length.setting}"
        )
        return "every", (
            f"must divide {length.setting} into two generations or more, got "
            f"{population.every} of {epochs}; {way_out}"
        )
    warmup = getattr(training, "warmup_epochs", 0.0)
    if warmup >= population.every:
        return "every", (
            f"must be above {section}.warmup_epochs, got {population.every} and {warmup:g}: the "
            "first generation is judged after its rates have risen"
        )
    return None


def _check_numbers(report: Report, given: Mapping[str, Any]) -> None:
    for name, lowest in (("members", FEWEST), ("every", 1)):
        if isinstance(report.get(PLACE), dict) and name not in given:
            report.add(PLACE, f"needs {name}, as in {{members: 8, every: 5}}")
        elif name in given and not _is_count(given[name], lowest):
            said = f"must be a whole number from {lowest} to {MOST:,}, got {shown(given[name])}"
            report.add((*PLACE, name), said)
    for name, (_, low, high) in SHARES.items():
        if name in given and not _is_share(given[name], low, high):
            said = f"must be at least {low:g} and at most {high:g}, got {shown(given[name])}"
            report.add((*PLACE, name), said)


def _length_of(
    report: Report, kinds: Mapping[str, StageKind], settings: Collection[str]
) -> Length | None:
    """How the trainings hang together whose settings are searched."""
    lengths = [one.length for one in kinds.values() if one.length and one.length.changes]
    can = {name: length for length in lengths for name in length.changing}
    found: dict[str, Length] = {}
    for name in settings:
        if report.has(("search", "settings", name, WHEN)):
            said = "does not go with population, whose members all change the same settings"
            report.add(("search", "settings", name, WHEN), f"{said}; leave it out")
        if name in can:
            found.setdefault(can[name].setting, can[name])
            continue
        report.add(
            ("search", "settings", name),
            "cannot change while a network is trained, and a population's members change what they "
            f"are trained by; what can is {', '.join(can)}; fix it, make it an axis, or search it "
            "without population",
        )
    if len(found) > 1:
        sections = " and ".join(setting.partition(".")[0] for setting in found)
        said = f"belong to {sections}: a population trains one of them; fix those of the other"
        report.add(("search", "settings"), said)
    return next(iter(found.values()), None)


def _is_count(value: object, lowest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= MOST


def _is_share(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
