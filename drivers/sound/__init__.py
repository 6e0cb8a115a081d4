"""A line interface on a sound device, its hook and ring on the control lines of a serial port."""
