"""Materials: photos to maps, maps under a lamp, and trainings that are watched."""
