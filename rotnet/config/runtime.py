"""How the work is done: nothing of it is part of an identity."""

from typing import Annotated

from pydantic import Field

from rotnet.config.settings import HOW, NonNegativeFloat, PositiveInt, Settings


class RuntimeConfig(Settings):
    """How the work is done. Nothing here may change a result."""

    workers: Annotated[int, Field(ge=0)] = Field(
        1,
        description="threads that read clips; 0 reads in the training thread",
        json_schema_extra=HOW,
    )
    verify: bool = Field(
        False,
        description="check every stored clip by its checksums each time it is read",
        json_schema_extra=HOW,
    )
    checkpoint_s: NonNegativeFloat = Field(
        30.0,
        description="seconds between checkpoints; 0 saves after every step",
        json_schema_extra=HOW,
    )
    eval_batch: PositiveInt = Field(
        32, description="clips per batch when scoring", json_schema_extra=HOW
    )
    attention: Annotated[int, Field(ge=0, le=16)] = Field(
        4,
        description="videos of which a stage leaves attention maps for MLflow and the report, with "
        "a frame of each; 0 leaves none",
        json_schema_extra=HOW,
    )
    recompute: bool = Field(
        False,
        description="in training, keep what enters a block and compute the rest again when going "
        "back: less memory, more time, the same result",
        json_schema_extra=HOW,
    )
