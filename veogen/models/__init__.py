"""The gateway's models as data: parameters with limits, rules between them, dated prices."""
