"""`python -m services` is `yujing`."""

from services.cli import main

if __name__ == "__main__":
    main()
