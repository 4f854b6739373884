"""What is lite's own on its way through the matter of MSG-VIM."""

from __future__ import annotations

import cv2
import numpy as np

from matting.inference.msg_vim import without_speckle


def test_salt_and_pepper_is_taken_out_of_a_mask_and_nothing_else_is() -> None:
    rng = np.random.default_rng(1)
    drawn = np.zeros((160, 240), np.uint8)
    cv2.ellipse(drawn, (120, 80), (60, 50), 20, 0, 360, 1, -1)
    cv2.line(drawn, (20, 20), (100, 70), 1, 2)  # a thin arm
    mask = drawn > 0
    np.testing.assert_array_equal(without_speckle(mask), mask)
    struck = np.where(rng.random(mask.shape) < 0.25, rng.random(mask.shape) < 0.5, mask)
    assert (struck != mask).mean() > 0.1
    assert (without_speckle(struck) != mask).mean() < 0.01
