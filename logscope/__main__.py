"""`python -m logscope`."""

from logscope.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
