"""Makes the environment of the Python libraries that meet us: discord.py the simulator, clients of
HTTP and SSE the whole house, a validator the OpenAPI document. They share one, so that what several
need is there once. Nothing without a hash in a lock file is taken, and nothing is built.

Without `--afresh` nothing is done if it is as new as the lock files.
"""

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent.parent / "target" / "python"
# Written last, so that a broken installation counts as none.
INSTALLED = ENVIRONMENT / "installed"

locks = sorted(HERE.glob("*/requirements.txt"))
newest = max(lock.stat().st_mtime for lock in locks)
if "--afresh" in sys.argv or not INSTALLED.exists() or INSTALLED.stat().st_mtime < newest:
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    options = "--quiet --disable-pip-version-check --require-hashes --only-binary=:all:".split()
    subprocess.run(
        [ENVIRONMENT / "bin" / "pip", "install", *options, *(f"--requirement={lock}" for lock in locks)],
        check=True,
    )
    INSTALLED.touch()
