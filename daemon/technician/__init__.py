"""Lines looked at with the service stopped: measured, recorded, reported."""
