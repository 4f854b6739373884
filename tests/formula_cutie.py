"""Checkpoints of Cutie filled by formula: what they track means nothing, but it is always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from formula_weights import formula_weights
from omegaconf import DictConfig, OmegaConf

SMALL = """
pixel_mean: [0.485, 0.456, 0.406]
pixel_std: [0.229, 0.224, 0.225]
pixel_dim: 32
key_dim: 16
value_dim: 32
sensory_dim: 32
embed_dim: 32
pixel_encoder: {type: resnet18, ms_dims: [256, 128, 64]}
mask_encoder: {type: resnet18, final_dim: 256}
pixel_pe_scale: 32
pixel_pe_temperature: 128
object_transformer:
  embed_dim: 32
  ff_dim: 64
  num_heads: 4
  num_blocks: 1
  num_queries: 4
  read_from_pixel: {input_norm: False, input_add_pe: False, add_pe_to_qkv: [True, True, False]}
  read_from_past: {add_pe_to_qkv: [True, True, False]}
  read_from_memory: {add_pe_to_qkv: [True, True, False]}
  read_from_query: {add_pe_to_qkv: [True, True, False], output_norm: False}
  query_self_attention: {add_pe_to_qkv: [True, True, False]}
  pixel_self_attention: {add_pe_to_qkv: [True, True, False]}
object_summarizer: {embed_dim: 32, num_summaries: 4, add_pe: True}
aux_loss: {sensory: {enabled: True, weight: 0.01}, query: {enabled: True, weight: 0.01}}
mask_decoder: {up_dims: [32, 16, 16]}
"""
"""Built like the authors' model, with few channels: what does not need the true layout runs on it."""


def small_settings() -> DictConfig:
    settings = OmegaConf.create(SMALL)
    assert isinstance(settings, DictConfig)
    return settings


def write(path: Path) -> Path:
    """A file with all that ``matting.tracking.cutie_network.create`` makes, in its layout, which is the public one."""
    from matting.tracking.cutie_network import create

    layout: dict[str, dict[str, Any]] = {
        # Keys of unit size would put all memory beyond the reach of a float32 exponential.
        key: {
            "shape": list(value.shape),
            "dtype": str(value.dtype).removeprefix("torch."),
            "scale": 0.02 if key.startswith("key_proj.") else 1.0,
        }
        for key, value in create().state_dict().items()
    }
    torch.save(formula_weights(layout), path)
    return path
