"""Reading and writing YAML 1.2 documents in which every value knows where it stands."""
