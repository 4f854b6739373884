"""What the mouse means in the viewer, one module per tool."""
