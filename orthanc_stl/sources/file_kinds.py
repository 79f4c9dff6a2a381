"""What a file is by its first bytes, for the sentence on a file of another kind than was expected.

The magic numbers are those of the formats' own descriptions; nothing here decides how a file is read.
"""

from __future__ import annotations

_PACKED = ": unpack it first"

_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive" + _PACKED),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"BZh", "packed by bzip2" + _PACKED),
    (0, b"\xfd7zXZ\0", "packed by xz" + _PACKED),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive" + _PACKED),
    (0, b"Rar!\x1a\x07", "a RAR archive" + _PACKED),
    (0, b"\x28\xb5\x2f\xfd", "packed by zstd" + _PACKED),
    (0, b"\x04\x22\x4d\x18", "packed by lz4" + _PACKED),
    (0, b"\x5d\0\0", "packed by lzma" + _PACKED),
    (0, b"\x1f\x9d", "packed by compress" + _PACKED),
    (257, b"ustar", "a tar archive" + _PACKED),
    (0, b"\x1f\x8b", "packed twice by gzip" + _PACKED),
    (128, b"DICM", "a DICOM file"),
    (0, b"NRRD", "an NRRD file"),
    (0, b"\0\0\0\1\0\0", "a FreeSurfer volume (MGH or MGZ)"),
    (0, b"ObjectType", "a MetaImage header"),
    (0, b"NDims", "a MetaImage header"),
    (0, b"\x89HDF", "an HDF5 file (MINC 2)"),
    (0, b"CDF", "a NetCDF file (MINC 1)"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x93NUMPY", "a NumPy array (.npy)"),
    (0, b"glTF", "a GLB model"),
    (0, b"ply\n", "a PLY model"),
    (0, b"ply\r", "a PLY model"),
    (0, b"solid", "an STL model"),
    (0, b"# vtk", "a VTK file"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (0, b"MATLAB 5.0 MAT", "a MATLAB file"),
)

_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<!", "an HTML or XML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML file"),
    (b"{", "JSON text"),
)
"""By what follows a byte order mark and blanks, in small letters."""


def kind_of(beginning: bytes) -> str:
    """ "a zip archive: unpack it first", by the first bytes of a file; empty for what is not known.

    >>> kind_of(b"NRRD0005")
    'an NRRD file'
    """
    found = (kind for at, magic, kind in _MAGICS if beginning[at : at + len(magic)] == magic)
    text = beginning[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()[:8].lower()
    return next(found, "") or next((kind for start, kind in _TEXTS if text.startswith(start)), "")


def first_words(beginning: bytes) -> str:
    """The first line of a file that seems to be text, cut short; empty for any other.

    >>> first_words(b"404: Not Found")
    '404: Not Found'
    """
    line = beginning[:256].removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n")[0].strip()[:60]
    return line.decode("ascii") if line and all(32 <= letter < 127 for letter in line) else ""
