"""Python loads this at its start where this folder is on its path; see `tests.chaos.points`."""

from tests.chaos.points import arm_if_asked

arm_if_asked()
