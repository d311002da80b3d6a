"""The task that pretraining solves without labels."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from rotnet.config.settings import NonNegativeFloat, PositiveInt, Settings, added, check_known
from rotnet.registry import PRETEXTS

# Settings of `pretext` that each task reads. A registered task reads `options`.
PRETEXT_READS = {
    "rotation": frozenset(
        ["rotations", "path", "room", "jitter", "views", "target", "smoothing", "labels"]
    ),
    "pace": frozenset(["paces"]),
}
JITTER = 10.0  # degrees: the released code turns clips by up to so much before the rotation
MANY = 8  # a set of more rotations is never shown whole


class AngleSet(Settings):
    """A rotation set of one's own, in whole degrees counter-clockwise."""

    angles: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=360)], ...], Field(strict=False, min_length=2)
    ]

    @model_validator(mode="after")
    def _angles_differ(self) -> Self:
        if len(set(self.angles)) != len(self.angles):
            raise ValueError(f"angles must differ from one another, got {list(self.angles)}")
        return self


class PretextConfig(Settings):
    """The task that pretraining solves; by default, which of a set of rotations was applied.

    The *exact* path moves pixels by quarter turns. The *resampled* path gives every rotation of the
    set, 0 degrees included, the same low-pass filter, random shift, random jitter and resampling
    from one square that holds every rotation, so that sharpness and borders tell nothing
    (`rotnet.views.resample`).

    `labels: random` is a control: every rotated copy carries a label drawn once from its video and
    rotation by chance, so that there is nothing about rotation to learn, at the same cost.
    """

    task: str = Field(
        "rotation",
        description="rotation, pace, or one that is registered as a rotnet.pretexts entry point",
        json_schema_extra=added("rotation"),
    )
    rotations: Literal[2, 4, 8, 360] | AngleSet = Field(
        4,
        description="2 = {0, 180}, 4 = quarter turns, 8 = eighths, 360 = degrees, or {angles}",
    )
    path: Literal["exact", "resampled"] | None = Field(
        None,
        description="how clips are turned; none: exact where all angles are quarter turns",
        json_schema_extra=added(None),
    )
    room: Literal["crop", "any_angle"] | None = Field(
        None,
        description="crops lie where they fit, or where any rotation of them fits, which the "
        "resampled path needs; none: what the path needs",
        json_schema_extra=added(None),
    )
    jitter: NonNegativeFloat | None = Field(
        None,
        description="degrees of random turn, to either side, on the resampled path; none: 10, or "
        "0.4 of the distance between angles where that is less",
        json_schema_extra=added(None),
    )
    views: PositiveInt | None = Field(
        None,
        description="rotations of a clip in a step, drawn from the set; none: all, and 4 of sets "
        "of more than 8",
        json_schema_extra=added(None),
    )
    target: Literal["softmax", "sincos", "scalar"] = Field(
        "softmax",
        description="one of K, the angle's cosine and sine, or angle/360 (known to be poor)",
        json_schema_extra=added("softmax"),
    )
    smoothing: NonNegativeFloat = Field(
        0.0,
        description="degrees: width (sigma) of a circular bell around the true angle; 0: one of K",
        json_schema_extra=added(0.0),
    )
    labels: Literal["rotation", "random"] = Field(
        "rotation", description="what the copies are labelled with"
    )
    paces: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=2)] = Field(
        (1, 2, 3, 4),
        description="for task pace: how many times faster a clip is played",
        json_schema_extra=added([1, 2, 3, 4]),
    )
    options: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="settings of a registered task",
        json_schema_extra=added({}),
    )

    @field_validator("rotations")
    @classmethod
    def _named_where_it_has_a_name(cls, rotations: int | AngleSet) -> int | AngleSet:
        """Equal sets are equal work: {angles: [0, 180]} is 2."""
        if isinstance(rotations, AngleSet):
            for named in (2, 4, 8, 360):
                if rotations.angles == tuple(range(0, 360, 360 // named)):
                    return named
        return rotations

    @field_validator("task")
    @classmethod
    def _task_is_known(cls, task: str) -> str:
        return check_known(PRETEXTS, task)

    @field_validator("paces")
    @classmethod
    def _paces_rise(cls, paces: tuple[int, ...]) -> tuple[int, ...]:
        if list(paces) != sorted(set(paces)):
            raise ValueError(f"paces must rise, got {list(paces)}")
        return paces

    @model_validator(mode="after")
    def _only_what_the_task_reads(self) -> Self:
        """Equal work has one form: a setting that the task does not read stays at its default."""
        reads = PRETEXT_READS.get(self.task, frozenset(["options"]))
        for name, field in type(self).model_fields.items():
            given = getattr(self, name)
            default = field.get_default(call_default_factory=True)
            if name != "task" and name not in reads and given != default:
                raise ValueError(f"{name} is not for the task {self.task!r}, got {given!r}")
        return self

    @model_validator(mode="after")
    def _path_can_turn(self) -> Self:
        oblique = [angle for angle in self.angles if angle % 90]
        if self.path == "exact" and oblique:
            raise ValueError(
                f"path exact turns by multiples of 90 degrees, and the set has {oblique[0]}; "
                "use path resampled"
            )
        if not self.resampled and self.jitter:
            raise ValueError(f"jitter needs path resampled, got jitter {self.jitter:g}")
        if self.resampled and self.room == "crop":
            raise ValueError("path resampled needs room any_angle, got crop")
        if self.resampled and self.max_jitter >= self.spacing / 2:
            raise ValueError(
                f"jitter must be below half the distance between angles, {self.spacing / 2:g} "
                f"degrees, or it changes labels; got {self.max_jitter:g}"
            )
        return self

    @model_validator(mode="after")
    def _target_fits(self) -> Self:
        count = len(self.angles)
        if self.views is not None and self.views > count:
            raise ValueError(f"views must be at most the {count} rotations, got {self.views}")
        if self.views == count > MANY:
            raise ValueError(
                f"views must be fewer than the {count} rotations, of which there are more than "
                f"{MANY}: a step shows some of them, drawn by chance"
            )
        if self.smoothing and self.target != "softmax":
            raise ValueError(f"smoothing is for target softmax, not {self.target!r}")
        if self.labels == "random" and (self.target != "softmax" or self.smoothing):
            raise ValueError("labels: random needs target softmax without smoothing")
        return self

    def canonical(self) -> Self:
        """Return the settings with none where they say what none would mean."""
        path = None if self.resampled == self._oblique else self.path
        room = None if self.any_angle == self.resampled else self.room
        jitter = self.jitter
        if not self.resampled or jitter == self._default_jitter:
            jitter = None
        views = None if self.views == self._default_views else self.views
        return self.model_copy(
            update={"path": path, "room": room, "jitter": jitter, "views": views}
        )

    @property
    def angles(self) -> tuple[int, ...]:
        """The set's angles in degrees, counter-clockwise; label k is the k-th of them."""
        if isinstance(self.rotations, AngleSet):
            return self.rotations.angles
        return tuple(range(0, 360, 360 // self.rotations))

    @property
    def spacing(self) -> float:
        """Degrees between the two angles of the set that are nearest to one another."""
        turns = sorted(self.angles)
        return float(min(b - a for a, b in pairwise([*turns, turns[0] + 360])))

    @property
    def resampled(self) -> bool:
        """Whether clips are resampled to be turned."""
        return self._oblique if self.path is None else self.path == "resampled"

    @property
    def any_angle(self) -> bool:
        """Whether crops lie where any rotation of them fits into the picture."""
        return self.resampled or self.room == "any_angle"

    @property
    def max_jitter(self) -> float:
        """Degrees by which a clip is turned at random, to either side, beside its rotation."""
        if not self.resampled:
            return 0.0
        return self._default_jitter if self.jitter is None else self.jitter

    @property
    def copies(self) -> int:
        """Rotations of one clip in a step."""
        return self._default_views if self.views is None else self.views

    @property
    def _oblique(self) -> bool:
        return any(angle % 90 for angle in self.angles)

    @property
    def _default_jitter(self) -> float:
        return min(JITTER, 0.4 * self.spacing)

    @property
    def _default_views(self) -> int:
        return len(self.angles) if len(self.angles) <= MANY else 4
