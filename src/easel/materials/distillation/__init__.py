"""Students: smaller networks that learn from the answers of a larger one."""
