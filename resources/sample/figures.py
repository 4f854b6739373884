"""The three people of the sample clip, dressed and drawn limb by limb from back to front."""

from __future__ import annotations

import numpy as np

from matting.synthesis.puppet.body import draw_arm, draw_head, draw_leg, skirt
from matting.synthesis.puppet.canvas import Canvas, Fabric, Point
from matting.synthesis.puppet.cloth import (
    CREAM,
    DARK_SKIN,
    NAVY,
    OCHRE,
    RUST,
    SAGE,
    SKIN,
    TAUPE,
    UMBER,
    cloth,
    knit,
    plaid,
    tones,
)
from matting.synthesis.puppet.gait import Arm, Pose
from matting.synthesis.puppet.hair import fringe, fuzz, locks


def draw_ann(canvas: Canvas, pose: Pose, time: float) -> None:
    """Nearest: a long rust coat, a fringed plaid shawl, much wavy dark hair."""
    f, hip, x = pose.facing, 0.515 - pose.rise, pose.lean
    coat, wool = cloth(RUST, 0.20, 330), plaid(CREAM, NAVY, RUST, 0.085)
    head = (x * 1.5 + f * 0.012, 0.067 - pose.rise)
    for leg in pose.legs[::-1]:
        draw_leg(canvas, leg, f, cloth(UMBER), UMBER, 0.85, 0.8)
    draw_arm(canvas, pose.arms[1], f, coat, SKIN, 1.05)
    left, right = skirt(pose, (0.098, 0.106, 0.116, 0.128), 0.40, 0.066)
    swing = 2.2 * np.sin(2 * np.pi * pose.cycle) * pose.pace
    canvas.limb(
        (0, hip - 0.10),
        (0, 0.842),
        left,
        right,
        fabric=coat,
        folds=0.34,
        fold_count=2.1,
        phase=swing,
        hem=True,
        wave=0.005,
    )
    canvas.strands(
        fringe(
            [(-left[-1], 0.830), (-left[-1] * 0.3, 0.834), (right[-1] * 0.3, 0.834), (right[-1], 0.830)],
            150,
            0.026,
            pose,
            time,
            21,
        ),
        tones(RUST, 0.25),
    )
    canvas.limb(
        (x, 0.20 - pose.rise),
        (0, hip + 0.01),
        (0.088, 0.094, 0.094, 0.100, 0.104),
        fabric=coat,
        folds=0.10,
        fold_count=1.5,
        tilt=-0.05,
        hem=True,
    )
    canvas.limb(
        (x * 0.4, hip - 0.020),
        (x * 0.4, hip + 0.012),
        (0.0985, 0.1005),
        fabric=cloth(UMBER),
        hem=True,
        cut=True,
        shadow=0.3,
    )
    draw_arm(canvas, pose.arms[0], f, coat, SKIN, 1.12)
    draw_head(canvas, pose, head, SKIN, 0.05, None)
    sway = -2.4 * pose.drift + 0.006 * np.sin(time * 0.17)
    end = np.array((x * 0.4 + sway, 0.405 - pose.rise))
    down = end - (x, 0.170 - pose.rise)
    across = np.array((down[1], -down[0])) / np.hypot(*down)
    tail = [tuple(end + across * k + (0, -0.010 - abs(k) * 0.05)) for k in (-0.15, -0.05, 0.05, 0.15)]
    canvas.limb(
        (x, 0.170 - pose.rise),
        (x * 0.4 + sway, 0.405 - pose.rise),
        (0.060, 0.104, 0.128, 0.140, 0.150),
        fabric=wool,
        folds=0.26,
        fold_count=1.7,
        phase=0.7 * np.sin(time * 0.13),
        hem=True,
        wave=0.006,
    )
    canvas.strands(
        fringe(tail, 230, 0.082, pose, time, 22),
        np.concatenate([tones(CREAM, 0.2), tones(NAVY, 0.2)])[[0, 4, 3, 5, 1, 6, 2, 3]],
        0.75,
        0.2,
    )
    for side in (-1, 1):
        edge = [
            tuple(end - down * (1 - share) + across * side * wide)
            for share, wide in ((0.1, 0.072), (0.5, 0.124), (0.95, 0.145))
        ]
        canvas.strands(fuzz(edge, 150, 0.026, (side, 0.25), time, 30 + side), tones(CREAM, 0.25), 0.55)
    canvas.limb(
        (x - f * 0.012, 0.138 - pose.rise),
        (x + f * 0.016, 0.172 - pose.rise),
        (0.060, 0.072, 0.078),
        fabric=wool,
        folds=0.3,
        fold_count=1.0,
        shadow=0.4,
    )
    _ann_hair(canvas, pose, head, time)


