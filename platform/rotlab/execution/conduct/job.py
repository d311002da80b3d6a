"""A study to be run: of what, where, with what and under which rules. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from rotlab.execution.conduct.growth import Growth
from rotlab.execution.conduct.policy import Policy
from rotlab.planning.cost.devices import CPU
from rotlab.planning.cost.prices import Prices
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.search import Search
from rotlab.planning.stage import Resources, StageKind
from rotlab.store.store import Store
from rotlab.store.trunk import KeepStates
from rotlab.tracking.artifacts import Artifacts

PENDING = 64
GAUGE = "rotlab.execution.conduct.device_memory:watching"


@dataclass(frozen=True)
class Job:
    """A study to be run, and where.

    Args:
        plan: what is asked for; its data are on this machine and its stages are supported.
        kinds: kind -> what it is.
        resources: kind -> what its stages ask for.
        text: the search-space file.
        data: name of a data set -> the folder, or URL, it lies in.
        store: where results lie.
        tracking_uri: of MLflow; None takes the default.
        artifacts: which files of results go there.
        address: of a Ray cluster; None starts one on this machine.
        cpus: cores of one started here; None takes all.
        gpus: devices of one started here; None takes all.
        pending: stages that may wait for room on one that is there, so that it grows.
        policy: what the run may use, and what it makes of errors.
        only: keys of the stages to be done, with all that they need; None: the whole plan.
        shares: key -> what that stage asks for, in place of what its kind does; threads stay.
        seconds: key -> how long a stage is thought to take, where that is known.
        keep_states: which training states of finished stages stay in the store.
        hung_s: seconds after which a stage without a sign of life is ended; None sets no limit.
        prices: what hours cost.
        device: that the plan is reckoned for.
        notify: command or URL that is told of the end, and of a budget nearly used up.
        smoke: whether each sort of stage is tried first, or nothing is done but that.
        foreseen: the plan with stand-ins for what its searches and looks have still to decide, of
            which sorts are tried as well; None: it is whole, or no sort is tried.
        weight: of the study among those whose runs share a cluster and a store.
        gauge: what measures the device memory of stages that take a measured share.
        verbose: let Ray and the workers talk.
        searches: searches, or looks, by which the plan grows, where it does.
        optuna: file or URL of the Optuna storage that searches are told to; None: to none.
        search: that the study asks for, where that is told.
        options: what `rotlab run-stage` needs to find the same store and data.
    """

    plan: Plan
    kinds: Mapping[str, StageKind]
    resources: Mapping[str, Resources]
    text: str
    data: Mapping[str, Path | str]
    store: Store
    tracking_uri: str | None = None
    artifacts: Artifacts = "small"
    address: str | None = None
    cpus: int | None = None
    gpus: int | None = None
    pending: int = PENDING
    policy: Policy = field(default_factory=Policy)
    only: frozenset[str] | None = None
    shares: Mapping[str, Resources] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    keep_states: KeepStates = "kind"
    hung_s: float | None = None
    prices: Prices = field(default_factory=Prices)
    device: str = CPU
    notify: str | None = None
    smoke: Literal["no", "first", "only"] = "no"
    foreseen: Plan | None = None
    weight: float = 1.0
    gauge: str = GAUGE
    verbose: bool = False
    options: tuple[str, ...] = ()
    searches: Growth | None = None
    optuna: str | None = None
    search: Search | None = None

    @cached_property
    def to_do(self) -> Plan:
        """What is to be done of the plan."""
        return self.plan if self.only is None else self.plan.part(self.only)
