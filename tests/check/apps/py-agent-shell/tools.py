from pathlib import Path

ROOT = Path.cwd().resolve()


def _inside(path: str) -> Path:
    target = (ROOT / path).resolve()
    if ROOT not in target.parents and target != ROOT:
        raise ValueError(f"{path} lies outside of the project")
    return target


def read_file(path: str) -> str:
    return _inside(path).read_text()[:20000]


def write_file(path: str, content: str) -> str:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return f"wrote {len(content)} characters"


SCHEMAS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {p: {"type": "string"} for p in params}}}}
    for name, params in {
        "run_command": ["command"],
        "run_python": ["code"],
        "read_file": ["path"],
        "write_file": ["path", "content"],
    }.items()
]
