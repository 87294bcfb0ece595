"""The scene: values on their rectangles, the camera that looks at them, and picking."""
