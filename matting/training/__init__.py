"""What it takes to train the matting networks.

Nothing here is needed to edit a video, so nothing that the editor starts imports this.
"""
