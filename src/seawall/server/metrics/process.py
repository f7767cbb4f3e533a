"""What a process takes of its machine."""

import os
import resource
import time
from pathlib import Path

from seawall.server.metrics import families
from seawall.server.metrics.values import Values

_STATM = Path("/proc/self/statm")
_FD_FOLDERS = (Path("/proc/self/fd"), Path("/dev/fd"))
_PAGE_BYTES = resource.getpagesize()


class ProcessFigures:
    """Looks at this process; `worker` names it where there are several."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._started_at = time.time() - time.process_time()

    def put_into(self, values: Values) -> None:
        """Put memory, open files, CPU time and start among the figures, as far as the system tells them."""
        worker = self._worker
        values.put(families.CPU, round(time.process_time(), 3), worker)
        values.put(families.STARTED, round(self._started_at, 3), worker)
        if _STATM.exists():
            pages = int(_STATM.read_text(encoding="ascii").split()[1])
            values.put(families.MEMORY, pages * _PAGE_BYTES, worker)
        for folder in _FD_FOLDERS:
            if folder.is_dir():
                values.put(families.FILES, len(os.listdir(folder)), worker)
                return