def _ann_hair(canvas: Canvas, pose: Pose, head: Point, time: float) -> None:
    f, back = pose.facing, -pose.facing
    trail = -pose.drift * 1.2
    hx, hy = head
    mass = [
        (f * 0.034, -0.052),
        (f * 0.006, -0.071),
        (back * 0.036, -0.066),
        (back * 0.070, -0.030),
        (back * 0.084, 0.030),
        (back * 0.092 + trail, 0.095),
    ]
    mass += [
        (back * 0.082 + trail, 0.160),
        (back * 0.040 + trail, 0.178),
        (back * 0.010 + trail * 0.5, 0.150),
        (back * 0.004, 0.085),
        (f * 0.002, 0.020),
        (f * 0.022, -0.022),
    ]
    canvas.shape([(hx + px, hy + py) for px, py in mass], (0.185, 0.128, 0.098), shadow=0.45)
    shades = tones((0.235, 0.160, 0.12), 0.42)
    canvas.strands(locks(head, (-0.5, 2.6), (0.10, 0.235), 300, pose, time, 41, 1.25), shades, 0.75)
    canvas.strands(locks(head, (-0.2, 2.55), (0.06, 0.26), 150, pose, time, 42, 1.9), shades * 1.25, 0.5)
    face = [(hx + f * 0.044, hy - 0.040), (hx + f * 0.030, hy - 0.066), (hx - f * 0.02, hy - 0.074)]
    canvas.strands(fuzz(face, 40, 0.035, (back * 0.8, -0.25), time, 43), shades, 0.6)


def draw_ben(canvas: Canvas, pose: Pose, time: float) -> None:
    """In the middle: a navy jacket with a fleece hem, a rust scarf, a rucksack, tousled hair and a beard."""
    f, hip, x = pose.facing, 0.515 - pose.rise, pose.lean
    back = -f
    jacket, fleece, trousers = cloth(NAVY, 0.22, 300), cloth(CREAM, 0.34, 170), cloth(TAUPE, 0.14, 330)
    head = (x * 1.5 + f * 0.014, 0.068 - pose.rise)
    draw_arm(canvas, pose.arms[1], f, jacket, DARK_SKIN, 1.15)
    for leg in pose.legs[::-1]:
        draw_leg(canvas, leg, f, trousers, UMBER, 1.08, 0)
    canvas.limb(
        (x - f * 0.105, 0.235 - pose.rise),
        (-f * 0.100, 0.435 - pose.rise),
        (0.052, 0.066, 0.070, 0.062),
        fabric=cloth(SAGE, 0.2, 240),
        folds=0.2,
        fold_count=1.2,
    )
    canvas.limb(
        (x - f * 0.135, 0.345 - pose.rise),
        (-f * 0.132, 0.425 - pose.rise),
        (0.032, 0.038, 0.034),
        fabric=cloth(SAGE, 0.2, 240),
        shadow=0.4,
    )
    canvas.limb(
        (x, 0.205 - pose.rise),
        (0, hip + 0.035),
        (0.082, 0.096, 0.094, 0.092, 0.094),
        fabric=jacket,
        folds=0.16,
        fold_count=1.3,
        tilt=-0.08,
        hem=True,
    )
    hem = hip + 0.030
    canvas.limb((-0.090, hem), (0.090, hem), (0.016, 0.019, 0.016), fabric=fleece, shadow=0.25)
    canvas.strands(fuzz([(-0.100, hem), (0.100, hem)], 190, 0.026, (0, 1), time, 51), tones(CREAM, 0.25), 0.6)
    for side in (-1, 1):
        canvas.strands(
            fuzz([(side * 0.098, hem - 0.018), (side * 0.104, hem + 0.012)], 50, 0.030, (side, 0.1), time, 52 + side),
            tones(CREAM, 0.25),
            0.6,
        )
    canvas.limb(
        (x - f * 0.030, 0.20 - pose.rise),
        (x - f * 0.055, 0.33 - pose.rise),
        (0.010, 0.010),
        fabric=cloth(UMBER),
        shadow=0.3,
    )
    draw_arm(canvas, pose.arms[0], f, jacket, DARK_SKIN, 1.15)
    _cuff(canvas, pose.arms[0], fleece, time)
    draw_head(canvas, pose, head, DARK_SKIN, 0.02, (0.17, 0.115, 0.085))
    canvas.strands(
        fuzz(
            [
                (head[0] + f * 0.050, head[1] + 0.055),
                (head[0] + f * 0.030, head[1] + 0.075),
                (head[0] - f * 0.01, head[1] + 0.058),
            ],
            60,
            0.018,
            (f * 0.5, 1),
            time,
            55,
        ),
        tones((0.17, 0.115, 0.085)),
        0.55,
    )
    _scarf(canvas, pose, time)
    hx, hy = head
    cap = [
        (f * 0.048, -0.040),
        (f * 0.040, -0.066),
        (f * 0.006, -0.083),
        (back * 0.040, -0.076),
        (back * 0.070, -0.040),
        (back * 0.070, 0.008),
        (back * 0.050, 0.044),
    ]
    cap += [(back * 0.018, 0.036), (back * 0.008, -0.004), (f * 0.012, -0.026), (f * 0.034, -0.030)]
    canvas.shape([(hx + px, hy + py) for px, py in cap], (0.135, 0.095, 0.075), shadow=0.3)
    shades = tones((0.215, 0.15, 0.115), 0.42)
    for grow, seed, reach in ((0.72, 56, 0.040), (1.0, 59, 0.033)):
        rim = [
            (f * 0.046, -0.044),
            (f * 0.02, -0.072),
            (-f * 0.03, -0.074),
            (-f * 0.062, -0.034),
            (-f * 0.062, 0.01),
            (-f * 0.046, 0.046),
        ]
        rim = [(hx + px * grow, hy + py * grow - 0.004) for px, py in rim]
        for k, (start, stop, way) in enumerate(
            ((0, 3, (f * 0.5, -0.8)), (2, 5, (back, -0.2)), (3, 6, (back * 0.8, 0.8)))
        ):
            canvas.strands(fuzz(rim[start:stop], 110, reach, way, time, seed + k), shades, 0.62)


