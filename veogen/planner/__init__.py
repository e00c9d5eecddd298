"""From a spec to concrete, priced, hashed requests: pure but for the reading of named files."""
