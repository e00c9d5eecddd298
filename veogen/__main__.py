"""`python -m veogen`, and the console script."""

from veogen.cli import main

if __name__ == "__main__":
    main()
