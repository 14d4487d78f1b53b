"""Writes the golden files beside itself, or with --check compares them with a fresh run.

    python -m venv golden && golden/bin/pip install -r requirements.txt
    golden/bin/python generate.py            # writes
    golden/bin/python generate.py --check    # compares, exit 1 on any difference

PROVENANCE.md says what the files hold and who computed them.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from maker import decoder_runs, extents, foreign, networks, normalization, operators, views

HERE = Path(__file__).resolve().parent


def make_all():
    """Relative path -> bytes of every golden file."""
    files = {"extents.json": json_tables(extents.all_tables())}
    for name, maker in (("operators", operators), ("normalization", normalization)):
        cases = maker.all_cases()
        tensors = {}
        for case in cases:
            case.solve()
            tensors |= case.tensors()
        files[f"{name}.json"] = json_lines([case.record() for case in cases])
        files[f"{name}.safetensors"] = save(contiguous(tensors))

    folders = {
        "networks": [networks.all_files()],
        "decoders": [decoder_runs.all_files(), views.all_files()],
    }
    for folder, parts in folders.items():
        index = [entry for _, entries in parts for entry in entries]
        files[f"{folder}/{folder}.json"] = json_lines(index)
        for name, tensors in (item for tensors_of, _ in parts for item in tensors_of.items()):
            files[f"{folder}/{name}"] = save(contiguous(tensors))
    files["decoders/full_size.json"] = json_tables(decoder_runs.full_size_tables())

    weight_files, index = foreign.all_files()
    files["foreign/foreign.json"] = json_lines(index)
    return files | {f"foreign/{name}": content for name, content in weight_files.items()}


def contiguous(tensors):
    return {key: np.ascontiguousarray(value) for key, value in tensors.items()}


def json_lines(records):
    """A JSON array, one record a line, so that a diff shows whole cases."""
    lines = (json.dumps(record, allow_nan=False) for record in records)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def json_tables(tables):
    """An object of tables, one row a line."""
    parts = []
    for name, table in tables.items():
        rows = ",\n".join(json.dumps(row) for row in table["rows"])
        columns = json.dumps(list(table["columns"]))
        parts.append(f'"{name}": {{"columns": {columns}, "rows": [\n{rows}\n]}}')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def write(files):
    for name, content in files.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def differences(files):
    """The names whose content on disk is not the fresh one, or that lie there without a maker."""
    stale = {
        path.relative_to(HERE).as_posix()
        for pattern in ("*.json", "*.safetensors", "networks/*", "decoders/*", "foreign/**/*")
        for path in HERE.glob(pattern)
        if path.is_file()
    } - set(files)
    changed = {
        name
        for name, content in files.items()
        if not (HERE / name).is_file() or (HERE / name).read_bytes() != content
    }
    return sorted(stale | changed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files, write nothing")
    arguments = parser.parse_args()
    files = make_all()
    total = sum(map(len, files.values()))
    if arguments.check:
        different = differences(files)
        for name in different:
            print(f"differs: {name}")
        print(f"{len(files)} files, {total} bytes, {len(different)} differ")
        return 1 if different else 0
    write(files)
    print(f"{len(files)} files, {total} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
