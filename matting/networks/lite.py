"""Lite: MSG-VIM's design made thin enough for a CPU; our own, so that artists may sell what they make with it.

What is kept of MSG-VIM (Li et al., WACV 2024): one instance told apart from all others by two masks, mattes at 1/8, 1/4
and full size, and a temporal unit through which half of some channels pass. What differs: the encoder starts at half
the size, the temporal unit sits at a quarter of it, full size sees the picture itself through a few channels only, and
its matte stands for itself: the coarser ones help to learn, nothing is taken from them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.msg_vim import MsgVimMattes, Recurrence

WIDTHS = (16, 32, 64, 96, 128)
"""Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size."""
MULTIPLE_PX = 32
_FULL = 16
_CARRIED = 16
"""Channels of the state that is handed from frame to frame."""


class Lite(nn.Module):
    """The network. No weight depends on the number of frames or instances."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth, deepest = WIDTHS
        self.stem = _block(5, half, stride=2)
        self.down4 = nn.Sequential(_block(half, quarter, stride=2), Residual(quarter))
        self.down8 = nn.Sequential(_block(quarter, eighth, stride=2), Residual(eighth), Residual(eighth))
        self.down16 = nn.Sequential(_block(eighth, sixteenth, stride=2), Residual(sixteenth), Residual(sixteenth))
        self.down32 = nn.Sequential(_block(sixteenth, deepest, stride=2), Residual(deepest))
        self.context = Context(deepest)
        self.up16 = _block(deepest + sixteenth, sixteenth)
        self.up8 = nn.Sequential(_block(sixteenth + eighth, eighth), Residual(eighth))
        self.up4 = nn.Sequential(_block(eighth + quarter, quarter), Residual(quarter))
        self.temporal = Recurrence(_CARRIED)
        self.up2 = _block(quarter + half, 24)
        self.narrow = _block(24, _FULL - 5, kernel=1)
        self.full = nn.Sequential(_block(_FULL, _FULL), _block(_FULL, _FULL))
        self.head8 = _head(eighth)
        self.head4 = _head(quarter)
        self.head1 = nn.Conv2d(_FULL, 2, 3, padding=1)

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
        seen = self._seen(frames, target, reference)
        eighth, quarter, full, memory = self._features(seen, frames.shape[:2], memory)
        # From here in float32 even where autocast multiplies in half: mattes need finer steps than that.
        os8 = F.interpolate(self.head8(eighth).float(), scale_factor=8, mode="bilinear", align_corners=False)
        os4 = F.interpolate(self.head4(quarter).float(), scale_factor=4, mode="bilinear", align_corners=False)
        os1 = self.head1(full).float()
        a8, a4, a1 = (_alphas(logits).view(*frames.shape[:2], 2, *logits.shape[2:]) for logits in (os8, os4, os1))
        return MsgVimMattes(a8, a4, a1, a1[:, :, :1], memory)

    def matte(
        self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What is used of :meth:`forward`, ``[B, T, H, W]``, and the memory, without what only helps to learn."""
        _, _, full, memory = self._features(self._seen(frames, target, reference), frames.shape[:2], memory)
        return _alphas(self.head1(full).float()[:, 0]).view(*frames.shape[:2], *full.shape[2:]), memory

    def _seen(self, frames: Tensor, target: Tensor, reference: Tensor) -> Tensor:
        return torch.cat((frames, target - 0.5, reference - 0.5), 2).flatten(0, 1)

    def _features(
        self, seen: Tensor, clips: torch.Size, memory: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """At 1/8, 1/4 and full size, and the memory; of ``[B * T, 5, H, W]``, where ``clips`` are B and T."""
        x2 = self.stem(seen)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        deepest = self.context(self.down32(x16))
        eighth = self.up8(_joined(self.up16(_joined(deepest, x16)), x8))
        quarter = self.up4(_joined(eighth, x4))
        passed, remembered = quarter[:, :-_CARRIED], quarter[:, -_CARRIED:]
        states = self.temporal(remembered.reshape(*clips, *remembered.shape[1:]), memory)
        quarter = torch.cat((passed, states.flatten(0, 1)), 1)
        fine = self.narrow(self.up2(_joined(quarter, x2)))
        return eighth, quarter, self.full(_joined(fine, seen)), states[:, -1]


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


def _block(channels_in: int, channels_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def _head(channels: int) -> nn.Sequential:
    return nn.Sequential(_block(channels, 16), nn.Conv2d(16, 2, 3, padding=1))


def _joined(coarse: Tensor, fine: Tensor) -> Tensor:
    """A map enlarged to twice its size, with the channels of another beside."""
    return torch.cat((F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False), fine), 1)
