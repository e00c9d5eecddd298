"""What veogen costs, against bare lower bounds and peers measured in the same run.

    python -m tests.bench [NAME...] [--small]

Each bench is a module here with `tables(small) -> Iterator[Table]`, and is named in `__main__`.
"""
