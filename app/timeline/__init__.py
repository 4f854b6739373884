"""The timeline: ruler, filmstrip and a lane per person over one time axis."""
