"""Where networks look: attention maps of the first seed of each arm, on the same videos.

Which networks a page shows is decided from the study's cells and stages alone; their pictures are
then put into tables, a row a network, a column a video, as data within the page.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from rotlab.reporting.arms import DONE, as_text
from rotlab.reporting.page.markup import listed, paragraph, text
from rotlab.reporting.sentences import describe, show_value
from rotlab.tracking.query import STAGES
from rotlab.tracking.stage_runs import StageRun
from rotnet.pictures.strip import Row, Strip

MOST = 32  # networks of a page, evenly chosen; each may be a request to MLflow
MOST_BYTES = 1_000_000  # of all pictures, as they stand in the page
_SCORING = ("evaluate", "linear", "retrieval")
_QUALITY = 80
_NOTE = (
    "A map is the mean of a stage's activation over its channels (arXiv 1811.11387, Fig. 1), from "
    "the least of the clip (dark) to the most (light), laid over the middle frame of the video's "
    "middle clip. It says where a network is active, not why it decides as it does. One network an "
    "arm: that of its first seed. Videos are evenly spread by name over all there are."
)
_ABSENT = (
    "made before maps were kept, without them (runtime.attention 0, --artifacts none), or not at "
    "hand here"
)


@dataclass(frozen=True, slots=True)
class Look:
    """A network whose attention a page is to show.

    Args:
        arm: that it is of, in words.
        key: of the stage that left the maps.
        joined: whether the arm's result is a fusion of several.
        stage: its run.
        members_of: other arms, which join it with others.
    """

    arm: str
    key: str
    joined: bool
    stage: StageRun
    members_of: tuple[str, ...] = ()


def looks_of(
    frame: pd.DataFrame, stages: Sequence[StageRun], names: Mapping[str, str]
) -> list[Look]:
    """Return the networks that a page shows: of each arm its first cell's, and one pretraining.

    What several arms share stands once, under the first that has it alone, else under the first
    that joins it with others.

    Args:
        frame: of the study's cells.
        stages: that have a run.
        names: stage -> the arm it is of, for pretrainings.
    """
    by_key = {one.key: one for one in stages if one.state in DONE}
    found: dict[str, Look] = {}
    later: list[Look] = []
    for arm, cell in _first_cells(frame).items():
        scored = [key for key in cell if key in by_key and by_key[key].kind in _SCORING]
        for key in scored:
            look = Look(arm, key, key != cell[-1], by_key[key])
            if look.joined:
                later.append(look)
            else:
                found.setdefault(key, look)
    for look in later:
        first = found.setdefault(look.key, look)
        if first is not look:
            more = (*first.members_of, look.arm)
            found[look.key] = replace(first, members_of=more)
    trained: dict[str, Look] = {}
    for one in by_key.values():
        if one.kind == "pretrain":
            arm = names.get(one.key, "pretrain")
            trained.setdefault(arm, Look(arm, one.key, False, one))
    return [*found.values(), *trained.values()]


def few_looks(looks: Sequence[Look]) -> list[Look]:
    """Return so many of them as a page has room for, evenly chosen."""
    return list(looks[:: -(-len(looks) // MOST) or 1])


def attention_html(looks: Sequence[Look], strips: Mapping[str, Strip]) -> str:
    """Return a table for each set of clips, and which networks have no maps.

    Args:
        looks: all that could be shown; `few_looks` of them are.
        strips: stage -> its maps.
    """
    if not looks:
        return ""
    shown = few_looks(looks)
    groups: dict[tuple[object, ...], list[tuple[Look, Strip]]] = {}
    for look in shown:
        if look.key in strips:
            groups.setdefault(_clips_of(look, strips[look.key]), []).append(
                (look, strips[look.key])
            )
    room = _Room(MOST_BYTES)
    parts = [_table(number, group, room) for number, group in enumerate(groups.values(), start=1)]
    notes = _joins(shown)
    if absent := [f"{look.arm} ({look.stage.kind})" for look in shown if look.key not in strips]:
        which = "any network" if len(absent) == len(shown) else ", ".join(absent)
        notes.append(f"No maps of {which}: {_ABSENT}.")
    if len(looks) > len(shown):
        notes.append(f"{len(shown)} of {len(looks)} networks are looked at, evenly chosen.")
    if room.refused:
        notes.append(
            f"{room.refused} more rows would make the page too large; rotnet attention shows any."
        )
    return "".join([paragraph(_NOTE, "note") if groups else "", *parts, listed(notes, "note")])


def _joins(looks: Sequence[Look]) -> list[str]:
    """Which arms are fusions of networks that stand under other arms."""
    members: dict[str, list[str]] = {}
    for look in looks:
        for arm in look.members_of:
            members.setdefault(arm, []).append(look.arm)
    return [f"{arm} joins {' and '.join(joined)}." for arm, joined in members.items()]


class _Room:
    """What pictures may still take of the page."""

    def __init__(self, left: int) -> None:
        self.left, self.refused = left, 0

    def takes(self, row: str) -> bool:
        if len(row) > self.left:
            self.refused += 1
            return False
        self.left -= len(row)
        return True


def _first_cells(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return arm -> the stages behind its first cell that has a result."""
    axes: list[str] = frame.attrs["axes"]
    varying = [axis for axis in axes if len(set(map(as_text, frame[axis]))) > 1]
    several = [name for name in ("target", "measure") if frame[name].nunique() > 1]
    found: dict[str, tuple[str, ...]] = {}
    for cell in frame.sort_values(["seed", "split"], kind="stable").to_dict("records"):
        if cell[STAGES] and cell["state"] in DONE:
            arm = {axis: show_value(cell[axis]) for axis in varying if cell[axis] is not None}
            words = [*(str(cell[name]) for name in several), describe(arm)]
            found.setdefault(", ".join(filter(None, words)) or "all cells", tuple(cell[STAGES]))
    return found


