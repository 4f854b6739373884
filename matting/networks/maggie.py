"""MaGGIe: mattes of all instances of a picture, or of three frames of a video, in one pass.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024) and its public code. Attribute
    names give the keys of the public checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.errors import ShapeError
from matting.networks.encoder import Encoder, Features
from matting.networks.layers import Aspp, Evaluation, decoder_stage, evaluate_with
from matting.networks.maggie_bodies import bodies
from matting.networks.maggie_details import DetailPath, Scales, enlarged, fuse
from matting.networks.maggie_instances import SLOTS, InstanceDecoder, Instances
from matting.networks.maggie_video import ConvGru, DifferenceHead, fuse_over_time
from matting.networks.progressive import unknown

WINDOW = 3
"""Frames that the video model's mattes are fused over."""
_MASK_CHANNELS = 3
_SIZE_OS8 = 15


class FrameFeatures(NamedTuple):
    """What depends on single frames only, so that overlapping windows can share it.

    Attributes:
        deep: ``[B, T, 128, H/8, W/8]``.
        shortcuts: of each frame ``[B, 32, H, W]``, ``[B, 32, H/2, W/2]`` and ``[B, 64, H/4, W/4]``; windows share them.
        covered: ``[B, T, N, H/8, W/8]`` bool, the cells that each mask touches.
    """

    deep: Tensor
    shortcuts: tuple[Scales, ...]
    covered: Tensor

    @staticmethod
    def join(parts: Sequence[FrameFeatures]) -> FrameFeatures:
        """One window from consecutive stretches of frames."""
        return FrameFeatures(
            torch.cat([part.deep for part in parts], 1),
            tuple(frame for part in parts for frame in part.shortcuts),
            torch.cat([part.covered for part in parts], 1),
        )


class Mattes(NamedTuple):
    """The result for one window; maps are ``[B, T, N, H, W]``.

    Attributes:
        alpha: the matte, in [0, 1].
        alpha_os8, alpha_os4, alpha_os1: mattes at 1/8, 1/4 and full size, the first two enlarged. The finer two are
            zero away from ``detail_mask``.
        detail_mask: bool, where the coarse matte is unsure and details were computed.
        weight_os4, weight_os1: bool, where the finer mattes were taken.
        refined_before_temporal: video only, the matte before it was fused over time.
        diff_forward, diff_backward: video only, ``[B, T, 1, H, W]`` in [0, 1], how much each frame's matte differs from
            that of the frame before and after.
        memory: video only, ``[B, T, 128, H/8, W/8]``, the state after each frame.
    """

    alpha: Tensor
    alpha_os8: Tensor
    alpha_os4: Tensor
    alpha_os1: Tensor
    detail_mask: Tensor
    weight_os4: Tensor
    weight_os1: Tensor
    refined_before_temporal: Tensor | None = None
    diff_forward: Tensor | None = None
    diff_backward: Tensor | None = None
    memory: Tensor | None = None


