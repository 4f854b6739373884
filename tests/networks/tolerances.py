"""How far a result may lie from the authors', all in one place; every value is for float32 on the CPU.

Rounding differs between machines and BLAS libraries. A mistake does not hide in it: leaving out one power iteration, or
one frame of the temporal unit, changes mattes by 0.7 and more. Float64 instead of float32 moves MaGGIe's mattes at OS8
and OS4 by at most 5.5e-5, all others by 1.1e-5, MSG-VIM's by 2.4e-5, and no pixel of a thresholded map.
"""

import torch

# Both networks
COARSE_ALPHA = 2e-4
"""Mattes before fusion, whose last layers amplify rounding (measured: 6.2e-5 MSG-VIM, 7.6e-5 MaGGIe's OS8 and OS4)."""

# MSG-VIM
FEATURES = 5e-5
"""Tensors inside MSG-VIM, of size 1 to 20 (measured: 1.6e-5)."""
LOGITS = 4e-4
"""What MSG-VIM's heads give before tanh (measured: 1e-4)."""
FUSED_ALPHA = 1e-3
FUSED_SHARE = 0.005
"""Some pixels lie within 3e-8 of a threshold, and the dilation spreads each flip: this share of the pixels of a fused
matte may be off by more than FUSED_ALPHA (measured: none)."""
STORED_STEPS = 1
"""8-bit mattes, cut off rather than rounded, may be off by this many steps outside FUSED_SHARE."""
FOLDED_ALPHA = 2e-4
"""Mattes before fusion of MSG-VIM with its norms folded, against the same without (measured: 3.5e-5)."""

# MaGGIe
FINE_ALPHA = 1e-4
"""alpha_os1, the mattes before and after fusion over time, difference maps (measured: 1.8e-5) ..."""
FINE_SHARE = 0.001
"""... except in this share of the pixels, where rounding decides a comparison (measured: none)."""
MASK_SHARE = 0.0005
"""This share of the pixels of a thresholded map may differ (measured: none)."""
MEMORY = 5e-5
"""States of the recurrent unit, in -1…1 (measured: 5e-6)."""
INTERMEDIATE = 3e-5
"""Intermediate tensors, relative to the largest value (measured: 5.4e-6)."""
END_TO_END_ALPHA = 1e-3
END_TO_END_SHARE = 0.001
"""Share of the pixels of a whole pipeline that may be off by more than END_TO_END_ALPHA."""

# Half precision
HALF_MEAN = {torch.bfloat16: 0.05, torch.float16: 0.01}
"""Mean distance from float32, where details are computed (measured: 0.018 and 0.0025, single pixels up to 0.54)."""
