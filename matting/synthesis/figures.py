"""People who never were: dressed, coiffed and set walking or dancing by a random number generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.random import Generator

from matting.arrays import FloatArray
from matting.synthesis.puppet.body import draw_arm, draw_head, draw_leg, skirt
from matting.synthesis.puppet.canvas import Canvas, Fabric, Floats, Point
from matting.synthesis.puppet.cloth import Colour, cloth, knit, plaid, tones
from matting.synthesis.puppet.gait import Arm, Leg, Pose, Walk
from matting.synthesis.puppet.hair import Mane, fringe, frizz, fuzz, locks, mane

Motion = Callable[[float], Pose]
"""Where the joints are at a time in frames."""


@dataclass(frozen=True)
class Person:
    """Somebody who can be drawn at any time.

    Attributes:
        pose: how they move.
        draw: puts them on a canvas in a pose at a time.
    """

    pose: Motion
    draw: Callable[[Canvas, Pose, float], None]


@dataclass(frozen=True)
class _Wardrobe:
    """What somebody wears; colours in [0, 1], lengths in heights of a person."""

    skin: Colour
    hair: Colour
    hair_count: int
    hair_fall: tuple[float, float]
    hair_volume: float
    frizz: float
    """Length of hair that stands off all round; 0 for none."""
    beard: bool
    top: Fabric
    top_colour: Colour
    sleeve: float
    trousers: Fabric
    trouser_width: float
    shoe: Colour
    boot: float
    coat_hem: float
    """0 for none, else how far down a coat or skirt reaches."""
    hem_fringe: int
    fur: int
    scarf: bool
    veil: float
    """Opacity of a translucent cloth that hangs from the shoulders; 0 for none."""
    bag: bool
    mane: Mane | None = None


def random_person(rng: Generator, maned: bool = False) -> Person:
    """Somebody in random clothes with a random way of moving; the same generator state gives the same person.

    Args:
        rng: decides who it is.
        maned: whether the hair is a mass of locks, and not only strands.
    """
    wardrobe, seed = _dress(rng), int(rng.integers(1 << 30))
    motion = _walking(rng) if rng.random() < 0.55 else _dancing(rng)
    if maned:
        wardrobe = replace(wardrobe, mane=_random_mane(rng), hair=_hair_colour(rng))
    return Person(motion, lambda canvas, pose, time: _draw(canvas, pose, time, wardrobe, seed))


# -- clothes -----------------------------------------------------------------------------------------------------------


def _dress(rng: Generator) -> _Wardrobe:
    top_colour = random_colour(rng)
    dark = rng.uniform(0.25, 1.0)
    brown = np.array((0.30, 0.20, 0.13))
    hair_length = rng.choice((0.05, 0.12, 0.25, 0.34))
    return _Wardrobe(
        skin=tuple(np.array((0.86, 0.66, 0.54)) * dark * rng.uniform(0.92, 1.08, 3)),
        hair=tuple(np.clip(brown * rng.uniform(0.25, 2.4) * rng.uniform(0.8, 1.25, 3), 0.02, 0.9)),
        hair_count=int(rng.choice((0, 120, 260, 420), p=(0.12, 0.28, 0.3, 0.3))),
        hair_fall=(0.4 * hair_length, hair_length),
        hair_volume=rng.uniform(0.8, 2.2),
        frizz=float(rng.choice((0.0, 0.0, 0.03, rng.uniform(0.03, 0.16)))),
        beard=bool(rng.random() < 0.25),
        top=random_fabric(rng, top_colour),
        top_colour=top_colour,
        sleeve=rng.uniform(0.8, 1.3),
        trousers=random_fabric(rng, random_colour(rng)),
        trouser_width=rng.uniform(0.72, 1.25),
        shoe=random_colour(rng, 0.5),
        boot=float(rng.choice((0.0, 0.0, 0.4, 0.8))),
        coat_hem=float(rng.choice((0.0, 0.0, 0.66, 0.76, 0.86))),
        hem_fringe=int(rng.choice((0, 0, 120, 220))),
        fur=int(rng.choice((0, 0, 80, 160))),
        scarf=bool(rng.random() < 0.35),
        veil=float(rng.choice((0.0, 0.3, 0.55), p=(0.88, 0.06, 0.06))),
        bag=bool(rng.random() < 0.25),
    )  # fmt: skip


def _random_mane(rng: Generator) -> Mane:
    locks, weight = (
        int(rng.integers(14, 56)) * 4,
        float(rng.choice((rng.uniform(0.0, 0.35), rng.uniform(0.6, 1.0)), p=(0.35, 0.65))),
    )
    return Mane(
        locks=locks,
        strands=int(rng.integers(8, 30)),
        reach=float(rng.uniform(0.05, 0.14) if weight < 0.5 else rng.uniform(0.08, 0.34)),
        weight=weight,
        spread=float(rng.uniform(0.01, 0.09)),
        wave=(float(rng.choice((0.0, rng.uniform(0.002, 0.014)))), float(rng.uniform(0.5, 4.5))),
        thick=float(rng.uniform(0.008, 0.03)),
        loose=float(rng.choice((0.02, 0.08, rng.uniform(0.05, 0.4)))),
        contrast=float(rng.uniform(0.1, 0.95)),
        opacity=float(rng.uniform(0.4, 0.95)),
    )


def _hair_colour(rng: Generator) -> Colour:
    kinds = ((0.05, 0.04, 0.04), (0.22, 0.13, 0.08), (0.42, 0.20, 0.09), (0.62, 0.45, 0.24), (0.55, 0.54, 0.53))
    return tuple(np.clip(np.array(kinds[int(rng.integers(len(kinds)))]) * rng.uniform(0.7, 1.4, 3), 0.02, 0.95))


def random_colour(rng: Generator, value: float = 0.9) -> Colour:
    """A colour as clothes have them, RGB in [0, 1]: mostly muted, now and then loud."""
    hue, saturation = rng.uniform(0, 180), rng.beta(1.3, 2.5) * 255
    hsv = np.array([[[hue, saturation, rng.uniform(0.08, value) * 255]]], np.uint8)
    return tuple(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] / 255.0)


def random_fabric(rng: Generator, colour: Colour) -> Fabric:
    """Cloth of a colour: woven, knitted, checked or printed."""
    kind = rng.integers(4)
    if kind == 0:
        return knit(colour, rng.uniform(0.012, 0.03))
    if kind == 1:
        return plaid(colour, random_colour(rng), random_colour(rng), rng.uniform(0.03, 0.12))
    if kind == 2:
        return _print(rng, colour)
    return cloth(colour, rng.uniform(0.05, 0.35), rng.uniform(120, 360))


def _print(rng: Generator, colour: Colour) -> Fabric:
    """A pattern of soft blobs of other colours."""
    cells = rng.random((24, 24, 3)).astype(np.float32)
    strength = rng.uniform(0.2, 0.9)
    base, other = np.array(colour, np.float32), np.array(random_colour(rng), np.float32)
    tile = np.clip(cv2.GaussianBlur(np.tile(cells, (3, 3, 1)), (0, 0), 1.0)[24:48, 24:48, :1] * 6 - 2.5, 0, 1)
    size = rng.uniform(0.004, 0.014)

    def paint(along: Floats, across: Floats) -> Floats:
        amount = tile[(along / size).astype(np.int64) % 24, (across / size + 240).astype(np.int64) % 24] * strength
        return np.asarray(base + (other - base) * amount, np.float32)

    return paint


# -- motion ------------------------------------------------------------------------------------------------------------


def _walking(rng: Generator) -> Motion:
    facing = int(rng.choice((-1, 1)))
    speeds = [(frame, facing * rng.uniform(0, 6)) for frame in (0, 20, 45, 80, 125)]
    walk = Walk(0, speeds, 224, facing, rng.random(), rng.uniform(0.6, 0.8))
    swing, elbow = rng.uniform(0.2, 0.7), rng.uniform(0.15, 0.6)
    return lambda time: walk.pose(time, swing, elbow)


def _dancing(rng: Generator) -> Motion:
    """Arms and legs that swing about random angles at random paces: reaching up, kicking, turning in and out."""
    facing = int(rng.choice((-1, 1)))
    shoulders, elbows = rng.uniform(-0.6, 2.6, 2), rng.uniform(0.1, 1.6, 2)
    widths = rng.uniform(0.1, 0.9, 8)
    paces, phases = rng.uniform(0.05, 0.45, 8), rng.uniform(0, 6.3, 8)
    stance = rng.uniform(0.03, 0.14)

    def pose(time: float) -> Pose:
        swing = widths * np.sin(paces * time + phases)
        rise = 0.012 * float(swing[6])
        lean = 0.05 * float(swing[7])
        arms = []
        for side in (0, 1):
            angle = float(shoulders[side] + swing[side])
            bend = angle + float(elbows[side] * (1 + 0.6 * swing[2 + side]))
            shoulder = (lean - facing * 0.02 * (1 - 2 * side), 0.205 - rise)
            elbow = (shoulder[0] + facing * 0.158 * np.sin(angle), shoulder[1] + 0.158 * np.cos(angle))
            arms.append(Arm(shoulder, elbow, (elbow[0] + facing * 0.14 * np.sin(bend), elbow[1] + 0.14 * np.cos(bend))))
        legs = []
        for side in (0, 1):
            angle = 0.5 * float(swing[4 + side]) + (1 - 2 * side) * stance
            knee = (0.232 * np.sin(angle), 0.515 - rise + 0.232 * np.cos(angle))
            lower = angle - facing * (0.15 + 0.5 * max(float(swing[4 + side]), 0.0))
            ankle = (knee[0] + 0.222 * np.sin(lower), knee[1] + 0.222 * np.cos(lower))
            legs.append(Leg((facing * 0.01 * (1 - 2 * side), 0.515 - rise), knee, ankle, 0.3 * float(swing[4 + side])))
        drift = 0.004 * float(swing[7])
        return Pose(facing, lean, rise, (legs[0], legs[1]), (arms[0], arms[1]), time * 0.02, 0.5, drift)

    return pose


# -- drawing -----------------------------------------------------------------------------------------------------------


def _draw(canvas: Canvas, pose: Pose, time: float, worn: _Wardrobe, seed: int) -> None:
    f, hip, x = pose.facing, 0.515 - pose.rise, pose.lean
    head = (x * 1.5 + f * 0.012, 0.067 - pose.rise)
    if worn.hair_count > 200:  # the part of long hair that falls behind the shoulders
        canvas.strands(
            locks(head, (-0.5, 2.6), worn.hair_fall, worn.hair_count // 2, pose, time, seed, worn.hair_volume),
            tones(worn.hair, 0.3), 0.8,
        )  # fmt: skip
    draw_arm(canvas, pose.arms[1], f, worn.top, worn.skin, worn.sleeve)
    for leg in pose.legs[::-1]:
        draw_leg(canvas, leg, f, worn.trousers, worn.shoe, worn.trouser_width, worn.boot)
    if worn.bag:
        top, bottom = (x - f * 0.11, 0.24 - pose.rise), (-f * 0.10, 0.44 - pose.rise)
        canvas.limb(top, bottom, (0.05, 0.068, 0.06), fabric=worn.trousers)
    canvas.limb(
        (x, 0.2 - pose.rise), (0, hip + 0.03), (0.080, 0.092, 0.088, 0.090, 0.094),
        fabric=worn.top, folds=0.15, fold_count=1.4, tilt=-0.06, hem=True,
    )  # fmt: skip
    if worn.coat_hem:
        _coat(canvas, pose, time, worn, seed)
    draw_arm(canvas, pose.arms[0], f, worn.top, worn.skin, worn.sleeve)
    if worn.fur:
        for side in (-1, 1):
            edge = [(x + side * 0.078, 0.2 - pose.rise), (side * 0.088, 0.36 - pose.rise), (side * 0.092, hip)]
            hairs = fuzz(edge, worn.fur, 0.028, (side, 0.2), time, seed + 3 + side)
            canvas.strands(hairs, tones(worn.top_colour, 0.25), 0.6)
    if worn.veil:
        _veil(canvas, pose, time, worn)
    draw_head(canvas, pose, head, worn.skin, 0.05, worn.hair if worn.beard else None)
    if worn.scarf:
        ends = (x - f * 0.02, 0.158 - pose.rise), (x + f * 0.022, 0.178 - pose.rise)
        canvas.limb(*ends, (0.056, 0.066, 0.062), fabric=worn.trousers, folds=0.4, fold_count=0.9, shadow=0.4)
    _hair(canvas, pose, time, worn, head, seed)


def _coat(canvas: Canvas, pose: Pose, time: float, worn: _Wardrobe, seed: int) -> None:
    left, right = skirt(pose, (0.08, 0.092, 0.102, 0.112), 0.35, 0.06)
    swing = 2.2 * np.sin(2 * np.pi * pose.cycle) * pose.pace
    if worn.hem_fringe:
        hem = worn.coat_hem - 0.015
        places = (-left[-1] * 0.98, -left[-1] * 0.3, right[-1] * 0.3, right[-1] * 0.98)
        line = [(place, hem) for place in places]
        canvas.strands(fringe(line, worn.hem_fringe, 0.06, pose, time, seed + 1), tones(worn.top_colour, 0.25), 0.65)
    canvas.limb(
        (0, 0.515 - pose.rise - 0.1), (0, worn.coat_hem), left, right,
        fabric=worn.top, folds=0.35, fold_count=2.2, phase=swing, hem=True, wave=0.006,
    )  # fmt: skip


def _veil(canvas: Canvas, pose: Pose, time: float, worn: _Wardrobe) -> None:
    back, x = -pose.facing, pose.lean
    blow = 0.05 * np.sin(time * 0.21) - 2.5 * abs(pose.drift)
    low = x + back * -blow
    outline = [
        (x + back * 0.02, 0.17), (x + back * 0.09, 0.22), (low + back * 0.17, 0.42), (low + back * 0.22, 0.62),
        (low + back * 0.10, 0.66), (x + back * 0.03, 0.45), (x - back * 0.02, 0.24),
    ]  # fmt: skip
    canvas.shape(outline, worn.skin[::-1], roundness=0.5, opacity=worn.veil)


def _hair(canvas: Canvas, pose: Pose, time: float, worn: _Wardrobe, head: Point, seed: int) -> None:
    if worn.mane is not None:
        _mane(canvas, pose, time, worn.mane, worn.hair, head, seed)
        return
    if not worn.hair_count:
        return
    f, back, (hx, hy) = pose.facing, -pose.facing, head
    cap = [
        (f * 0.046, -0.040), (f * 0.036, -0.064), (f * 0.004, -0.078), (back * 0.040, -0.072), (back * 0.068, -0.036),
        (back * 0.068, 0.012), (back * 0.048, 0.044), (back * 0.014, 0.034), (f * 0.012, -0.024), (f * 0.034, -0.030),
    ]  # fmt: skip
    canvas.shape([(hx + px, hy + py) for px, py in cap], tuple(np.array(worn.hair) * 0.75), shadow=0.3)
    shades = tones(worn.hair, 0.42)
    strands = locks(head, (-0.5, 2.6), worn.hair_fall, worn.hair_count, pose, time, seed + 7, worn.hair_volume)
    canvas.strands(strands, shades, 0.75)
    if worn.frizz:
        canvas.strands(frizz(head, 4 * worn.hair_count, worn.frizz, pose, time, seed + 9), shades, 0.7)
    rim = [(f * 0.046, -0.044), (f * 0.02, -0.072), (back * 0.03, -0.074), (back * 0.062, -0.034), (back * 0.05, 0.046)]
    line = [(hx + px, hy + py) for px, py in rim]
    canvas.strands(fuzz(line, worn.hair_count // 2, 0.036, (back * 0.6, -0.5), time, seed + 8), shades, 0.6)


_TAPER = (1.0, 1.0, 0.85, 0.6, 0.3)
"""How wide a lock is on its way; its end is strands alone."""


def _mane(canvas: Canvas, pose: Pose, time: float, worn: Mane, hair: Colour, head: Point, seed: int) -> None:
    middles, strands = mane(worn, head, pose, time, seed)
    dark = tones([part * (1 - 0.7 * worn.contrast) for part in hair], 0.5 * worn.contrast)
    light = tones([part * (1 + 0.4 * worn.contrast) for part in hair], worn.contrast)
    # What lies behind is all there before what lies in front, or every lock would look like a ribbon.
    for part in np.array_split(np.arange(worn.locks), 3):
        for step, share in enumerate(_TAPER):
            canvas.strands(middles[step * worn.locks + part], dark, 1.0, width=share * worn.thick)
        own = (part[:, None] * worn.strands + np.arange(worn.strands)).ravel()
        chosen = strands.reshape(-1, worn.locks * worn.strands, 3, 2)[:, own]
        canvas.strands(chosen.reshape(-1, 3, 2), light, worn.opacity)


def straight(rgb: FloatArray, alpha: FloatArray) -> FloatArray:
    """Straight colour ``[H, W, 3]`` of a premultiplied picture; where nothing is, the colour of what is near."""
    spread = cv2.GaussianBlur(np.dstack([rgb, alpha]), (0, 0), 4)
    near = spread[..., :3] / np.maximum(spread[..., 3:], 1e-4)
    own = rgb / np.maximum(alpha, 1e-4)[..., None]
    return np.asarray(np.clip(np.where(alpha[..., None] > 0.02, own, near), 0, 1), np.float32)
