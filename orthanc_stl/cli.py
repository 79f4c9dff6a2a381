"""The commands without a server, and how to tell Orthanc of the plugin: `orthanc-stl`, `python -m orthanc_stl`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from orthanc_stl import __version__
from orthanc_stl.cli_options import add_options, add_print_check, chosen_structures, request_of
from orthanc_stl.errors import InvalidInput, StlError
from orthanc_stl.formats.registry import WRITERS, how_to_write, writer_of_name

if TYPE_CHECKING:
    from orthanc_stl.conversion.result import ConversionResult
    from orthanc_stl.formats.base import WriteOptions
    from orthanc_stl.model import Model
    from orthanc_stl.sources.base import OpenSource

OLD_KINDS = ("rtstruct", "nifti")
"""`convert rtstruct FILE`, as version 0.1 had it: only a file of this kind is taken then."""


IN_THE_SOURCE = {
    "run": "run Orthanc with the plugin on this machine",
    "demo": "the same, with a synthetic study to try",
    "test": "the test suite",
    "bench": "the benchmarks",
}
"""Commands of the folder runtime/, which a package does not have: the program hands over to it where it is."""


def main(arguments: list[str] | None = None) -> int:
    """0 if it worked; 1 with one sentence on stderr if not; 2 for wrong arguments; 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if arguments and arguments[0] in IN_THE_SOURCE:
            _hand_over(arguments)
        options = _parser().parse_args(arguments)
        options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except StlError as error:
        print(f"orthanc-stl: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"orthanc-stl: {error.filename or 'the output'}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="orthanc-stl", description="3D models of structures in medical images.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    suffixes = ", ".join(f".{writer.suffix}" for writer in WRITERS)
    convert = commands.add_parser("convert", help=f"make a file of structures: {suffixes}")
    convert.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="RT-STRUCT, DICOM SEG, NIfTI, ...; then what it needs; or several masks",
    )
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=f"with one of {suffixes}")
    smaller = "a smaller .glb, which fewer programs read (KHR_mesh_quantization)"
    convert.add_argument("--compress", action="store_true", help=smaller)
    add_options(convert)
    convert.set_defaults(run=_convert)

    structures = commands.add_parser("structures", help="what is in a file")
    structures.add_argument("files", nargs="+", metavar="FILE")
    structures.add_argument("--json", action="store_true", help="all that is known, as JSON")
    structures.set_defaults(run=_structures)

    statistics = commands.add_parser("statistics", help="a table of the structures of a file: volumes, areas, extents")
    statistics.add_argument("files", nargs="+", metavar="FILE")
    statistics.add_argument("--json", action="store_true", help="JSON in place of CSV")
    add_options(statistics)
    statistics.set_defaults(run=_statistics)

    compare = commands.add_parser("compare", help="Dice and surface distances of the structures of two files, by name")
    compare.add_argument("a", metavar="A")
    compare.add_argument("b", metavar="B")
    colored = "in place of the figures, A colored by its distance to B (one structure): a .ply or a .glb"
    compare.add_argument("--colored", type=Path, metavar="OUT", help=colored)
    add_options(compare)
    compare.set_defaults(run=_compare)

    check = commands.add_parser("print-check", help="what makes a print of the structures of a file fail")
    check.add_argument("files", nargs="+", metavar="FILE")
    add_print_check(check)
    add_options(check)
    check.set_defaults(run=_print_check)

    plugin_path = commands.add_parser("plugin-path", help="the lines that orthanc.json needs for the plugin")
    plugin_path.set_defaults(run=_plugin_path)

    for name, text in IN_THE_SOURCE.items():
        commands.add_parser(name, help=f"{text} (in the source tree)")
    return parser


def _hand_over(arguments: list[str]) -> NoReturn:
    """Becomes the program of the source tree, if this package lies in one."""
    program = Path(__file__).resolve().parent.parent / "orthanc-stl"
    if not program.is_file():
        raise InvalidInput(
            f'"{arguments[0]}" works with a private Orthanc that the source tree sets up: call ./orthanc-stl '
            f"{arguments[0]} there. With Docker it is one command, and `orthanc-stl plugin-path` prints what an "
            "Orthanc of your own needs; docs/installation.md has all three"
        )
    os.execv(program, [str(program), *arguments])


# The libraries for DICOM and meshes take a second to import: only the commands that use them do.


def _open(files: Sequence[str], fields: dict[str, Any], kind: str = "") -> OpenSource:
    from orthanc_stl.sources.base import ReadOptions
    from orthanc_stl.sources.registry import open_files

    paths = [Path(file) for file in files]
    if len(paths) > 1:
        fields = fields | {"FileNames": [path.name for path in paths]}
    return open_files([path.read_bytes() for path in paths], ReadOptions(fields=fields), name=paths[0].name, kind=kind)


