"""The built-in sample clip, with its truth, and the scripts that rendered it."""
