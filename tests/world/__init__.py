"""A world in simulated time on one thread, in which whole runs go wrong in every way.

Clock, workers, gateway, media host, disks, machines and people are simulated and scheduled by one
seed; scheduler, transitions, journal (real SQLite), results and downloads are the real ones.
`python -m tests.world --seeds 1000` plays stories and says what it saw.
"""