def _cuff(canvas: Canvas, arm: Arm, fleece: Fabric, time: float) -> None:
    dx, dy = (arm.wrist[k] - arm.elbow[k] for k in (0, 1))
    a, b = (arm.wrist[0] - dx * 0.16, arm.wrist[1] - dy * 0.16), (arm.wrist[0] + dx * 0.06, arm.wrist[1] + dy * 0.06)
    canvas.limb(a, b, (0.039, 0.041, 0.039), fabric=fleece, hem=True, cut=True, shadow=0.25)
    for side in (-1, 1):
        edge = [(p[0] + side * 0.034 * dy / 0.14, p[1] - side * 0.034 * dx / 0.14) for p in (a, b)]
        canvas.strands(
            fuzz(edge, 40, 0.022, (side * dy / 0.14, -side * dx / 0.14), time, 60 + side), tones(CREAM, 0.25), 0.6
        )


def _scarf(canvas: Canvas, pose: Pose, time: float) -> None:
    """Twice round the neck, one end blown back."""
    f, back, x = pose.facing, -pose.facing, pose.lean
    wool = plaid(RUST, OCHRE, UMBER, 0.05)
    rise = pose.rise
    blow = 0.03 * np.sin(time * 0.23) + 0.012 * np.sin(time * 0.61)
    start, end = (x + back * 0.045, 0.185 - rise), (x + back * (0.150 + 0.8 * abs(pose.drift)), 0.275 - rise + blow)
    canvas.limb(
        start,
        end,
        (0.026, 0.030, 0.034, 0.036),
        fabric=wool,
        folds=0.3,
        fold_count=1.3,
        phase=time * 0.2,
        bend=f * (0.10 + 0.8 * blow),
        hem=True,
    )
    ax, ay = end[0] - start[0], end[1] - start[1]
    norm = float(np.hypot(ax, ay))
    ax, ay = ax / norm, ay / norm
    edge = [(end[0] - ay * 0.035, end[1] + ax * 0.035), (end[0] + ay * 0.035, end[1] - ax * 0.035)]
    canvas.strands(fuzz(edge, 70, 0.060, (ax, ay), time, 65), tones(RUST, 0.3), 0.7)
    canvas.limb(
        (x - f * 0.020, 0.158 - rise),
        (x + f * 0.022, 0.176 - rise),
        (0.058, 0.066, 0.062),
        fabric=wool,
        folds=0.4,
        fold_count=0.8,
        shadow=0.4,
    )
    canvas.limb(
        (x - f * 0.024, 0.188 - rise),
        (x + f * 0.028, 0.196 - rise),
        (0.052, 0.058, 0.052),
        fabric=wool,
        folds=0.4,
        fold_count=0.9,
        phase=1.5,
        shadow=0.35,
    )
    for side in (-1, 1):
        line = [(x + side * 0.074, 0.150 - rise), (x + side * 0.084, 0.195 - rise)]
        canvas.strands(fuzz(line, 40, 0.020, (side, 0), time, 67 + side), tones(RUST, 0.3), 0.5)


