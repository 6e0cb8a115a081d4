"""A 12329 housing-fund hotline. docs/design.md tells what lives in which folder."""

__version__ = "0.1.0"
