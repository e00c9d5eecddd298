"""Where every request stands: events, their fold, and the results manifest."""
