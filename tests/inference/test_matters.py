"""What every matter promises; one class, run over each of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.errors import ShapeError
from matting.inference.classical import ClassicalMatter
from matting.inference.matter import Matter, reach_px, to_stored


def furry_picture(size: int = 160) -> tuple[NDArray[np.uint8], FloatArray]:
    """A disk with strands of hair all round, over stripes; picture and true alpha."""
    random = np.random.default_rng(3)
    big = np.zeros((4 * size, 4 * size), np.uint8)
    middle = np.array([2 * size, 2 * size])
    cv2.circle(big, (2 * size, 2 * size), round(1.1 * size), 255, cv2.FILLED)
    for angle in random.uniform(0, 2 * np.pi, 260):
        out = np.array([np.cos(angle), np.sin(angle)])
        bend = np.array([-out[1], out[0]]) * random.normal(0, 0.05 * size)
        start, end = middle + out * 1.05 * size, middle + out * random.uniform(1.12, 1.26) * size + bend
        cv2.line(big, start.astype(int).tolist(), end.astype(int).tolist(), 255, 3, cv2.LINE_AA)
    alpha = cv2.resize(big.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA)
    hair = cv2.resize(random.normal(0, 20, (20, 20, 1)).astype(np.float32), (size, size))[..., None] + (120, 60, 40)
    stripes = np.where((np.arange(size) // 13 % 2)[:, None, None] > 0, (150, 170, 200), (90, 140, 110))
    picture = alpha[..., None] * hair + (1 - alpha[..., None]) * stripes + random.normal(0, 2, (size, size, 3))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), np.asarray(alpha, np.float32)


def noise(size_hw: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (1, *size_hw, 3), np.uint8)


def far_from(mask: Mask) -> Mask:
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance > reach_px((mask.shape[0], mask.shape[1])))


def check_promises(alphas: FloatArray, masks: Mask) -> None:
    assert alphas.shape == masks.shape
    assert alphas.dtype == np.float32
    assert np.isfinite(alphas).all()
    assert alphas.min(initial=0) >= 0
    assert alphas.sum(axis=1).max(initial=0) <= 1 + 1e-6
    for of_frame, of_mask in zip(alphas, masks, strict=True):
        assert to_stored(of_frame).sum(axis=0, dtype=int).max(initial=0) <= 255
        for alpha, mask in zip(of_frame, of_mask, strict=True):
            assert not alpha[far_from(mask)].any() if mask.any() else not alpha.any()


@pytest.fixture(scope="module", params=[ClassicalMatter], ids=["classical"])
def matter(request: pytest.FixtureRequest) -> Matter:
    made: Matter = request.param()
    return made


class TestMatter:
    def test_name_tells_method_and_version(self, matter: Matter) -> None:
        method, _, version = matter.name.partition("/")
        assert method
        assert version

    @pytest.mark.parametrize(("thicker_px", "share"), [(-2, 0.95), (0, 0.4), (2, 0.85)])
    def test_hair_is_nearer_the_truth_than_its_mask(self, matter: Matter, thicker_px: int, share: float) -> None:
        picture, truth = furry_picture()
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(thicker_px) + 1,) * 2)
        change = cv2.dilate if thicker_px > 0 else cv2.erode
        mask = np.asarray(change((truth > 0.5).astype(np.uint8), disk)) > 0
        found = matter.matte(picture[None], mask[None, None])[0, 0]
        assert np.abs(found - truth).mean() < share * np.abs(mask - truth).mean()
        assert ((found > 0.1) & (found < 0.9)).sum() > 0.5 * ((truth > 0.1) & (truth < 0.9)).sum()

    def test_middle_is_opaque_and_distance_is_empty(self, matter: Matter) -> None:
        picture, truth = furry_picture()
        found = matter.matte(picture[None], (truth > 0.5)[None, None])[0, 0]
        assert found[70:90, 70:90].min() == 1
        assert found[:8].max() == 0

    @settings(max_examples=40, deadline=None)
    @given(data=st.data(), height=st.integers(1, 24), width=st.integers(1, 24), count=st.integers(0, 3))
    def test_promises_hold_for_any_masks(
        self, matter: Matter, data: st.DataObject, height: int, width: int, count: int
    ) -> None:
        seed = data.draw(st.integers(0, 2**16))
        random = np.random.default_rng(seed)
        fine = random.integers(0, data.draw(st.sampled_from([1, 2, 4, 20])), (height, width)).astype(np.uint8)
        owner = cv2.resize(fine[:: 1 + seed % 3], (width, height), interpolation=cv2.INTER_NEAREST)
        masks = np.array([owner == i for i in range(count)], np.bool_).reshape(count, height, width)
        frames = noise((height, width), seed) if seed % 2 else np.full((1, height, width, 3), seed % 256, np.uint8)
        check_promises(matter.matte(frames, masks[None]), masks[None])

    @pytest.mark.parametrize("flat", [False, True])
    def test_degenerate_masks(self, matter: Matter, flat: bool) -> None:
        frames = np.full((1, 60, 80, 3), 77, np.uint8) if flat else noise((60, 80))
        masks = np.zeros((6, 60, 80), np.bool_)
        masks[1] = True
        masks[2, 30, 40] = True
        masks[3, 30] = True
        masks[4, :, :40] = True
        masks[5, 0, 0] = True
        for mask in masks:
            alphas = matter.matte(frames, mask[None, None])
            check_promises(alphas, mask[None, None])
            assert alphas.any() == mask.any()
        assert (matter.matte(frames, masks[None, 1:2]) == 1).all()

    def test_one_pixel(self, matter: Matter) -> None:
        assert matter.matte(noise((1, 1)), np.ones((1, 1, 1, 1), np.bool_)).item() == 1
        assert matter.matte(noise((1, 1)), np.zeros((1, 1, 1, 1), np.bool_)).item() == 0

    def test_no_frames_and_nobody(self, matter: Matter) -> None:
        assert matter.matte(noise((9, 9))[:0], np.zeros((0, 2, 9, 9), np.bool_)).shape == (0, 2, 9, 9)
        assert matter.matte(noise((9, 9)), np.zeros((1, 0, 9, 9), np.bool_)).shape == (1, 0, 9, 9)

    def test_neighbours_share_the_seam(self, matter: Matter) -> None:
        """Two people side by side with a soft edge between them leave no gap and take nothing from each other."""
        share = np.clip((np.arange(160, dtype=np.float32) - 76) / 8, 0, 1)[None, :, None] * np.ones(
            (90, 1, 1), np.float32
        )
        picture = (
            (1 - share) * (200, 80, 60) + share * (60, 90, 190) + np.random.default_rng(0).normal(0, 2, (90, 160, 3))
        )
        frames = np.clip(picture, 0, 255).astype(np.uint8)[None]
        right = np.broadcast_to(np.arange(160) >= 80, (90, 160))
        alphas = matter.matte(frames, np.stack([~right, right])[None])[0]
        assert np.abs(alphas[1] - share[..., 0]).mean() < 0.01
        assert alphas.sum(axis=0).min() > 0.9

    def test_frames_do_not_depend_on_the_window(self, matter: Matter) -> None:
        frames = np.concatenate([noise((40, 40), 1), noise((40, 40), 2)])
        masks = np.zeros((2, 1, 40, 40), np.bool_)
        masks[:, :, 10:30, 10:30] = True
        both = matter.matte(frames, masks)
        assert np.array_equal(both[1:], matter.matte(frames[1:], masks[1:]))

    def test_several_threads_at_once(self, matter: Matter) -> None:
        picture, truth = furry_picture(80)
        frames, masks = picture[None], (truth > 0.5)[None, None]
        alone = matter.matte(frames, masks)
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda _: matter.matte(frames, masks), range(8)))
        assert all(np.array_equal(alone, alphas) for alphas in together)

    def test_refuses_other_shapes(self, matter: Matter) -> None:
        frames, masks = noise((9, 9)), np.zeros((1, 1, 9, 9), np.bool_)
        for wrong_frames, wrong_masks in (
            (frames[0], masks),
            (frames, masks[0]),
            (frames, masks[..., :-1]),
            (np.concatenate([frames, frames]), masks),
            (frames.astype(np.uint16), masks),
            (frames, masks.astype(np.float32)),
        ):
            with pytest.raises(ShapeError):
                matter.matte(wrong_frames, wrong_masks)  # type: ignore[arg-type]


def test_agrees_with_the_reference_where_the_mask_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without trust and haze this is PyMatting's closed-form alpha."""
    from pymatting import estimate_alpha_cf

    picture, truth = furry_picture(120)
    mask = truth > 0.5
    monkeypatch.setattr("matting.inference.band._GRIP", 0.0)
    monkeypatch.setattr("matting.inference.classical._HAZE", 0.0)
    found = ClassicalMatter().matte(picture[None], mask[None, None])[0, 0]
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    trimap = np.where(inside > 4, 1.0, np.where(outside > 4, 0.0, 0.5))
    reference = estimate_alpha_cf(picture / 255.0, trimap, laplacian_kwargs={"epsilon": 1e-6})
    assert np.abs(found - reference).mean() < 1e-3


@given(seed=st.integers(0, 2**16), count=st.integers(1, 4))
def test_stored_alphas_never_sum_above_opaque(seed: int, count: int) -> None:
    alphas = np.random.default_rng(seed).dirichlet(np.ones(count), (7, 9)).transpose(2, 0, 1).astype(np.float32)
    stored = to_stored(alphas)
    assert stored.dtype == np.uint8
    assert stored.sum(axis=0, dtype=int).max() <= 255
    assert np.abs(stored / 255 - alphas).max() < 1 / 255
