"""The laboratory: labelled signals, our detectors and others on them, and what comes of it in docs/signals.md.

    make bench-dsp

pieces.py and voices.py make signals, keys.py, others.py and tones.py the families of cases; ours.py and peers.py run
detectors, score.py counts, speed.py races, table.py says what is held against which target, report.py writes.
"""
