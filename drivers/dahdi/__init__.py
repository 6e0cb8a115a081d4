"""Ports of DAHDI cards, through the Linux kernel's device files."""