def _convert(options: argparse.Namespace) -> None:
    from orthanc_stl.conversion.build import build_model

    writer = writer_of_name(options.output.name)
    if writer is None:
        known = ", ".join(f".{one.suffix}" for one in WRITERS)
        raise InvalidInput(f"{options.output.name} has no suffix of a format that is written here: {known}")
    how = how_to_write(writer, compress=options.compress)
    kind = options.files[0] if options.files[0] in OLD_KINDS and len(options.files) > 1 else ""
    files = options.files[1:] if kind else options.files
    request = request_of(options, several_parts=writer.several_parts)
    source = _open(files, dict(request.fields), kind)
    result = build_model(source, chosen_structures(request), _progress)
    if request.separate and not writer.several_parts:
        for file, model in _alone_in_files(options.output, result.model):
            _write(file, model, how)
    else:
        _write(options.output, result.model, how)
    _tell(result)


def _statistics(options: argparse.Namespace) -> None:
    from orthanc_stl.conversion.build import build_model
    from orthanc_stl.conversion.statistics import as_csv, statistics

    request = request_of(options, several_parts=True)
    source = _open(options.files, dict(request.fields))
    result = build_model(source, chosen_structures(request), _progress)
    rows = statistics(result.model, source, result.skipped)
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        sys.stdout.buffer.write(as_csv(rows))  # with its byte order mark: mostly it goes into a file
        sys.stdout.flush()
    _tell(result)


def _compare(options: argparse.Namespace) -> None:
    from orthanc_stl.conversion.comparison import Side, colored_by_distance, compared, only_parts

    request = request_of(options, several_parts=True)
    a, b = (Side(_open([file], dict(request.fields)), chosen_structures(request)) for file in (options.a, options.b))
    if not options.colored:
        print(json.dumps(compared(a, b, _progress), indent=2, ensure_ascii=False))
        return
    suffix = options.colored.suffix.lstrip(".").lower()
    if suffix not in ("ply", "glb"):
        raise InvalidInput(f"{options.colored.name}: a surface colored by distance is a .ply or a .glb")
    one, other, told = only_parts(a, b, _progress)
    file, scale = colored_by_distance(one, other, suffix, told)
    options.colored.write_bytes(file)
    print(f"{options.colored}: blue at {-scale:.3f} mm, red at {scale:.3f} mm", file=sys.stderr)
    for text in (*told, *(f"{part.name}: {warning}" for part in (one, other) for warning in part.warnings)):
        print(f"warning: {text}", file=sys.stderr)


def _print_check(options: argparse.Namespace) -> None:
    from orthanc_stl.conversion.build import build_model
    from orthanc_stl.conversion.printing import print_checks

    request = request_of(options, several_parts=True)
    result = build_model(_open(options.files, dict(request.fields)), chosen_structures(request), _progress)
    found = print_checks(result.model, wall=options.wall, bed=options.bed, hollow=options.hollow)
    print(json.dumps(found, indent=2, ensure_ascii=False))
    _tell(result)


def _alone_in_files(output: Path, model: Model) -> list[tuple[Path, Model]]:
    """`out-heart.stl` of `out.stl`: a file for each part."""
    from orthanc_stl.formats.scene import single_names

    names = single_names(model.parts)
    files = [output.with_name(f"{output.stem}-{name}{output.suffix}") for name in names]
    return [(file, replace(model, parts=(part,))) for file, part in zip(files, model.parts, strict=True)]


def _structures(options: argparse.Namespace) -> None:
    found = _open(options.files, {}).structures
    if options.json:
        print(json.dumps([one.as_json() for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        print(f"{one.number:>5}  {one.name:<32}  {_facts(one.facts) if one.usable else one.reason}")


def _facts(facts: Any) -> str:
    if "Contours" in facts:
        return ", ".join(f"{count} {kind}" for kind, count in facts["Contours"].items()) or "no contours"
    volume = facts.get("VolumeMl")
    return "" if volume is None else f"{volume:.3f} mL"


def _plugin_path(options: argparse.Namespace) -> None:
    found = importlib.util.find_spec("stl_plugin")
    script = Path(found.origin) if found and found.origin else Path(__file__).resolve().parent.parent / "stl_plugin.py"
    lines = json.dumps({"PythonScript": str(script), "Python": {"AllowThreads": True}}, indent=2)
    print(lines.removeprefix("{\n").removesuffix("\n}"))


def _write(output: Path, model: Model, how: WriteOptions) -> None:
    """The file appears whole or not at all. Facts and warnings go to stderr."""
    writer = writer_of_name(output.name)
    assert writer is not None  # its suffix was looked at before
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        temporary.write_bytes(writer.write(model, how))
        temporary.replace(output)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error
    finally:
        temporary.unlink(missing_ok=True)
    for part in model:
        report = part.report
        closed = "closed" if report.closed else "not closed"
        name = f"{part.name}, " if len(model) > 1 else ""
        facts = f"{report.triangles} triangles, {report.volume / 1000:.3f} mL, {report.area / 100:.1f} cm², {closed}"
        print(f"{output}: {name}{facts}", file=sys.stderr)
        for warning in part.warnings:
            print(f"  warning: {warning}", file=sys.stderr)


def _tell(result: ConversionResult) -> None:
    for note in result.notes:
        print(f"  warning: {note.text}", file=sys.stderr)
    for one in result.skipped:
        print(f"  left out: {one.name}: {one.reason}", file=sys.stderr)


def _progress(fraction: float, step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{fraction:4.0%}  {step}", end="\r\033[K" if fraction >= 1 else "", file=sys.stderr, flush=True)
