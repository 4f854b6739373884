"""What ships with Matteo: the sample clip, icons and, later, weights."""

from pathlib import Path

ROOT = Path(__file__).parent
SAMPLE = ROOT / "sample"