def _clips_of(look: Look, strip: Strip) -> tuple[object, ...]:
    """What networks have in common that saw the same clips of the same data."""
    return (_data_of(look, strip), strip.videos, strip.frames, strip.pictures["clip"].tobytes())


def _data_of(look: Look, strip: Strip) -> str:
    """The data set and split whose videos are shown, in words."""
    for role, name, *split in (ref.split(":") for ref in look.stage.data):
        if role == strip.role:
            part = "test videos" if role == "test" else "videos held out"
            return f"{name}, {part}" + (f" of split {split[0]}" if split else "")
    return f"{strip.role} videos"


def _table(number: int, group: Sequence[tuple[Look, Strip]], room: _Room) -> str:
    first = group[0][1]
    clip = _row("clip", first, "clip", f"frame {first.frame} of {first.frames}")
    rows = [clip] if room.takes(clip) else []
    several = len({strip.stage for _, strip in group}) > 1
    for look, strip in group:
        name = look.arm + (f": {strip.modality}" if look.joined else "")
        name += f" [{strip.stage}]" if several else ""
        row = _row(name, strip, "network")
        if rows and room.takes(row):
            rows.append(row)
    for name, strip in _randoms(group):
        row = _row(name, strip, "random")
        if rows and room.takes(row):
            rows.append(row)
    if not rows:
        return ""
    summary = f"{_data_of(*group[0])}: {len(rows) - 1} networks"
    caption = "The lighter, the more active"
    caption += "" if several else f"; stage {first.stage}"
    heads = "".join(f'<th scope="col">{text(video)}</th>' for video in first.videos)
    return (
        f"<details{' open' if number == 1 else ''}><summary>{text(summary)}</summary>"
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(summary)}">'
        f'<table id="attention-{number}" class="maps"><caption>{text(caption)}</caption>'
        f'<thead><tr><th scope="col">network</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _randoms(group: Sequence[tuple[Look, Strip]]) -> Iterable[tuple[str, Strip]]:
    """The networks with random weights that stand beside them, each once."""
    found: dict[bytes, tuple[Look, Strip]] = {}
    for look, strip in group:
        if "random" in strip.pictures:
            found.setdefault(strip.pictures["random"].tobytes(), (look, strip))
    modalities = [strip.modality for _, strip in found.values()]
    for look, strip in found.values():
        alone = modalities.count(strip.modality) == 1
        yield f"random weights, {strip.modality if alone else f'of the net of {look.arm}'}", strip


def _row(name: str, strip: Strip, row: Row, said: str = "") -> str:
    places = strip.places.get(row, ("",) * len(strip.videos))
    cells = "".join(
        f"<td>{_image(picture, _told(name, video, said, place))}</td>"
        for picture, video, place in zip(strip.pictures[row], strip.videos, places, strict=True)
    )
    return f'<tr><th scope="row">{text(name)}</th>{cells}</tr>'


def _told(name: str, video: str, said: str, place: str) -> str:
    """What a picture shows, for whoever does not see it."""
    if said:
        return f"{video}, {said}"
    most = f"most active at the {place}" if place else "active everywhere alike"
    return f"{name} in {video}: {most}"


def _image(picture: NDArray[np.uint8], said: str) -> str:
    sink = io.BytesIO()
    Image.fromarray(picture).save(sink, format="WEBP", quality=_QUALITY, method=4)
    data = base64.b64encode(sink.getvalue()).decode("ascii")
    side = picture.shape[0]
    return (
        f'<img src="data:image/webp;base64,{data}" alt="{text(said)}" width="{side}" '
        f'height="{side}" loading="lazy" decoding="async">'
    )
