"""The engine of Matteo: footage in, one matte per person, composites out. A plain library without Qt."""
