"""Looks, backdrops, foreground colours, the plate and the composite of one frame. Knows arrays only."""
