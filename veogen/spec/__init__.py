"""Reading what the user wrote: a spec composed of its bases, profile and settings, checked."""
