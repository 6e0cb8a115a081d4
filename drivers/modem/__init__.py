"""USB voice modems: AT commands and DLE-shielded audio over a serial port."""
