"""What becomes of a setting that is taken over, beside Ray Tune's own rule."""

import random
from collections import Counter
from typing import Any

import pytest
from ray import tune
from ray.tune.schedulers.pbt import _explore as explore_by_ray

from rotlab.planning.plan.breeding import FACTORS, PARENT, breed, in_force
from rotlab.planning.space.population import Population
from rotlab.planning.space.ranges import Domain, OneOf, Range

POPULATION = Population(8, 5, "finetune.epochs", "finetune.changes")
DOMAINS: dict[str, Domain] = {
    "finetune.lr": Range(1e-6, 1e3, log=True),  # so wide that nothing ends at an end
    "finetune.weight_decay": OneOf((0.0, 1e-4, 1e-3)),
}
BY_RAY = {
    "finetune.lr": tune.loguniform(1e-6, 1e3),
    "finetune.weight_decay": [0.0, 1e-4, 1e-3],
}
POPULATIONS = 600


def sorts_of_change(old: dict[str, float], new: dict[str, float]) -> tuple[object, object]:
    ratio = new["finetune.lr"] / old["finetune.lr"]
    moved = next((one for one in (0.8, 1.2) if ratio == pytest.approx(one)), "anew")
    return moved, (old["finetune.weight_decay"], new["finetune.weight_decay"])


def test_settings_change_as_often_and_as_far_as_by_rays_rule() -> None:
    random.seed(0)
    ours: Counter[object] = Counter()
    rays: Counter[object] = Counter()
    for at in range(POPULATIONS):
        key = str(at)
        told = [
            (breed(key, POPULATION, number, DOMAINS, [], [], maximize=True), float(number))
            for number in range(1, 9)
        ]
        for number in (9, 10):  # members 1 and 2 are the worst
            one = breed(key, POPULATION, number, DOMAINS, told, [], maximize=True)
            old = in_force(POPULATION, told[one.notes[PARENT] - 1][0])
            ours.update(sorts_of_change(old, in_force(POPULATION, one)))
            factors: Any = FACTORS  # Ray's hint allows one only
            by_ray, _ = explore_by_ray(dict(old), BY_RAY, 0.25, factors, None)
            rays.update(sorts_of_change(old, by_ray))
    for change in ours.keys() | rays.keys():
        allowed = 4 * (ours[change] + rays[change]) ** 0.5  # standard errors of the difference
        assert abs(ours[change] - rays[change]) <= allowed
