"""How far a result may lie from the authors', all in one place; every value is for float32 on the CPU.

Rounding differs between machines and BLAS libraries. A mistake does not hide in it: leaving out one power iteration, or
one frame of the temporal unit, changes mattes by 0.7 and more.
"""

COARSE_ALPHA = 2e-4
"""Mattes before fusion, whose last layers amplify rounding (measured: 6.2e-5)."""
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
