"""Every benchmark, one after the other: `python -m benchmarks`. Each script says what it prints, and runs by itself too."""

import subprocess
import sys
from pathlib import Path

for script in sorted(Path(__file__).parent.glob("[!_]*.py")):
    print(f"== benchmarks/{script.name}", flush=True)
    subprocess.run([sys.executable, str(script), *sys.argv[1:]], check=True)
