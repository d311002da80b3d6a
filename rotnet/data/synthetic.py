"""Synthetic videos with a truth known by construction, as real H.264 files.

A scene holds a ball with an arm and a smaller ball, lit from above, before an isotropic background.
"Up" lies in the light on the objects and in gravity, never in the background or at the border.

In an *action* one of four things changes and the others stay as they are. The actions come in
pairs, each the other played backwards:

    fall, rise      the small ball accelerates downwards, or is thrown up and slows down
    meet, part      the small ball comes to the other one, or leaves it
    grow, shrink    the small ball's radius
    lower, raise    the arm

What stays is frozen at a random moment of the change that it would have made. So a single frame has
the same law under every action, frames in random order tell at most the pair, and only their order
tells the action. A scene and its mirror image are equally likely: a flip keeps the action.

In the *pool*, which has no labels, nothing is held: both balls drift and fall as gravity wants. How
they move tells which way is up, whichever way the clip was turned.
"""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from rotnet.errors import DataError

PAIRS = (("fall", "rise"), ("meet", "part"), ("grow", "shrink"), ("lower", "raise"))
ACTIONS = tuple(sorted(action for pair in PAIRS for action in pair))
WIDTH, HEIGHT, FRAMES, FPS = 56, 48, 40, 25

Floats = NDArray[np.float64]


def write_videos(folder: Path, *, num_videos: int, seed: int, pool: bool = False) -> None:
    """Write synthetic videos of 40 frames, 56x48 pixels, 25 fps.

    Args:
        folder: gets <action>/<action>_<number>.mp4, or pool_<number>.mp4.
        num_videos: how many; the actions take turns, so that they are balanced.
        seed: equal seeds give equal videos; video i depends on the seed and i only.
        pool: videos without actions, in which everything falls.

    Raises:
        DataError: if num_videos is not positive.
    """
    if num_videos <= 0:
        raise DataError(f"the number of synthetic videos must be positive, got {num_videos}")
    for index in range(num_videos):
        rng = np.random.default_rng([seed, index])
        action = None if pool else ACTIONS[index % len(ACTIONS)]
        name = f"pool_{index:05d}.mp4" if action is None else f"{action}/{action}_{index:05d}.mp4"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encode(render(action, rng), path)


