"""Plan, review, buy and keep batches of AI video clips from YAML manifests in git."""

__version__ = "0.1.0"
