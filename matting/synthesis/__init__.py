"""Clips of several people with true alphas: composed from foregrounds, or drawn."""
