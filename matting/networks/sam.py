"""Segment Anything: one embedding of a picture, then masks for any prompt on it.

The ViT encoders, the prompt encoder and the decoder are the authors' own, the last computed in an order that suits a
click (:mod:`matting.networks.sam_decoder`); MobileSAM is the same with another encoder.

Source:
    Kirillov et al., "Segment Anything" (ICCV 2023); Zhang et al., "Faster Segment Anything: Towards Lightweight SAM for
    Mobile Applications" (arXiv:2306.14289, 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from segment_anything import sam_model_registry
from torch import Tensor, nn

from matting.arrays import FloatArray
from matting.networks.on_device import OnDevice
from matting.networks.sam_decoder import decode
from matting.networks.tiny_vit import TinyViT

P = ParamSpec("P")
Result = TypeVar("Result")

SIDE = 1024
"""The longer side of the picture that the encoders see; the rest of the square is zero."""
_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_BUILDERS = {"sam-vit-b": "vit_b", "sam-vit-l": "vit_l", "sam-vit-h": "vit_h", "mobile-sam": "vit_b"}


def create_sam(kind: str, faithful: bool = False) -> nn.Module:
    """A network of ``kind`` in evaluation mode whose weights are not set, not even at random.

    Args:
        kind: one of ``sam-vit-b``, ``sam-vit-l``, ``sam-vit-h``, ``mobile-sam``.
        faithful: see :class:`~matting.networks.tiny_vit.TinyViT`; the others have no such quirk.
    """
    # Drawing 600 million random weights only to replace them takes half a minute and the memory twice.
    with torch.device("meta"):
        network: nn.Module = sam_model_registry[_BUILDERS[kind]]()
        if kind == "mobile-sam":
            network.image_encoder = TinyViT(biased=not faithful)
    network = network.to_empty(device="cpu").eval()
    # Checkpoints leave these out.
    network.register_buffer("pixel_mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
    network.register_buffer("pixel_std", torch.tensor(_DEVIATION).view(3, 1, 1), persistent=False)
    return network


@dataclass(frozen=True)
class Candidates:
    """What the decoder offers for one prompt.

    Attributes:
        logits: ``[n, 256, 256]`` float32 over the encoder's square; above 0 is inside.
        quality: ``[n]`` float32, each mask's intersection over union with the truth as the network predicts it.
    """

    logits: FloatArray
    quality: FloatArray


def _on_one_core(work: Callable[P, Result]) -> Callable[P, Result]:
    """Run a function on one core.

    The decoder takes some 30 ms there. Threads that wait for each other while a job has the other cores take ten times
    that, and a click must not feel the job.
    """

    @wraps(work)
    def run(*arguments: P.args, **named: P.kwargs) -> Result:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return work(*arguments, **named)
        finally:
            torch.set_num_threads(threads)

    return run


class Predictor:
    """Runs the two halves of a network, each by itself, so that an embedding can be kept.

    Args:
        network: made by :func:`create_sam`, with its weights.
        device: to run on; where memory runs out there it stays on the CPU from then on.
        tell: gets a sentence then; may be set anew, since a network outlives whoever opened it.
    """

    def __init__(
        self, network: nn.Module, device: torch.device, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self._network: Any = network
        self.placed = OnDevice(network, device, tell)

    def embed(self, frame: NDArray[np.uint8]) -> FloatArray:
        """The picture's embedding, which takes most of the time.

        Args:
            frame: ``[H, W, 3]`` uint8 RGB.

        Returns:
            ``[256, 64, 64]`` float32.

        Raises:
            DeviceError: not even the CPU has the memory.
        """
        height, width = _inner(frame.shape[:2])
        resized = Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR)
        square = np.zeros((SIDE, SIDE, 3), np.float32)
        square[:height, :width] = (np.asarray(resized, np.float32) - np.array(_MEAN)) / np.array(_DEVIATION)
        picture = torch.from_numpy(square).permute(2, 0, 1)[None]

        def encoded() -> FloatArray:
            embedding: FloatArray = self._network.image_encoder(picture.to(self.placed.device))[0].float().cpu().numpy()
            return embedding

        return self.placed.run(encoded)

    @_on_one_core
    def candidates(
        self,
        embedding: FloatArray | NDArray[np.float16],
        size_hw: tuple[int, int],
        points: NDArray[np.float64] | None = None,
        labels: NDArray[np.int64] | None = None,
        box: NDArray[np.float64] | None = None,
        previous: FloatArray | None = None,
        several: bool = True,
    ) -> Candidates:
        """Masks for a prompt.

        Args:
            embedding: ``[256, 64, 64]``, from :meth:`embed`, in full or half precision.
            size_hw: of the frame.
            points: ``[P, 2]`` x and y in pixels of the frame.
            labels: ``[P]``, 1 on the thing, 0 off it.
            box: x0, y0, x1, y1 in pixels of the frame.
            previous: ``[256, 256]`` logits of a mask to start from, laid out like those that come out.
            several: offer three masks, from part to whole, rather than the one for prompts that leave no doubt.

        Raises:
            DeviceError: not even the CPU has the memory.
        """
        height, width = _inner(size_hw)
        scale = np.array([width / size_hw[1], height / size_hw[0]])
        given = None
        if points is not None and labels is not None and len(points):
            given = torch.as_tensor(points * scale, dtype=torch.float32), torch.as_tensor(labels, dtype=torch.int32)
        corners = None
        if box is not None:
            corners = torch.as_tensor(box.reshape(2, 2) * scale, dtype=torch.float32).reshape(1, 4)
        drawn = None if previous is None else torch.from_numpy(previous)[None, None]
        return self.placed.run(lambda: self._decoded(torch.from_numpy(embedding), given, corners, drawn, several))

    def _decoded(
        self,
        embedding: Tensor,
        given: tuple[Tensor, Tensor] | None,
        corners: Tensor | None,
        drawn: Tensor | None,
        several: bool,
    ) -> Candidates:
        network, device = self._network, self.placed.device
        sparse, dense = network.prompt_encoder(
            points=None if given is None else tuple(part.to(device)[None] for part in given),
            boxes=None if corners is None else corners.to(device),
            masks=None if drawn is None else drawn.to(device),
        )
        picture = _as_rows(embedding.to(device).float() + dense[0])
        logits, quality = decode(network.mask_decoder, picture, self._places.to(device), sparse[0], several)
        return Candidates(logits.float().cpu().numpy(), quality.float().cpu().numpy())

    @cached_property
    def _places(self) -> Tensor:
        """Where each part of the picture is, as the decoder is told."""
        return _as_rows(self._network.prompt_encoder.get_dense_pe()[0])


def _as_rows(picture: Tensor) -> Tensor:
    """``[C, H, W]`` to ``[H · W, C]``."""
    return picture.flatten(1).T.contiguous()


def full_size(logits: FloatArray, size_hw: tuple[int, int]) -> FloatArray:
    """One candidate's logits ``[256, 256]`` at the size of the frame, ``[H, W]`` float32."""
    # OpenCV interpolates as PyTorch does, in a sixth of the time, and a click waits for it.
    square = cv2.resize(logits, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    height, width = _inner(size_hw)
    return np.asarray(cv2.resize(square[:height, :width], size_hw[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def low_size(mask: NDArray[np.bool_], strength: float) -> FloatArray:
    """A mask ``[H, W]`` as the logits ``[256, 256]`` that :meth:`Predictor.candidates` starts from, ±``strength``."""
    small = SIDE // 4
    height, width = _inner(mask.shape[:2])
    size_hw = max(1, round(height / 4)), max(1, round(width / 4))
    shares = F.interpolate(torch.from_numpy(mask.astype(np.float32))[None, None], size_hw, mode="area")[0, 0]
    logits = np.full((small, small), -strength, np.float32)
    logits[: size_hw[0], : size_hw[1]] = strength * (2 * shares.numpy() - 1)
    return logits


def _inner(size_hw: tuple[int, ...]) -> tuple[int, int]:
    """The part of the encoder's square that a frame fills: the longer side all of it."""
    scale = SIDE / max(size_hw[:2])
    return max(1, int(size_hw[0] * scale + 0.5)), max(1, int(size_hw[1] * scale + 0.5))
