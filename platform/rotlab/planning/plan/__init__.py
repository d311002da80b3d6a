"""A checked space becomes a plan: arms, chains, and stages that are shared."""
