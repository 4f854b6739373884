"""People by Mask R-CNN, with their outlines, when its weights are there.

Source:
    He, Gkioxari, Dollár, Girshick, "Mask R-CNN" (ICCV 2017); Li et al., "Benchmarking Detection Transfer Learning with
    Vision Transformers" (2021) for the second version, as in torchvision (``maskrcnn_resnet50_fpn_v2``). Its public
    weights, ``maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth``, know the 90 categories of COCO, of which 1 is people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.detection import MaskRCNN as Network
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

from matting.errors import CheckpointError
from matting.finding.proposal import Box, Proposal, clipped, distinct
from matting.networks import checkpoints
from matting.networks.on_device import CPU, OnDevice

PERSON = 1
_LEAST_SCORE = 0.5
_INSIDE = 0.5
"""Probability from which a pixel belongs to the person."""


class MaskRcnnFinder:
    """The network with its weights."""

    def __init__(
        self, weights: Path, device: torch.device = CPU, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        """Load a checkpoint.

        Args:
            weights: file of torchvision's layout.
            device: where it runs, if there is the memory; else it is the CPU.
            tell: gets a sentence then.

        Raises:
            CheckpointError: the file cannot be read, or holds another network.
            DeviceError: there is too little memory.
        """
        self._network = _loaded(weights).eval()
        self._placed = OnDevice(self._network, device, tell)

    def find(self, frame: NDArray[np.uint8], taken: Sequence[Box] = ()) -> list[Proposal]:
        """Propose people.

        Args:
            frame: ``[H, W, 3]`` uint8 RGB.
            taken: boxes of the people who are selected already.

        Returns:
            Proposals with masks, best first, each about another person.

        Raises:
            DeviceError: there is too little memory.
        """
        size_hw = frame.shape[0], frame.shape[1]
        picture = torch.from_numpy(np.ascontiguousarray(frame))

        def proposed() -> list[Proposal]:
            seen = picture.to(self._placed.device).permute(2, 0, 1).float() / 255
            return _proposals(self._people(seen), size_hw)

        return distinct(self._placed.run(proposed), taken)

    def _people(self, picture: Tensor) -> dict[str, Tensor]:
        """Step by step, so that masks grow to the frame's size for people only and not for 90 categories."""
        network = self._network
        images, _ = network.transform([picture])
        features = network.backbone(images.tensors)
        regions, _ = network.rpn(images, features)
        detected, _ = network.roi_heads(features, regions, images.image_sizes)
        people = (detected[0]["labels"] == PERSON) & (detected[0]["scores"] >= _LEAST_SCORE)
        chosen = {name: values[people] for name, values in detected[0].items()}
        size = (int(picture.shape[1]), int(picture.shape[2]))
        whole: dict[str, Tensor] = network.transform.postprocess([chosen], images.image_sizes, [size])[0]
        return whole


def _proposals(found: dict[str, Tensor], size_hw: tuple[int, int]) -> list[Proposal]:
    boxes, scores = found["boxes"].double().cpu().numpy(), found["scores"].cpu().numpy()
    masks = found["masks"][:, 0].cpu().numpy() > _INSIDE
    proposals = []
    for corners, score, mask in zip(boxes, scores, masks, strict=True):
        x0, y0, x1, y1 = corners.tolist()
        box = clipped((x0, y0, x1, y1), size_hw)
        if box is not None and mask.any():
            proposals.append(Proposal(box, float(score), np.asarray(mask, np.bool_), "mask-rcnn"))
    return proposals


def _loaded(path: Path) -> Network:
    state = dict(checkpoints.read(path))
    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None)
    expected = network.state_dict()
    fits = state.keys() == expected.keys() and all(
        isinstance(state[key], Tensor) and state[key].shape == tensor.shape for key, tensor in expected.items()
    )
    if not fits:
        raise CheckpointError(
            f"{path} does not hold torchvision's Mask R-CNN for COCO (maskrcnn_resnet50_fpn_v2); import that file."
        )
    network.load_state_dict(state)
    return network
