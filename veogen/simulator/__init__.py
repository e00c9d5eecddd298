"""Our stand-in for the gateway: the same API, real MP4s, faults on demand."""
