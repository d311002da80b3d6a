"""What a plan says of the populations that it trains."""

from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.population import Population
from rotlab.planning.space.search import Search


def population_lines(search: Search, population: Population, plan: Plan) -> list[str]:
    """Return how many populations there are, and how one of their members wins."""
    times = sorted({one.proposals // population.members for one in plan.tunings.values()})
    number = len(plan.tunings)
    way = "highest" if search.maximizes else "lowest"
    return [
        f"  {number} population{'' if number == 1 else 's'} of {population.members} members, "
        f"{' or '.join(map(str, times))} generations of {population.every} "
        f"epoch{'' if population.every == 1 else 's'}; the {way} {search.metric} of {search.by} on "
        "held-out videos at the end wins",
        "  each cell replays the winner's schedule from its first epoch; planned, and simulated, "
        "as if all members did equally well",
    ]
