"""`python -m cli`, which is what `./shelfway` runs."""

from cli.main import app

if __name__ == "__main__":
    app(prog_name="shelfway")
