"""What every figure has: a head in profile, arms, legs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matting.synthesis.puppet.canvas import Canvas, Fabric, Point
from matting.synthesis.puppet.cloth import Colour, cloth
from matting.synthesis.puppet.gait import Arm, Leg, Pose

_HEAD = 0.132
# fmt: off
_PROFILE = (
    (-0.05, 0.0), (0.18, 0.02), (0.33, 0.12), (0.385, 0.27), (0.40, 0.37), (0.385, 0.43), (0.45, 0.53), (0.505, 0.60),
    (0.43, 0.645), (0.44, 0.70), (0.415, 0.735), (0.43, 0.785), (0.385, 0.84), (0.40, 0.92), (0.31, 0.985),
    (0.08, 0.93), (-0.10, 0.82), (-0.24, 0.76), (-0.42, 0.57), (-0.46, 0.36), (-0.38, 0.15), (-0.22, 0.04),
)
_BEARD = (
    (0.42, 0.68), (0.33, 0.67), (0.16, 0.70), (0.0, 0.62), (-0.04, 0.45), (-0.10, 0.46), (-0.10, 0.80),
    (0.08, 0.97), (0.31, 1.05), (0.42, 0.97), (0.40, 0.86), (0.44, 0.80), (0.36, 0.755), (0.44, 0.70),
)
_SHOE = (
    (-0.036, 0.042), (-0.042, 0.018), (-0.034, -0.020), (0.012, -0.024), (0.040, 0.004),
    (0.078, 0.014), (0.098, 0.030), (0.096, 0.044), (0.03, 0.048), (-0.01, 0.048),
)
# fmt: on


def draw_head(canvas: Canvas, pose: Pose, centre: Point, skin: Colour, tilt: float, beard: Colour | None) -> None:
    """A head in profile with a hint of a face; ``centre`` is the middle of the skull, ``tilt`` nods down."""
    f = pose.facing
    turn = np.array(((np.cos(tilt), -np.sin(tilt)), (np.sin(tilt), np.cos(tilt))))

    def at(points: object) -> NDArray[np.float64]:
        turned = (np.asarray(points, float) - (0, 0.45)) @ turn.T * _HEAD
        return turned * (f, 1) + centre

    def blob(x: float, y: float, width: float, height: float, colour: Colour, opacity: float) -> None:
        angles = np.linspace(0, 2 * np.pi, 9)[:-1]
        outline = np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], 1)
        canvas.shape(at(outline), colour, roundness=0.2, opacity=opacity)

    neck = at([(-0.10, 0.72), (-0.16, 1.35)])
    canvas.limb(tuple(neck[0]), tuple(neck[1]), (0.034, 0.030, 0.036), fabric=cloth(skin, 0.03), shadow=0)
    canvas.shape(at(_PROFILE), skin, roundness=1.05, shadow=0.45)
    warm = (skin[0] * 1.0, skin[1] * 0.80, skin[2] * 0.76)
    dark = (skin[0] * 0.62, skin[1] * 0.56, skin[2] * 0.54)
    blob(0.20, 0.64, 0.13, 0.10, warm, 0.55)
    blob(0.20, 0.445, 0.115, 0.07, dark, 0.45)
    if beard is not None:
        canvas.shape(at(_BEARD), beard, opacity=0.9)
    blob(0.235, 0.445, 0.048, 0.026, (0.74, 0.70, 0.66), 0.8)
    blob(0.255, 0.447, 0.028, 0.032, (0.10, 0.08, 0.07), 0.95)
    blob(0.225, 0.415, 0.070, 0.013, (0.10, 0.07, 0.06), 0.8)
    blob(0.235, 0.345, 0.105, 0.020, (0.16, 0.11, 0.085), 0.75)
    blob(0.37, 0.745, 0.060, 0.024, (0.52, 0.26, 0.22), 0.85)
    blob(0.43, 0.62, 0.030, 0.014, dark, 0.7)
    blob(-0.07, 0.53, 0.065, 0.105, (skin[0] * 0.94, skin[1] * 0.86, skin[2] * 0.84), 1.0)
    blob(-0.06, 0.54, 0.030, 0.055, dark, 0.55)


def draw_leg(canvas: Canvas, leg: Leg, f: int, trousers: Fabric, shoe: Colour, wide: float, boot: float) -> None:
    """Trousers or stockings of relative width ``wide``, a shoe, and a boot shaft up to ``boot`` of the shin."""
    if boot < 1:
        canvas.limb(
            leg.hip, leg.knee, (0.068 * wide, 0.060 * wide, 0.050 * wide), fabric=trousers, folds=0.10, fold_count=1.5
        )
    ankle = leg.ankle
    sole, c, s = np.array(_SHOE), np.cos(leg.pitch), np.sin(leg.pitch)
    turned = np.stack([sole[:, 0] * c + sole[:, 1] * s, -sole[:, 0] * s + sole[:, 1] * c], 1)
    canvas.shape(turned * (f, 1) + ankle, shoe, shadow=0.2)
    widths = (0.050 * wide, 0.050 * wide, 0.043 * wide, 0.040 * wide)
    canvas.limb(
        leg.knee,
        (ankle[0], ankle[1] + 0.012),
        widths,
        fabric=trousers,
        folds=0.14,
        fold_count=1.2,
        bend=-0.035 * f,
        hem=True,
        shadow=0,
    )
    if boot:
        top = tuple(np.array(ankle) + (np.array(leg.knee) - ankle) * min(boot, 0.95))
        canvas.limb(
            (top[0], top[1]),
            (ankle[0], ankle[1] + 0.01),
            (0.043, 0.042, 0.034, 0.035),
            fabric=cloth(shoe, 0.08),
            folds=0.16,
            fold_count=1,
            bend=-0.03 * f,
            cut=True,
        )


def draw_arm(canvas: Canvas, arm: Arm, f: int, sleeve: Fabric, skin: Colour, wide: float) -> None:
    dx, dy = arm.wrist[0] - arm.elbow[0], arm.wrist[1] - arm.elbow[1]
    norm = float(np.hypot(dx, dy))
    dx, dy = dx / norm, dy / norm
    palm = (arm.wrist[0] + dx * 0.030, arm.wrist[1] + dy * 0.030)
    finger = (palm[0] + dx * 0.034 + f * 0.010, palm[1] + dy * 0.034)
    canvas.limb(arm.wrist, palm, (0.017, 0.022, 0.020), fabric=cloth(skin, 0.04), shadow=0.2)
    canvas.limb(palm, finger, (0.019, 0.016, 0.011), fabric=cloth(skin, 0.04), shadow=0)
    canvas.limb(
        (palm[0] + f * 0.012, palm[1] - 0.008),
        (palm[0] + f * 0.026, palm[1] + 0.016),
        (0.008, 0.007),
        fabric=cloth(skin, 0.04),
        shadow=0,
    )
    canvas.limb(
        arm.shoulder, arm.elbow, (0.044 * wide, 0.040 * wide, 0.036 * wide), fabric=sleeve, folds=0.16, fold_count=1.2
    )
    canvas.limb(
        arm.elbow,
        arm.wrist,
        (0.037 * wide, 0.036 * wide, 0.031 * wide),
        fabric=sleeve,
        folds=0.18,
        fold_count=1.4,
        phase=1.0,
        hem=True,
        shadow=0.2,
    )


def skirt(
    pose: Pose, widths: tuple[float, float, float, float], low: float, pad: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Half widths of a skirt or coat, left and right, from the waist to the hem.

    The cloth keeps ``widths`` at rest, is pushed out ``pad`` over the knees and over the shins at ``low`` of their
    length, and trails behind the walk.
    """
    knees = [leg.knee[0] for leg in pose.legs]
    shins = [leg.knee[0] + (leg.ankle[0] - leg.knee[0]) * low for leg in pose.legs]
    trail = -3.0 * pose.drift
    sides = []
    for side in (-1, 1):
        knee = max(widths[2], max(side * x for x in knees) + pad)
        shin = max(widths[3], max(side * x for x in shins) + pad) + side * trail
        sides.append((widths[0], widths[1], 0.5 * (widths[1] + knee), max(knee, 0.5 * (knee + shin)), shin))
    return sides[0], sides[1]
