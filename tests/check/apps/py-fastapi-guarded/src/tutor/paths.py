from pathlib import Path

AUDIO = (Path(__file__).parent / "audio").resolve()
