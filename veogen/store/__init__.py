"""Claims, records and clips that several machines share: the only place that imports obstore."""
