"""Voice cards, each behind a worker process of its own: a vendor's library may crash, or be of 32 bits."""