def render(action: str | None, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the frames of one scene, (40, 48, 56, 3) uint8 RGB; without an action, of the pool.

    The two actions of a pair, given generators of equal state, give the same frames in opposite
    order.
    """
    if action is None:
        return _draw(_falling(rng), rng)
    pair = next(index for index, names in enumerate(PAIRS) if action in names)
    frames = _draw(_acting(pair, rng), rng)
    return frames[::-1].copy() if action == PAIRS[pair][1] else frames


def encode(frames: NDArray[np.uint8], path: Path) -> None:
    """Write frames (T, H, W, 3) uint8 RGB as 4:2:0 H.264 in MP4; equal frames, equal files."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        # Without mbtree: with it, x264 gives other bytes for equal frames now and then.
        stream.options = {"crf": "18", "preset": "veryfast", "x264-params": "threads=1:mbtree=0"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where things are, a value for every frame: each (40,). Pixels, y downwards, arm in radians.

    The large ball is at (x, y); the small one at (x + side * distance, y + drop).
    """

    x: Floats
    y: Floats
    side: float
    distance: Floats
    drop: Floats
    radius: Floats
    arm: Floats


def _acting(pair: int, rng: np.random.Generator) -> _Scene:
    """The first action of a pair: one thing changes, the others are frozen."""
    side = rng.choice([-1.0, 1.0])
    x = WIDTH / 2 - side * rng.uniform(5.0, 9.0)
    y = HEIGHT / 2 + rng.uniform(-5.0, 5.0)
    speed, gravity = rng.uniform(4.0, 10.0), rng.uniform(14.0, 22.0)
    top = -0.5 * (speed + gravity)
    far, near = rng.uniform(21.0, 26.0), rng.uniform(8.0, 11.0)
    small, large = rng.uniform(1.6, 2.2), rng.uniform(5.5, 7.0)
    up, down = rng.uniform(-1.3, -0.9), rng.uniform(0.9, 1.3)
    moments = rng.uniform(0.0, 1.0, size=len(PAIRS))
    times = [
        np.linspace(0.0, 1.0, FRAMES) if index == pair else np.full(FRAMES, moment)
        for index, moment in enumerate(moments)
    ]
    return _Scene(
        x=np.full(FRAMES, x),
        y=np.full(FRAMES, y),
        side=side,
        drop=top + speed * times[0] + gravity * times[0] ** 2,
        distance=far + (near - far) * times[1],
        radius=small + (large - small) * times[2],
        arm=up + (down - up) * times[3],
    )


def _falling(rng: np.random.Generator) -> _Scene:
    """A scene of the pool: both balls drift sideways and fall, each from rest or nearly so."""
    time = np.linspace(0.0, 1.0, FRAMES)
    falls = []
    for _ in range(2):
        speed, gravity = rng.uniform(2.0, 12.0), rng.uniform(12.0, 24.0)
        falls.append(rng.uniform(-4.0, 4.0) + speed * (time - 0.5) + gravity * (time**2 - 0.4))
    drifts = [rng.uniform(-4.0, 4.0) * (time - 0.5) for _ in range(2)]
    side = rng.choice([-1.0, 1.0])
    x = WIDTH / 2 - side * rng.uniform(5.0, 9.0)
    return _Scene(
        x=x + drifts[0],
        y=HEIGHT / 2 + falls[0],
        side=side,
        distance=rng.uniform(8.0, 22.0) + drifts[1],
        drop=falls[1] - falls[0],
        radius=np.full(FRAMES, rng.uniform(1.8, 6.5)),
        arm=np.full(FRAMES, rng.uniform(-1.2, 1.2)),
    )


def _draw(scene: _Scene, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the balls before the background, seen by a camera that is not quite still."""
    shake = _smooth_walk(rng, amplitude=0.5)
    colours = rng.uniform(150, 255, size=(2, 3))
    size = rng.uniform(4.0, 5.5)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    canvas = np.empty((FRAMES, HEIGHT, WIDTH, 3))
    canvas[:] = (_background(rng) + rng.normal(0.0, 4.0, (FRAMES, HEIGHT, WIDTH)))[..., None]
    for frame in range(FRAMES):
        px, py = x - scene.x[frame] - shake[frame, 0], y - scene.y[frame] - shake[frame, 1]
        qx, qy = px - scene.side * scene.distance[frame], py - scene.drop[frame]
        hand = (-scene.side * 11.0 * np.cos(scene.arm[frame]), 11.0 * np.sin(scene.arm[frame]))
        body = np.minimum(np.hypot(px, py) - size, _capsule(px, py, (0.0, 0.0), hand, 1.4))
        ball = np.hypot(qx, qy) - scene.radius[frame]
        for distance, height, colour in ((body, py / size, 0), (ball, qy / scene.radius[frame], 1)):
            alpha = np.clip(0.5 - distance, 0.0, 1.0)[..., None]
            light = 1.0 - 0.15 * np.clip(height, -1.0, 1.0)[..., None]
            canvas[frame] = canvas[frame] * (1 - alpha) + colours[colour] * light * alpha
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _capsule(
    x: Floats, y: Floats, start: tuple[float, float], end: tuple[float, float], radius: float
) -> Floats:
    """Signed distance to a line from start to end, thickened by a radius."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    return np.hypot(x - start[0] - along * dx, y - start[1] - along * dy) - radius


def _background(rng: np.random.Generator) -> Floats:
    """Grey noise (48, 56) without direction: its spectrum depends on the radius only."""
    fy, fx = np.fft.fftfreq(2 * HEIGHT)[:, None], np.fft.fftfreq(2 * WIDTH)[None, :]
    spectrum = np.exp(-((np.hypot(fy, fx) * rng.uniform(8.0, 20.0)) ** 2))
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(2 * HEIGHT, 2 * WIDTH))) * spectrum).real
    patch = noise[:HEIGHT, :WIDTH]
    return rng.uniform(50, 90) + rng.uniform(10, 30) * patch / noise.std()


def _smooth_walk(rng: np.random.Generator, amplitude: float) -> Floats:
    """A random path (40, 2) in pixels about the origin, alike in all directions and backwards."""
    kernel = np.hanning(9)
    path = np.stack(
        [np.convolve(rng.normal(size=FRAMES + 8), kernel, "valid") for _ in range(2)], axis=1
    )
    return amplitude * path / np.sqrt((kernel**2).sum())
