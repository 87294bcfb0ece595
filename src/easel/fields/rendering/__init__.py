"""Pictures and volumes of a field: tiles, calibration, storage types."""
