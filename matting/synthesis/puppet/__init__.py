"""Figures that walk, drawn limb by limb with exact coverage."""
