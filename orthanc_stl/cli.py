"""The conversions without a server, and how to tell Orthanc of the plugin: `python -m orthanc_stl`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path

from orthanc_stl import __version__
from orthanc_stl.errors import StlError
from orthanc_stl.mesh.types import Surface
from orthanc_stl.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """0 if it worked; 1 with one sentence on stderr if not; 2 for wrong arguments; 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
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
    parser = argparse.ArgumentParser(prog="orthanc-stl", description="STL models from RT-STRUCT and NIfTI files.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    convert = commands.add_parser("convert", help="make an STL file").add_subparsers(required=True, metavar="KIND")

    rtstruct = convert.add_parser("rtstruct", help="of structures of an RT-STRUCT file")
    _common(rtstruct)
    which = rtstruct.add_mutually_exclusive_group(required=True)
    which.add_argument("--roi", action="append", default=[], metavar="NAME", help="a structure; may be repeated")
    which.add_argument("--roi-number", action="append", type=int, default=[], metavar="N", help="the same by number")
    rtstruct.add_argument("--no-end-caps", action="store_true", help="end at the first and last contour")
    rtstruct.add_argument("--strict", action="store_true", help="fail if anything has to be skipped or guessed")
    rtstruct.set_defaults(run=_convert_rtstruct)

    nifti = convert.add_parser("nifti", help="of a NIfTI volume")
    _common(nifti)
    nifti.add_argument("--label", action="append", type=int, default=[], metavar="N", help="a label; may be repeated")
    nifti.add_argument("--threshold", type=float, metavar="T", help="for a volume that is not a mask")
    nifti.set_defaults(run=_convert_nifti)

    structures = commands.add_parser("structures", help="what is in an RT-STRUCT file")
    structures.add_argument("file", type=Path, metavar="FILE")
    structures.add_argument("--json", action="store_true", help="all that is known, as JSON")
    structures.set_defaults(run=_structures)

    plugin_path = commands.add_parser("plugin-path", help="the lines that orthanc.json needs for the plugin")
    plugin_path.set_defaults(run=_plugin_path)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.stl")
    parser.add_argument("--resolution", type=_resolution, default=256, metavar="N", help="2 to 1024 (default 256)")
    parser.add_argument("--no-smooth", action="store_true", help="leave the surface as the voxels have it")


def _resolution(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"must be a number from 2 to 1024, not {text}")
    return int(text)


# The libraries for DICOM and meshes take a second to import: only the commands that use them do.


def _convert_rtstruct(options: argparse.Namespace) -> None:
    from orthanc_stl.dicom.structure_set import read_structure_set
    from orthanc_stl.engine.tasks import model_of_structures

    chosen = {
        "roi_names": options.roi,
        "roi_numbers": options.roi_number,
        "resolution": options.resolution,
        "smooth": not options.no_smooth,
        "end_caps": not options.no_end_caps,
        "strict": options.strict,
        "limits": {},
    }
    model, _ = model_of_structures(read_structure_set(options.file.read_bytes()), chosen, _progress)
    _write(model, options.output)


def _convert_nifti(options: argparse.Namespace) -> None:
    from orthanc_stl.mesh.volumes.build import surface_from_volume
    from orthanc_stl.sources.nifti_file import read_nifti

    limits = Settings()
    model = surface_from_volume(
        read_nifti(options.file.read_bytes(), max_bytes=limits.max_nifti_mb << 20),
        labels=options.label or None,
        threshold=options.threshold,
        resolution=options.resolution,
        smooth=not options.no_smooth,
        max_voxels=limits.max_voxels,
        max_triangles=limits.max_triangles,
        progress=_progress,
    )
    _write(model, options.output)


def _structures(options: argparse.Namespace) -> None:
    from orthanc_stl.dicom.structure_set import read_structure_set

    rois = read_structure_set(options.file.read_bytes()).rois
    if options.json:
        print(json.dumps([roi.as_json() for roi in rois], indent=2, ensure_ascii=False))
        return
    for roi in rois:
        contours = ", ".join(f"{count} {kind}" for kind, count in roi.kinds.items()) or "no contours"
        print(f"{roi.number:>5}  {roi.name:<32}  {contours if roi.usable else roi.reason}")


def _plugin_path(options: argparse.Namespace) -> None:
    found = importlib.util.find_spec("stl_plugin")
    script = Path(found.origin) if found and found.origin else Path(__file__).resolve().parent.parent / "stl_plugin.py"
    lines = json.dumps({"PythonScript": str(script), "Python": {"AllowThreads": True}}, indent=2)
    print(lines.removeprefix("{\n").removesuffix("\n}"))


def _write(model: Surface, output: Path) -> None:
    """The file appears whole or not at all. Facts and warnings go to stderr."""
    from orthanc_stl.engine.tasks import STL_HEADER
    from orthanc_stl.formats.stl import stl_bytes

    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        temporary.write_bytes(stl_bytes(model.mesh, STL_HEADER))
        temporary.replace(output)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error
    finally:
        temporary.unlink(missing_ok=True)
    report = model.report
    closed = "closed" if report.closed else "not closed"
    print(
        f"{output}: {report.triangles} triangles, {report.volume / 1000:.3f} mL, {report.area / 100:.1f} cm², {closed}",
        file=sys.stderr,
    )
    for warning in report.warnings:
        print(f"  warning: {warning}", file=sys.stderr)


def _progress(fraction: float, step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{fraction:4.0%}  {step}", end="\r\033[K" if fraction >= 1 else "", file=sys.stderr, flush=True)
