"""Voice cards whose vendor's library lives in a worker process of its own."""