class MaGGIe(nn.Module):
    """The whole network.

    Args:
        video: with memory and fusion over time.
        faithful: each call moves the vectors of the spectral norms on, as the public code does, so that results depend
            on the calls before. Otherwise every call makes the first such step from the stored vectors.
        width: channels at full size, from which all others follow. The public networks have 32; docstrings that name
            channels speak of these.
    """

    def __init__(self, video: bool, faithful: bool = False, width: int = 32) -> None:
        super().__init__()
        self.video = video
        self.encoder = MaskedEncoder(width)
        self.aspp = Aspp(16 * width, 8 * width)
        self.decoder = _Decoder(video, width)
        evaluate_with(self, Evaluation.STEP_KEPT if faithful else Evaluation.STEP)

    def forward(
        self,
        frames: Tensor,
        masks: Tensor,
        memory: Tensor | None = None,
        previous: Tensor | None = None,
        coarse_logits: Tensor | None = None,
    ) -> Mattes:
        """:meth:`features`, then :meth:`decode`; see there."""
        return self.decode(self.features(frames, masks), memory, previous, coarse_logits)

    def features(self, frames: Tensor, masks: Tensor) -> FrameFeatures:
        """What each frame shows, given its own masks only.

        Args:
            frames: ``[B, T, 3, H, W]`` RGB normalised with ImageNet's mean and deviation, H and W multiples of 32.
            masks: ``[B, T, N, h, w]`` in {0, 1}, up to 10 instances; taken to H×W by nearest neighbour.

        Raises:
            ShapeError: the sides are no multiples of 32 or there are more than 10 instances, or none.
        """
        batch, length, _, height, width = frames.shape
        instances = masks.shape[2]
        if height % 32 or width % 32 or not 1 <= instances <= SLOTS or masks.shape[:2] != (batch, length):
            raise ShapeError(
                f"MaGGIe got frames {tuple(frames.shape)} and masks {tuple(masks.shape)}; it takes sides that are "
                f"multiples of 32 and one to {SLOTS} instances"
            )
        chosen = masks.flatten(0, 1) > 0.5
        if chosen.shape[-2:] != (height, width):
            chosen = F.interpolate(chosen.to(frames.dtype), size=(height, width)) > 0.5
        deepest, (full, half, quarter, eighth, sixteenth) = self.encoder.embed(frames.flatten(0, 1), chosen)
        deep = self.decoder.layer1(self.aspp(deepest)) + sixteenth
        deep = self.decoder.layer2(deep) + eighth
        covered = F.max_pool2d(chosen.to(frames.dtype), 8) > 0
        full, half, quarter, deep, covered = (
            x.view(batch, length, *x.shape[1:]) for x in (full, half, quarter, deep, covered)
        )
        shortcuts = tuple(zip(full.unbind(1), half.unbind(1), quarter.unbind(1), strict=True))
        return FrameFeatures(deep, shortcuts, covered)

    def decode(
        self,
        features: FrameFeatures,
        memory: Tensor | None = None,
        previous: Tensor | None = None,
        coarse_logits: Tensor | None = None,
        first: int = 0,
    ) -> Mattes:
        """The mattes of one window.

        Args:
            features: of its frames. The video model is made for three; only then are the mattes fused over time.
            memory: video only, ``[B, 128, H/8, W/8]``, the state before the first frame.
            previous: video only, ``[B, N, H, W]``, the middle matte of the window that began one frame earlier.
            coarse_logits: ``[B*T, 10, H/8, W/8]``, taken instead of the network's own.
            first: video only, 1 with ``previous`` to spare the matte of the first frame, which nothing else depends on.
                The maps of the result, but not the differences and the memory, then begin with the second frame.
        """
        found = self.instances(features, memory, first)
        logits = found.logits
        if coarse_logits is not None:
            logits = coarse_logits.view(*features.deep.shape[:2], *coarse_logits.shape[1:])[:, first:]
        logits = logits[:, :, : features.covered.shape[2]]
        if self.video:
            coarse, chosen = bodies(logits, _SIZE_OS8)
        else:
            coarse = enlarged(logits)
            chosen = unknown(coarse, _SIZE_OS8, strict=True)
        at_quarter, at_full = self.details(features, found, chosen, first)
        alpha, take_quarter, take_full = fuse(coarse, at_quarter, at_full, chosen)
        mattes = Mattes(alpha, coarse, at_quarter, at_full, chosen, take_quarter, take_full)
        if not self.video:
            return mattes
        forward, backward = (logits.sigmoid() for logits in self.differences(found))
        if features.deep.shape[1] == WINDOW:
            later = alpha[:, 1 - first :]
            fused = fuse_over_time(alpha[:, 0] if previous is None else previous, later, forward, backward)
            mattes = mattes._replace(alpha=fused if first else torch.cat([alpha[:, :1], fused], 1))
        return mattes._replace(
            refined_before_temporal=alpha, diff_forward=forward, diff_backward=backward, memory=found.memory
        )

    def instances(self, features: FrameFeatures, memory: Tensor | None = None, first: int = 0) -> Instances:
        """Let instances and pixels of a window attend to one another; arguments as in :meth:`decode`."""
        gru = self.decoder.os8_temp_module
        temporal = None if gru is None else lambda maps: gru(maps, memory, first)
        found: Instances = self.decoder.refine_OS8(features.deep, features.covered, temporal)
        return found

    def coarse(self, logits: Tensor, instances: int) -> Tensor:
        """``[B, T, 10, H/8, W/8]`` logits to ``[B, T, N, H, W]`` mattes of the first N slots."""
        return enlarged(logits[:, :, :instances])

    def details(
        self, features: FrameFeatures, found: Instances, chosen: Tensor, first: int = 0
    ) -> tuple[Tensor, Tensor]:
        """The mattes at 1/4 and at full size from frame ``first`` on; ``chosen`` is ``[B, t, N, H, W]`` bool, where."""
        return self.decoder.details(found.features[:, first:], found.tokens, features.shortcuts[first:], chosen)

    def differences(self, found: Instances) -> tuple[Tensor, Tensor]:
        """Logits of how each frame differs from the one before and the one after, two ``[B, T, 1, H, W]``.

        Raises:
            TypeError: this is the image model.
        """
        if self.decoder.diff_module is None:
            raise TypeError("only the video model compares frames")
        return self.decoder.diff_module.both_ways(found.features)


class MaskedEncoder(Encoder):
    """The shared encoder over a picture and three channels that say which instance's mask covers each pixel."""

    def __init__(self, width: int) -> None:
        super().__init__(3 + _MASK_CHANNELS, width)
        self.mask_embed_layer = nn.Embedding(SLOTS + 1, _MASK_CHANNELS)

    def embed(self, pictures: Tensor, masks: Tensor) -> Features:
        """``[F, 3, H, W]`` pictures and ``[F, N, H, W]`` bool masks; where masks overlap their vectors are averaged."""
        table = self.mask_embed_layer.weight[1 : masks.shape[1] + 1]
        chosen = masks.to(pictures.dtype)
        owners = torch.einsum("fnhw,nc->fchw", chosen, table) / (chosen.sum(1, keepdim=True) + 1e-6)
        seen: Features = self(torch.cat([pictures, owners], 1))
        return seen


class _Decoder(DetailPath):
    """The modules that the checkpoints keep under ``decoder``; it inherits the detail path's for the keys' sake."""

    def __init__(self, video: bool, width: int) -> None:
        super().__init__(width)
        self.layer1 = decoder_stage(16 * width, 8 * width, blocks=2)
        self.layer2 = decoder_stage(8 * width, 4 * width, blocks=3)
        self.refine_OS8 = InstanceDecoder(4 * width)
        self.os8_temp_module = ConvGru(4 * width) if video else None
        self.diff_module = DifferenceHead(2 * width) if video else None
