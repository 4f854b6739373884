"""Lite: MSG-VIM's design made thin enough for a CPU; our own, so that artists may sell what they make with it.

What is kept of MSG-VIM (Li et al., WACV 2024): one instance told apart from all others by two masks, mattes at 1/8, 1/4
and full size, and a temporal unit through which half of some channels pass. What differs: nothing is computed at full
size, where a processor spends most of its time on a few channels. Each pixel at half the size takes in four of the
picture and gives four of the matte. Coarse features are added to finer ones instead of being put beside them, the
temporal unit sits at a quarter of the size, and the matte of full size stands for itself: the coarser ones help to
learn, nothing is taken from them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.msg_vim import MsgVimMattes, Recurrence

WIDTHS = (24, 32, 64, 96, 128)
"""Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size."""
DEPTHS = (1, 2, 2, 1)
"""Residual blocks on the way down at 1/4, 1/8, 1/16 and 1/32."""
MULTIPLE_PX = 32
_SEEN = 5
"""Red, green, blue, the instance's mask and that of all others."""
_CARRIED = 16
"""Channels of the state that is handed from frame to frame."""


class Lite(nn.Module):
    """The network. No weight depends on the number of frames or instances."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth, deepest = widths
        self.stem = _block(4 * _SEEN, half)
        self.down4, self.down8, self.down16, self.down32 = (
            nn.Sequential(_block(wide, deep, stride=2), *(Residual(deep) for _ in range(depth)))
            for wide, deep, depth in zip(widths[:-1], widths[1:], depths, strict=True)
        )
        self.context = Context(deepest)
        self.rise16, self.up16 = nn.Conv2d(deepest, sixteenth, 1), Residual(sixteenth)
        self.rise8, self.up8 = nn.Conv2d(sixteenth, eighth, 1), Residual(eighth)
        self.rise4, self.up4 = nn.Conv2d(eighth, quarter, 1), Residual(quarter)
        self.temporal = Recurrence(_CARRIED)
        self.rise2, self.up2 = nn.Conv2d(quarter, half, 1), nn.Sequential(_block(half, half), _block(half, half))
        self.head8 = _head(eighth)
        self.head4 = _head(quarter)
        self.head1 = nn.Conv2d(half, 4 * 2, 3, padding=1)

    def forward(self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None = None) -> MsgVimMattes:
        """Matte B instances over T frames each.

        Args:
            frames: ``[B, T, 3, H, W]`` RGB, ImageNet-normalised; both sides multiples of :data:`MULTIPLE_PX`.
            target: ``[B, T, 1, H, W]`` of 0 and 1: the instance.
            reference: ``[B, T, 1, H, W]`` of 0 and 1: all other instances.
            memory: ``[B, 16, H/4, W/4]`` from the call for the frames before; None at the start of a run.

        Returns:
            The mattes at three sizes, all enlarged to ``[H, W]``, the one to use, and the memory for the frames that
            follow.
        """
        eighth, quarter, half, memory = self._features(frames, target, reference, memory)
        # From here in float32 even where autocast multiplies in half: mattes need finer steps than that.
        os8 = F.interpolate(self.head8(eighth).float(), scale_factor=8, mode="bilinear", align_corners=False)
        os4 = F.interpolate(self.head4(quarter).float(), scale_factor=4, mode="bilinear", align_corners=False)
        os1 = F.pixel_shuffle(self.head1(half).float(), 2)
        a8, a4, a1 = (_alphas(logits).view(*frames.shape[:2], 2, *logits.shape[2:]) for logits in (os8, os4, os1))
        return MsgVimMattes(a8, a4, a1, a1[:, :, :1], memory)

    def matte(
        self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What is used of :meth:`forward`, ``[B, T, H, W]``, and the memory, without what only helps to learn."""
        _, _, half, memory = self._features(frames, target, reference, memory)
        full = F.pixel_shuffle(self.head1(half).float()[:, :4], 2)
        return _alphas(full).view(*frames.shape[:2], *full.shape[2:]), memory

    def _features(
        self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """At 1/8, 1/4 and 1/2 of the size, and the memory."""
        seen = torch.cat((frames, target - 0.5, reference - 0.5), 2).flatten(0, 1)
        x2 = self.stem(F.pixel_unshuffle(seen, 2))
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        deepest = self.context(self.down32(x16))
        sixteenth = self.up16(_risen(self.rise16(deepest), x16))
        eighth = self.up8(_risen(self.rise8(sixteenth), x8))
        quarter = self.up4(_risen(self.rise4(eighth), x4))
        passed, remembered = quarter[:, :-_CARRIED], quarter[:, -_CARRIED:]
        states = self.temporal(remembered.reshape(*frames.shape[:2], *remembered.shape[1:]), memory)
        # Stacked, states lie by channels; all else lies by pixels, and adding the one to the other takes its time.
        carried = states.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        quarter = torch.cat((passed, carried), 1)
        return eighth, quarter, self.up2(_risen(self.rise2(quarter), x2)), states[:, -1]


def _alphas(logits: Tensor) -> Tensor:
    return (torch.tanh(logits) + 1) / 2


class Residual(nn.Module):
    """Two 3×3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _block(channels, channels)
        norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(norm.weight)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class Context(nn.Module):
    """Lets every place know what the whole picture is like: scaled by a gate from the mean over all places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels // 4, 1), nn.ReLU(), nn.Conv2d(channels // 4, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))


def _block(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def _head(channels: int) -> nn.Sequential:
    return nn.Sequential(_block(channels, 16), nn.Conv2d(16, 2, 3, padding=1))


def _risen(coarse: Tensor, fine: Tensor) -> Tensor:
    """A map enlarged to twice its size, added to another."""
    return F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False) + fine
