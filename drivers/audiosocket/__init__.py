"""Lines that Asterisk brings over TCP: the AudioSocket protocol."""
