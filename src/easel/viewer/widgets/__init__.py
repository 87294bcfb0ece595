"""Controls of a panel: sliders, switches, read-outs, and their state by label."""
