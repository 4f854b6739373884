"""SAM's mask decoder, its sums in another order: a click asks with a handful of tokens about thousands of places.

Modules and weights are the authors' own. Where tokens and places attend to each other, the authors apply a matrix to
every place, and here the tokens of each head bear it instead: query · (W place) = (query W) · place. With eight tokens
that halves the work; from seventeen on the authors' order is the shorter one and is kept. Places stay the
rows of a matrix to the very end, where only the masks are folded into pictures. What comes out differs from the
authors' by rounding.

Source:
    Kirillov et al., "Segment Anything" (ICCV 2023), appendix A, "Lightweight mask decoder".
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_FINER = 2
"""How many times more rows and columns each of the two transposed convolutions gives: its kernel and its stride."""


def decode(decoder: Any, picture: Tensor, places: Tensor, prompt: Tensor, several: bool) -> tuple[Tensor, Tensor]:
    """Masks for one prompt, as the authors' decoder gives them.

    Args:
        decoder: their ``MaskDecoder``.
        picture: ``[side², C]``, row by row, what is seen at each place; with what was drawn there added to it.
        places: ``[side², C]``, where each of them is.
        prompt: ``[P, C]``, points and corners.
        several: three masks, from part to whole, rather than the one for prompts that leave no doubt.

    Returns:
        The masks' logits ``[n, 4 side, 4 side]`` and, ``[n]``, the quality that is expected of each.
    """
    transformer = decoder.transformer
    given = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight, prompt])
    tokens, placed = given, picture + places
    for layer in transformer.layers:
        if layer.skip_first_layer_pe:
            tokens = _attended(layer.self_attn, tokens, tokens, tokens)
        else:
            asking = tokens + given
            tokens = tokens + _attended(layer.self_attn, asking, asking, tokens)
        tokens = layer.norm1(tokens)
        seen = _tokens_from_picture(layer.cross_attn_token_to_image, tokens + given, placed, picture)
        tokens = layer.norm2(tokens + seen)
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        told = _picture_from_tokens(layer.cross_attn_image_to_token, placed, tokens + given, tokens)
        picture = layer.norm4(told.add_(picture))
        placed = picture + places
    seen = _tokens_from_picture(transformer.final_attn_token_to_image, tokens + given, placed, picture)
    tokens = transformer.norm_final_attn(tokens + seen)
    chosen = range(1, decoder.num_mask_tokens) if several else range(1)
    logits = _masks(decoder, picture, tokens[1 : 1 + decoder.num_mask_tokens], chosen)
    quality: Tensor = decoder.iou_prediction_head(tokens[:1])[0, chosen.start : chosen.stop]
    return logits, quality


def _attended(attention: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """In the authors' order."""
    attended: Tensor = attention(q=query[None], k=key[None], v=value[None])[0]
    return attended


def _are_few(attention: Any, tokens: Tensor) -> bool:
    """Whether so many tokens, once for each head, are fewer than the numbers that places would be projected to."""
    return len(tokens) * int(attention.num_heads) <= int(attention.internal_dim)


def _tokens_from_picture(attention: Any, asking: Tensor, placed: Tensor, picture: Tensor) -> Tensor:
    """What ``[N, C]`` tokens gather from ``[places, C]``."""
    if not _are_few(attention, asking):
        return _attended(attention, asking, placed, picture)
    # The bias of the keys adds the same to all places, and softmax takes it away again.
    asked = _by_head(attention, attention.q_proj(asking)) @ _rows_by_head(attention, attention.k_proj)
    shares = torch.softmax(asked.flatten(0, 1) @ placed.T, dim=-1)
    gathered = (shares @ picture).view(attention.num_heads, len(asking), -1)
    value = gathered @ _rows_by_head(attention, attention.v_proj).mT
    # Shares add up to one, so the bias of the values comes through once.
    told: Tensor = attention.out_proj(value.transpose(0, 1).flatten(1) + attention.v_proj.bias)
    return told


def _picture_from_tokens(attention: Any, placed: Tensor, offering: Tensor, value: Tensor) -> Tensor:
    """What ``[places, C]`` take over from ``[N, C]`` tokens."""
    if not _are_few(attention, offering):
        return _attended(attention, placed, offering, value)
    heads = attention.num_heads
    offered = _by_head(attention, attention.k_proj(offering))
    scores = (offered @ _rows_by_head(attention, attention.q_proj)).flatten(0, 1) @ placed.T
    scores = scores.view(heads, len(offering), -1) + offered @ attention.q_proj.bias.view(heads, -1, 1)
    shares = torch.softmax(scores, dim=1).flatten(0, 1)
    values = attention.v_proj(value).view(len(value), heads, -1).transpose(0, 1)
    outward = attention.out_proj.weight.view(-1, heads, values.shape[-1]).permute(1, 2, 0)
    return torch.addmm(attention.out_proj.bias, shares.T, (values @ outward).flatten(0, 1))


def _by_head(attention: Any, tokens: Tensor) -> Tensor:
    """``[N, width]`` to ``[heads, N, width of a head]``, scaled as attention wants its queries."""
    heads = tokens.view(len(tokens), attention.num_heads, -1).transpose(0, 1)
    return heads / math.sqrt(heads.shape[-1])


def _rows_by_head(attention: Any, projection: Any) -> Tensor:
    """The weights of a projection, ``[heads, width of a head, C]``."""
    rows: Tensor = projection.weight.view(attention.num_heads, -1, projection.in_features)
    return rows


def _masks(decoder: Any, picture: Tensor, tokens: Tensor, chosen: range) -> Tensor:
    """The logits ``[n, 4 side, 4 side]`` that some mask tokens mean on ``[side², C]``."""
    first, norm, activation, second, last = decoder.output_upscaling
    spread = activation(F.layer_norm(_spread(first, picture), norm.weight.shape, norm.weight, norm.bias, norm.eps))
    spread = last(_spread(second, spread))
    meant = torch.cat([decoder.output_hypernetworks_mlps[place](tokens[place : place + 1]) for place in chosen])
    side = math.isqrt(len(picture))
    # Row and column of the place, then those within it, then those within that.
    logits: Tensor = (meant @ spread.T).view(len(chosen), side, side, _FINER, _FINER, _FINER, _FINER)
    return logits.permute(0, 1, 3, 5, 2, 4, 6).reshape(len(chosen), side * _FINER**2, side * _FINER**2)


def _spread(convolution: Any, pixels: Tensor) -> Tensor:
    """A transposed convolution that makes a square of each pixel: ``[P, C]`` to ``[P · 4, c]``, square after square."""
    weight = convolution.weight.permute(2, 3, 1, 0).flatten(0, 2)
    spread: Tensor = F.linear(pixels, weight, convolution.bias.repeat(_FINER**2)).view(-1, convolution.out_channels)
    return spread
