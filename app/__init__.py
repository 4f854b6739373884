"""The Qt editor of Matteo. Everything that imports Qt lives in this package."""
