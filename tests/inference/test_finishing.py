"""What is lite's own on its way through the matter of MSG-VIM."""

from __future__ import annotations

import cv2
import numpy as np

from matting.inference.finishing import along_edges, near_mask, without_speckle


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


def test_far_from_its_edge_the_mask_is_right_and_near_it_the_matte() -> None:
    mask = np.zeros((200, 300), bool)
    mask[50:150, 100:200] = True
    alpha = np.full(mask.shape, 0.5, np.float32)
    alpha[50, 100:200] = 0.02
    alpha[149, 100:200] = 0.985
    used = near_mask(alpha, mask)
    assert used.dtype == np.float32
    assert (used[100, :60] == 0).all()
    assert (used[100, 140:160] == 1).all()
    np.testing.assert_allclose(used[100, 80:100], 0.5)
    within = used[100, 100:130]
    np.testing.assert_allclose(within[0], 0.5, atol=0.01)
    assert (np.diff(within) > 0).all()
    assert 0.54 < within[-1] < 0.57  # half is less of a reason to contradict a mask deep inside, and nothing still is
    assert (near_mask(0 * alpha, mask)[100, 100:130] == 0).all()
    assert (used[50, 100:200] == 0).all()
    assert (used[149, 100:200] == 1).all()
    everywhere = np.ones(mask.shape, bool)
    assert (near_mask(alpha, everywhere) == 1).all()


def test_a_blurred_matte_follows_the_edges_of_the_picture() -> None:
    truth = np.zeros((96, 128), np.float32)
    cv2.circle(truth, (64, 48), 25, 1.0, -1, cv2.LINE_AA)
    picture = np.rint(truth[..., None] * (40, 60, 90) + (1 - truth[..., None]) * (220, 200, 180)).astype(np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(truth, (0, 0), 3), np.float32)
    found = along_edges(picture, blurred)
    assert np.abs(found - truth).mean() < np.abs(blurred - truth).mean() / 5
    sure = (truth > 0.5).astype(np.float32)
    np.testing.assert_array_equal(along_edges(picture, sure), sure)
