"""`python -m gateway` is the same as `briefgeheim`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
