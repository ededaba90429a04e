"""`python -m kbuild` is `kbuild`."""

from kbuild.cli.main import main

if __name__ == "__main__":
    main()
