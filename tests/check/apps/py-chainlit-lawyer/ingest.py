"""Read the law texts into the index, once."""
import sys
from pathlib import Path

from index import embeddings, index

for path in sorted(Path(sys.argv[1]).glob("*.txt")):
    paragraphs = path.read_text(encoding="utf-8").split("\n\n")
    vectors = embeddings.embed_documents(paragraphs)
    index.upsert([(f"{path.stem}-{n}", v, {"text": p}) for n, (v, p) in enumerate(zip(vectors, paragraphs))])
    print(f"{path.name}: {len(paragraphs)} paragraphs")
