"""What Cutie remembers of some instances, as plain arrays, and back into the authors' own stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from cutie.inference.kv_memory_store import KeyValueMemoryStore
from cutie.inference.memory_manager import MemoryManager
from torch import Tensor

from matting.tracking.waypoint import State

_BY_BUCKET = "k", "s", "e", "use_cnt", "life_cnt"
"""Tensors of a store by bucket; those of the instances, ``v``, are by instance."""
_SIZES = "CK", "CV", "H", "W", "HW", "max_work_tokens", "min_work_tokens", "config_stale", "engaged"
"""What a manager learns from the first picture."""


def memory_state(memory: MemoryManager) -> State:
    """All that a memory goes on from; to be written before it goes on, which changes some of it in place."""
    return {
        "working": _store_state(memory.work_mem),
        "long": _store_state(memory.long_mem),
        "sensory": tensors_state(memory.sensory),
        "summaries": tensors_state(memory.obj_v),
        "sizes": {name: getattr(memory, name) for name in _SIZES if hasattr(memory, name)},
    }


def fill_memory(memory: MemoryManager, state: State, device: torch.device) -> None:
    """Put it back into an empty memory of the same instances."""
    _fill_store(memory.work_mem, state["working"], device)
    _fill_store(memory.long_mem, state["long"], device)
    memory.sensory = tensors_from(state["sensory"], device)
    memory.obj_v = tensors_from(state["summaries"], device)
    for name in _SIZES:
        if name in state["sizes"]:
            setattr(memory, name, state["sizes"][name])


def tensors_state(tensors: Mapping[int, Tensor]) -> State:
    """Tensors by number."""
    return {str(number): tensor.cpu().numpy() for number, tensor in tensors.items()}


def tensors_from(state: State, device: torch.device) -> dict[int, Tensor]:
    """The same on a device."""
    return {int(number): torch.tensor(array, device=device) for number, array in state.items()}


def _store_state(store: KeyValueMemoryStore) -> State:
    state: State = {name: tensors_state(getattr(store, name)) for name in _BY_BUCKET if hasattr(store, name)}
    state["v"] = tensors_state(store.v)
    state["buckets"] = _named(store.buckets)
    state["permanent"] = _named(store.perm_end_pt)
    state["next_bucket"] = store.global_bucket_id
    return state


def _fill_store(store: KeyValueMemoryStore, state: State, device: torch.device) -> None:
    for name in (*_BY_BUCKET, "v"):
        if name in state:
            setattr(store, name, tensors_from(state[name], device))
    store.buckets = {int(bucket): list(ids) for bucket, ids in state["buckets"].items()}
    store.perm_end_pt.update({int(bucket): end for bucket, end in state["permanent"].items()})
    store.global_bucket_id = state["next_bucket"]


def _named(numbers: Mapping[int, Any]) -> State:
    return {str(number): value for number, value in numbers.items()}
