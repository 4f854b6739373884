"""Cutie at work in one direction of time: what it remembers of whom, and what it sees on the next frame.

Source:
    Cheng et al., "Putting the Object Back into Video Object Segmentation" (CVPR 2024), with the memory of
    Cheng and Schwing, "XMem" (ECCV 2022); the network and the memory stores are the authors' own code.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from cutie.inference.memory_manager import MemoryManager
from cutie.inference.object_manager import ObjectManager
from cutie.model.cutie import CUTIE
from cutie.utils.tensor_utils import aggregate, pad_divide_by, unpad
from numpy.typing import NDArray
from omegaconf import DictConfig
from torch import Tensor

from matting.arrays import FloatArray
from matting.errors import DeviceError
from matting.networks.on_device import described, is_out_of_memory
from matting.tracking.cutie_memory import fill_memory, memory_state, tensors_from, tensors_state
from matting.tracking.waypoint import State

STRIDE = 16
"""Pictures are padded to multiples of this; a token of memory is a square of so many pixels."""
_MEMORY_EVERY = 5
"""Frames between two that are remembered."""
_WORKING_FRAMES, _KEPT_FRAMES = 10, 5
"""When so many frames are remembered in full, all but the newest of them are condensed."""
_PROTOTYPES, _LONG_TOKENS, _SPARE_TOKENS = 128, 10_000, 2_000
"""Into how many tokens they are condensed, how many such are kept, and how many more the least used make room for."""
_TOP_K = 30
"""Tokens of memory that a place is compared with in the end."""


@dataclass(frozen=True)
class Query:
    """What of a picture memory is looked up by, and remembered by: ``[1, C, h, w]`` each, at stride 16."""

    key: Tensor
    shrinkage: Tensor
    selection: Tensor


@dataclass(frozen=True)
class View:
    """A picture as the network sees it; all of batch size 1, padded.

    Attributes:
        image: ``[1, 3, H, W]`` in [0, 1].
        features: at strides 16, 8 and 4.
        pixels, query: at stride 16.
        pad: what :func:`unpad` takes off again.
    """

    image: Tensor
    features: Sequence[Tensor]
    pixels: Tensor
    query: Query
    pad: tuple[int, int, int, int]


@dataclass(frozen=True)
class Keepsake:
    """What is remembered for good of some instances on a prompted frame; ``[1, N, …]`` in the order of ``ids``."""

    ids: tuple[int, ...]
    query: Query
    value: Tensor
    summary: Tensor


class Eye:
    """The network on its device."""

    def __init__(self, network: CUTIE, device: torch.device) -> None:
        self.network, self.device = network.to(device), device

    def look_at(self, rgb: NDArray[np.uint8]) -> View:
        """Encode a picture ``[h, w, 3]``."""
        image = torch.from_numpy(np.ascontiguousarray(rgb)).to(self.device).permute(2, 0, 1).float() / 255
        padded, pad = pad_divide_by(image, STRIDE)
        with working():
            features, pixels = self.network.encode_image(padded[None])
            query = Query(*self.network.transform_key(features[0]))
        return View(padded[None], features, pixels, query, pad)

    def mask(self, mask: FloatArray) -> Tensor:
        """A mask ``[h, w]`` in [0, 1] as the network takes it."""
        padded: Tensor = pad_divide_by(torch.from_numpy(mask).to(self.device), STRIDE)[0]
        return padded

    def keepsake(self, view: View, masks: Mapping[int, Tensor]) -> Keepsake:
        """Remember the masks that were given on a frame."""
        with working():
            given = _shared(torch.stack(list(masks.values())))
            key = view.query.key
            nothing = key.new_zeros(1, len(masks), self.network.sensory_dim, *key.shape[-2:])
            value, _, summary, _ = self.network.encode_mask(view.image, view.pixels, nothing, given[None])
        return Keepsake(tuple(masks), view.query, value, summary)


@dataclass
class _Group:
    """Instances that are given on the same frames and so share their keys in memory."""

    ids: tuple[int, ...]
    memory: MemoryManager
    kept: set[int] = field(default_factory=set)
    active: bool = False


class Follower:
    """Goes from frame to frame, forward or backward; how much it remembers does not grow with their number."""

    def __init__(self, eye: Eye, groups: Sequence[tuple[int, ...]], keepsakes: Mapping[int, Keepsake]) -> None:
        """Remember what was given.

        Args:
            eye: the network.
            groups: instances that start and end on the same frames; everybody is in one group.
            keepsakes: by frame, what is remembered for good, at least one for each group.
        """
        self._eye, self._network = eye, eye.network
        self._tokens = next(iter(keepsakes.values())).query.key[0, 0].numel() if keepsakes else 1
        self._groups = [_Group(ids, _memory(ids, self._tokens, self._network.sensory_dim)) for ids in groups]
        self._last: dict[int, Tensor] = {}
        self._since = 0
        for frame, keepsake in keepsakes.items():
            for group in self._groups:
                if group.ids[0] in keepsake.ids:
                    rows = [keepsake.ids.index(i) for i in group.ids]
                    self._add(group, keepsake.query, keepsake.value[:, rows], keepsake.summary[:, rows], "all")
                    group.kept.add(frame)

    def state(self) -> State:
        """All that it goes on from; to be written before it goes on, which changes some of it in place."""
        groups = [
            {"memory": memory_state(group.memory), "kept": sorted(group.kept), "active": group.active}
            for group in self._groups
        ]
        return {"tokens": self._tokens, "groups": groups, "last": tensors_state(self._last), "since": self._since}

    @classmethod
    def from_state(cls, eye: Eye, groups: Sequence[tuple[int, ...]], state: State) -> Follower:
        """The same again."""
        follower = cls(eye, groups, {})
        follower._tokens, follower._since = state["tokens"], state["since"]
        follower._last = tensors_from(state["last"], eye.device)
        for group, left in zip(follower._groups, state["groups"], strict=True):
            group.memory = _memory(group.ids, state["tokens"], eye.network.sensory_dim)
            fill_memory(group.memory, left["memory"], eye.device)
            group.kept, group.active = set(left["kept"]), left["active"]
        return follower

    def step(self, frame: int, view: View, given: Mapping[int, Tensor | None]) -> dict[int, NDArray[np.uint8]]:
        """Look at the next frame.

        Args:
            frame: its index.
            view: its picture.
            given: for all instances of some groups the mask; None where they are not there from here on.

        Returns:
            Probabilities ``[h, w]``, 255 for 1, of everybody who is being followed.
        """
        self._since += 1
        with working():
            carried = [group for group in self._groups if group.active and group.ids[0] not in given]
            masks = self._segmented(view, carried)
            self._plant(view, given)
            planted = {instance: mask for instance, mask in given.items() if mask is not None}
            active = [group for group in self._groups if group.active]
            ids = [instance for group in active for instance in group.ids]
            if planted:
                taken = torch.stack(list(planted.values())).amax(0) > 0.5
                masks = {instance: mask.masked_fill(taken, 0) for instance, mask in masks.items()} | planted
                shared = _shared(torch.stack([masks[instance] for instance in ids]))
                masks = dict(zip(ids, shared, strict=True))
            self._last = masks
            if ids and (planted or self._since >= _MEMORY_EVERY):
                self._remember(frame, view, active, set(planted))
            return {
                instance: np.asarray((unpad(mask[None], view.pad)[0] * 255).round().byte().cpu())
                for instance, mask in masks.items()
            }

    def _plant(self, view: View, given: Mapping[int, Tensor | None]) -> None:
        for group in self._groups:
            if group.ids[0] in given:
                group.active = given[group.ids[0]] is not None
                group.memory.clear_sensory_memory()
                group.memory.initialize_sensory_if_needed(view.query.key, group.ids)

    def _segmented(self, view: View, groups: Sequence[_Group]) -> dict[int, Tensor]:
        if not groups:
            return {}
        ids = [instance for group in groups for instance in group.ids]
        found: dict[int, Tensor] = {}
        for group in groups:
            last = torch.stack([self._last[instance] for instance in group.ids])[None]
            found |= group.memory.read(view.pixels, view.query.key, view.query.selection, last, self._network)
        readout = torch.stack([found[instance] for instance in ids], dim=1)
        sensory, _, shares = self._network.segment(view.features, readout, _sensory(groups))
        _keep_sensory(groups, sensory)
        return dict(zip(ids, shares[0, 1:], strict=True))

    def _remember(self, frame: int, view: View, groups: Sequence[_Group], planted: set[int]) -> None:
        ids = [instance for group in groups for instance in group.ids]
        masks = torch.stack([self._last[instance] for instance in ids])[None]
        value, sensory, summary, _ = self._network.encode_mask(view.image, view.pixels, _sensory(groups), masks)
        for group in groups:
            if group.ids[0] not in planted or frame not in group.kept:
                rows = [ids.index(instance) for instance in group.ids]
                self._add(group, view.query, value[:, rows], summary[:, rows], "first")
        _keep_sensory(groups, sensory)
        self._since = 0

    def _add(self, group: _Group, query: Query, value: Tensor, summary: Tensor, permanent: str) -> None:
        group.memory.add_memory(
            query.key, query.shrinkage, value, summary.clone(), list(group.ids), selection=query.selection,
            as_permanent=permanent,
        )  # fmt: skip


def _memory(ids: Sequence[int], tokens: int, sensory_dim: int) -> MemoryManager:
    """An empty memory for instances of pictures with so many tokens."""
    owner = ObjectManager()
    owner.add_new_objects(list(ids))
    settings = {
        "model": {"sensory_dim": sensory_dim},
        "top_k": min(_TOP_K, tokens),
        "chunk_size": -1,
        "save_aux": False,
        "use_long_term": True,
        "long_term": {
            "count_usage": True,
            "max_mem_frames": _WORKING_FRAMES,
            "min_mem_frames": _KEPT_FRAMES,
            "num_prototypes": min(_PROTOTYPES, tokens),
            "max_num_tokens": _LONG_TOKENS,
            "buffer_tokens": _SPARE_TOKENS,
        },
    }
    return MemoryManager(DictConfig(settings), owner)


def _sensory(groups: Sequence[_Group]) -> Tensor:
    return torch.cat([group.memory.get_sensory(group.ids) for group in groups], dim=1)


def _keep_sensory(groups: Sequence[_Group], sensory: Tensor) -> None:
    start = 0
    for group in groups:
        group.memory.update_sensory(sensory[:, start : start + len(group.ids)], group.ids)
        start += len(group.ids)


def _shared(masks: Tensor) -> Tensor:
    """``[N, H, W]`` as the network puts competing masks: every pixel's shares and the background's add up to 1."""
    return torch.softmax(aggregate(masks, dim=0), dim=0)[1:]


@contextmanager
def working() -> Iterator[None]:
    """No gradients, and no warnings of the package's old way of writing autocast, which nobody here can mend."""
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


@contextmanager
def enough_memory(device: torch.device) -> Iterator[None]:
    """For all that a tracker does: what it remembers lies on the device, so it cannot go on elsewhere by itself.

    Raises:
        DeviceError: memory ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        elsewhere = "" if device.type == "cpu" else "on the CPU (Device in Work ▸ Matting…, or --device cpu), "
        raise DeviceError(
            f"Cutie found too little memory on {described(device)} for so many people; track {elsewhere}fewer people "
            "at once, or by flow (--tracker flow)."
        ) from error
