"""How well the flow tracker follows what can be followed."""

from __future__ import annotations

import numpy as np
from moving_shapes import Disc, Scene, overlap

from matting.job import JobContext
from matting.tracking.blend import without_islands
from matting.tracking.flow import FlowTracker
from matting.tracking.seeds import Seeds
from matting.tracking.tracker import FrameMasks


def tracked(scene: Scene, seeds: Seeds) -> dict[int, FrameMasks]:
    found = FlowTracker().track(scene, range(len(scene)), seeds, JobContext())
    return {masks.index: masks for masks in found}


def test_a_disc_over_a_textured_wall_forward() -> None:
    scene = Scene((Disc(18, (30, 40), (2.5, 0.8), (150, 110, 90)),), 20)
    found = tracked(scene, {0: scene.seen(0)})
    assert min(overlap(found[t].masks[0], scene.seen(t)[1]) for t in range(20)) > 0.9
    assert np.mean([overlap(found[t].masks[0], scene.seen(t)[1]) for t in range(20)]) > 0.95


def test_a_disc_over_a_textured_wall_backward() -> None:
    scene = Scene((Disc(18, (30, 40), (2.5, 0.8), (150, 110, 90)),), 20)
    found = tracked(scene, {19: scene.seen(19)})
    assert np.mean([overlap(found[t].masks[0], scene.seen(t)[1]) for t in range(20)]) > 0.95


def test_whoever_is_hidden_has_no_mask() -> None:
    # The far disc is wholly behind the near one on frames 12 to 18.
    far = Disc(9, (30, 45), (2.5, 0), (70, 90, 180))
    near = Disc(22, (105, 45), (-2.5, 0), (190, 80, 70))
    scene = Scene((far, near), 31)
    hidden = [t for t in range(31) if not scene.seen(t)[1].any()]
    assert len(hidden) >= 5
    found = tracked(scene, {0: scene.seen(0), 30: scene.seen(30)})
    for t in range(31):
        assert overlap(found[t].masks[1], scene.seen(t)[2]) > 0.9, t
    far_px = far.mask(0, scene.size_hw).sum()
    assert max(int(found[t].masks[0].sum()) for t in hidden) < 0.02 * far_px
    clear = [t for t in range(1, 30) if scene.seen(t)[1].sum() > 0.95 * far_px]
    assert np.mean([overlap(found[t].masks[0], scene.seen(t)[1]) for t in clear]) > 0.85
    assert min(overlap(found[t].masks[0], scene.seen(t)[1]) for t in clear) > 0.7


def test_a_mask_does_not_flood_the_picture() -> None:
    # A person of the wall's own colours: no colour tells them apart.
    scene = Scene((Disc(15, (35, 45), (2, 0), (110, 120, 100)),), 30)
    found = tracked(scene, {0: scene.seen(0)})
    assert max(found[t].masks[0].mean() for t in range(30)) < 2.5 * scene.seen(0)[1].mean()


def test_small_parts_beside_a_large_one_are_dropped_and_large_ones_kept() -> None:
    mask = np.zeros((60, 80), np.bool_)
    mask[5:35, 5:25] = True  # a body,
    mask[40:50, 5:20] = True  # legs that somebody hides it from,
    mask[2:6, 60:70] = True  # and a lamp of the same colour
    expected = mask.copy()
    expected[2:6, 60:70] = False
    np.testing.assert_array_equal(without_islands(mask), expected)
    np.testing.assert_array_equal(without_islands(np.zeros_like(mask)), np.zeros_like(mask))
