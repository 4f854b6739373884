from __future__ import annotations

import numpy as np
import pytest

from app.palette import person_rgb
from app.render import DARK, LIGHT, SQUARE_PX, TINT, on_checkerboard, tinted, to_image


def test_the_overlay_tints_masks_and_leaves_the_rest_untouched() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    masks = np.zeros((60, 80), np.uint8)
    masks[10:40, 20:60] = 2
    result = tinted(picture, masks)
    np.testing.assert_array_equal(result[masks == 0], picture[masks == 0])
    expected = picture[25, 40] * (1 - TINT) + np.array(person_rgb(2)) * TINT
    np.testing.assert_allclose(result[25, 40], expected, atol=0.51)
    assert tuple(result[10, 20]) == person_rgb(2)


def test_people_side_by_side_have_an_outline_between_them() -> None:
    masks = np.ones((20, 20), np.uint8)
    masks[:, 10:] = 2
    result = tinted(np.zeros((20, 20, 3), np.uint8), masks)
    assert tuple(result[10, 9]) == person_rgb(1)
    assert tuple(result[10, 10]) == person_rgb(2)


@pytest.mark.parametrize(
    "box", [(200, 300, 320, 700), (0, 0, 90, 80), (420, 900, 500, 1000), (0, 0, 500, 1000), (0, 0, 0, 0)]
)
def test_a_person_looks_the_same_alone_as_on_a_picture_full_of_people(box: tuple[int, int, int, int]) -> None:
    top, left, bottom, right = box
    picture = np.random.default_rng(0).integers(0, 256, (500, 1000, 3), np.uint8)
    alone = np.zeros((500, 1000), np.uint8)
    alone[top:bottom, left:right] = np.random.default_rng(1).random((bottom - top, right - left)) < 0.98
    full = alone.copy()
    full[0, ::7], full[-1, ::7], full[::7, 0], full[::7, -1] = 9, 9, 9, 9
    spared = np.s_[2:-2, 2:-2]
    np.testing.assert_array_equal(tinted(picture, alone)[spared], tinted(picture, full)[spared])


def test_what_is_transparent_shows_the_checkerboard() -> None:
    picture = np.zeros((2 * SQUARE_PX, 2 * SQUARE_PX, 4), np.uint8)
    picture[..., 0] = 200
    picture[:, 0, 3] = 255
    result = on_checkerboard(picture)
    assert tuple(result[0, 0]) == (200, 0, 0)
    assert tuple(result[0, 1]) == (DARK, DARK, DARK)
    assert tuple(result[0, SQUARE_PX]) == (LIGHT, LIGHT, LIGHT)


def test_pictures_become_images_that_own_their_pixels() -> None:
    picture = np.arange(3 * 5 * 7, dtype=np.uint8).reshape(5, 7, 3)
    deep = picture.astype(np.uint16) << np.uint16(8)
    for source in (picture, deep):
        image = to_image(source)
        source[:] = 0
        assert (image.width(), image.height()) == (7, 5)
        color = image.pixelColor(2, 1)
        assert (color.red(), color.green(), color.blue()) == (27, 28, 29)
