"""`python -m gridai` is the same as the command `gridai`."""

from gridai.cli import main

if __name__ == "__main__":
    main()
