"""What samplers propose: within the ranges, the same for equal knowledge, and better with more."""

import math

import pytest

from rotlab.execution.search.sampling import propose
from rotlab.planning.plan.decisions import Proposal
from rotlab.planning.space.ranges import Domain, OneOf, Range
from rotlab.planning.space.samplers import Sampler

DOMAINS: dict[str, Domain] = {
    "rate": Range(1e-4, 1.0, log=True),
    "epochs": Range(2, 40, whole=True),
    "share": Range(0.0, 0.9, step=0.3),
    "milestones": OneOf(([], [2, 4], [4])),
}
SAMPLERS = [
    Sampler("tpe", {"n_startup_trials": 3, "multivariate": True}),
    Sampler("gp", {"n_startup_trials": 3}),
    Sampler("cmaes", {"n_startup_trials": 3}),
    Sampler("qmc"),
    Sampler("qmc", {"qmc_type": "halton"}),
    Sampler("random"),
]


def value(proposal: Proposal) -> float:
    """Best, 0, at a rate of 0.01 and 20 epochs."""
    settings = proposal.settings
    return -((math.log10(settings["rate"]) + 2) ** 2) - ((settings["epochs"] - 20) / 20) ** 2


def search(
    sampler: Sampler, number: int, at_once: int = 2, domains: dict[str, Domain] | None = None
) -> list[Proposal]:
    made: list[Proposal] = []
    for at in range(1, number + 1):
        known = max(at - at_once, 0)
        told = [(one, None if one.number == 2 else value(one)) for one in made[:known]]
        one = propose("key", at, domains or DOMAINS, sampler, told, made[known:], maximize=True)
        made.append(one)
    return made


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_proposals_lie_in_the_ranges_and_come_again_for_equal_knowledge(sampler: Sampler) -> None:
    made = search(sampler, 8)
    for one in made:
        assert 1e-4 <= one.settings["rate"] <= 1.0
        assert one.settings["epochs"] in range(2, 41)
        assert isinstance(one.settings["epochs"], int)
        assert min(abs(one.settings["share"] - at) for at in (0.0, 0.3, 0.6, 0.9)) < 1e-9
        assert one.settings["milestones"] in ([], [2, 4], [4])
    assert made == search(sampler, 8)
    assert len({one.settings["rate"] for one in made}) == 8


def test_a_grid_is_every_point_once() -> None:
    grid: dict[str, Domain] = {"a": Range(1, 3, whole=True), "b": OneOf(("x", "y"))}
    made = [propose("key", at, grid, Sampler("grid"), [], [], maximize=True) for at in range(1, 7)]
    assert sorted(tuple(one.settings.values()) for one in made) == [
        (a, b) for a in (1, 2, 3) for b in ("x", "y")
    ]


@pytest.mark.parametrize("name", ["tpe", "gp", "cmaes"])
def test_what_learns_from_values_ends_nearer_the_best_than_chance(name: str) -> None:
    domains = {name: DOMAINS[name] for name in ("rate", "epochs")}
    options = {"n_startup_trials": 6}

    def late(sampler: Sampler) -> float:
        made = search(sampler, 24, domains=domains)
        return sum(value(one) for one in made[-8:]) / 8

    assert late(Sampler(name, options)) > late(Sampler("random")) + 0.3


def test_a_proposal_hangs_on_the_values_it_may_know_alone() -> None:
    made = search(SAMPLERS[0], 6)
    told = [(one, value(one)) for one in made[:4]]
    again = propose("key", 7, DOMAINS, SAMPLERS[0], told, made[4:], maximize=True)
    other = [(one, -value(one)) for one in made[:4]]
    assert again == propose("key", 7, DOMAINS, SAMPLERS[0], told, made[4:], maximize=True)
    assert again != propose("key", 7, DOMAINS, SAMPLERS[0], other, made[4:], maximize=True)
    assert again != propose("another", 7, DOMAINS, SAMPLERS[0], told, made[4:], maximize=True)


@pytest.mark.parametrize(
    "sampler",
    [
        Sampler("tpe", {"n_startup_trials": 4}),
        Sampler("tpe", {"n_startup_trials": 4, "group": True}),
        Sampler("tpe", {"n_startup_trials": 4, "multivariate": True}),
        Sampler("gp", {"n_startup_trials": 4}),
        Sampler("cmaes"),
        Sampler("nsgaii", {"population_size": 4}),
        Sampler("qmc"),
        Sampler("random"),
    ],
    ids=str,
)
def test_every_sampler_heeds_conditions_and_tells_the_same_again(
    sampler: Sampler, capfd: pytest.CaptureFixture[str]
) -> None:
    domains: dict[str, Domain] = {
        "way": OneOf(("step", "cosine")),
        "rate": Range(1e-3, 1.0, log=True),
        "gamma": Range(0.1, 0.5, when={"way": ("step",)}),
    }
    told: list[tuple[Proposal, float]] = []
    for number in range(1, 13):
        one, again = (
            propose("t", number, domains, sampler, told, [], maximize=True) for _ in range(2)
        )
        assert one == again
        assert ("gamma" in one.settings) == (one.settings["way"] == "step")
        told.append((one, one.settings.get("gamma", 0.0) - one.settings["rate"]))
    assert {one.settings["way"] for one, _ in told} == {"step", "cosine"}
    assert capfd.readouterr().err == ""
