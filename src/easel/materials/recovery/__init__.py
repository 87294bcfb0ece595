"""From photographs to maps: photos, inference, observation and refinement, evaluation."""
