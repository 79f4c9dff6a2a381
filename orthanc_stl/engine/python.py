"""Finding the Python interpreter that runs the workers.

In the interpreter embedded in Orthanc, `sys.executable` is Orthanc itself, the dynamic loader, or whatever `python3`
comes first on the PATH. So the interpreter is the configured one, or the one that belongs to the running library, and
it is asked who it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def find_python(configured: str | None = None) -> str:
    """The path of an interpreter of the running Python's version.

    Raises FileNotFoundError with a sentence that names the option to set.
    """
    if configured:
        reason = why_not(configured)
        if reason:
            raise FileNotFoundError(f'The option "PythonExecutable" of the section "STL" is {configured}, but {reason}')
        return configured
    tried = list(dict.fromkeys(_candidates()))
    for candidate in tried:
        if why_not(candidate) is None:
            return candidate
    raise FileNotFoundError(
        f"No Python {VERSION} interpreter was found for the worker processes (tried {', '.join(tried)}): "
        'set the option "PythonExecutable" of the section "STL"'
    )


def why_not(executable: str) -> str | None:
    """Why that file cannot run the workers; None if it can."""
    path = Path(executable)
    if not path.is_file() or not os.access(path, os.X_OK):
        return "there is no executable file of that name"
    question = "import sys; print('python', *sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [executable, "-c", question],
            env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not run ({error})"
    if answer.stdout.split() != ["python", *VERSION.split(".")]:
        return f"it is not a Python {VERSION}, which Orthanc's Python plugin runs"
    return None


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a worker's environment is: Orthanc's, with the running interpreter's module path."""
    path = os.pathsep.join(entry for entry in map(os.path.abspath, filter(None, sys.path)) if os.path.exists(entry))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(extra or {})}


def _candidates() -> Iterator[str]:
    # A virtual environment's interpreter knows its packages; the embedded one never is in one by itself.
    names = (f"python{VERSION}", "python3", "python")
    if sys.executable and Path(sys.executable).name.startswith("python"):
        yield sys.executable
    for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix):
        for name in names:
            yield str(Path(prefix, "bin", name))
        yield str(Path(prefix, "python.exe"))
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield str(Path(folder, names[0]))