def draw_cleo(canvas: Canvas, pose: Pose, time: float) -> None:
    """Farthest: a cream jumper, a long sage skirt with a tulle hem, loose light hair that the wind takes."""
    f, hip, x = pose.facing, 0.515 - pose.rise, pose.lean
    jumper, wool = knit(CREAM, 0.022), cloth(SAGE, 0.20, 220)
    head = (x * 1.5 + f * 0.012, 0.067 - pose.rise)
    for leg in pose.legs[::-1]:
        draw_leg(canvas, leg, f, cloth(TAUPE), UMBER, 0.8, 0.7)
    draw_arm(canvas, pose.arms[1], f, jumper, SKIN, 1.0)
    left, right = skirt(pose, (0.062, 0.088, 0.098, 0.104), 0.30, 0.058)
    tulle = [(-left[-1] * 0.98, 0.785), (-left[-1] * 0.35, 0.79), (right[-1] * 0.35, 0.79), (right[-1] * 0.98, 0.785)]
    canvas.strands(fringe(tulle, 190, 0.085, pose, time, 71), tones((0.46, 0.48, 0.40), 0.25), 0.5)
    swing = 2.2 * np.sin(2 * np.pi * pose.cycle) * pose.pace
    canvas.limb(
        (x * 0.4, hip - 0.11),
        (0, 0.81),
        left,
        right,
        fabric=wool,
        folds=0.42,
        fold_count=2.6,
        phase=swing,
        hem=True,
        wave=0.006,
    )
    canvas.limb(
        (x, 0.200 - pose.rise),
        (x * 0.5, hip - 0.015),
        (0.070, 0.080, 0.074, 0.078, 0.088),
        fabric=jumper,
        folds=0.12,
        fold_count=1.4,
        tilt=-0.05,
        hem=True,
    )
    draw_arm(canvas, pose.arms[0], f, jumper, SKIN, 1.05)
    for side in (-1, 1):
        edge = [
            (x + side * 0.074, 0.20 - pose.rise),
            (x + side * 0.076, 0.30 - pose.rise),
            (side * 0.078, 0.45 - pose.rise),
        ]
        canvas.strands(fuzz(edge, 70, 0.024, (side, 0.1), time, 75 + side), tones(CREAM, 0.2), 0.45)
    draw_head(canvas, pose, head, SKIN, 0.03, None)
    canvas.limb(
        (x - f * 0.010, 0.158 - pose.rise),
        (x + f * 0.012, 0.170 - pose.rise),
        (0.046, 0.050, 0.046),
        fabric=jumper,
        shadow=0.3,
    )
    back, (hx, hy), trail = -f, head, -pose.drift * 1.6
    mass = [
        (f * 0.036, -0.050),
        (f * 0.006, -0.072),
        (back * 0.036, -0.068),
        (back * 0.068, -0.034),
        (back * 0.076, 0.020),
        (back * 0.078 + trail, 0.090),
    ]
    mass += [
        (back * 0.064 + trail, 0.160),
        (back * 0.034 + trail, 0.165),
        (back * 0.012 + trail * 0.5, 0.110),
        (back * 0.006, 0.050),
        (f * 0.004, 0.010),
        (f * 0.022, -0.024),
    ]
    canvas.shape([(hx + px, hy + py) for px, py in mass], (0.41, 0.295, 0.195), shadow=0.4)
    shades = tones((0.46, 0.335, 0.22), 0.40)
    canvas.strands(locks(head, (-0.5, 2.6), (0.10, 0.26), 220, pose, time, 81, 1.1), shades, 0.75)
    canvas.strands(locks(head, (-0.3, 2.2), (0.05, 0.28), 150, pose, time, 82, 1.6), shades * 1.15, 0.5)
