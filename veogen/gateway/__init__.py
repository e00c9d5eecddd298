"""The EvoLink API over HTTP: the only place that imports requests."""
