"""Every error that a user may meet, as one tree.

    StlError                      500
    ├── InvalidInput              400  a file, a body or a value that cannot be used as it is
    │   ├── InvalidField          400  one field of a JSON body is missing or of the wrong type
    │   ├── MalformedBody         400  a body that is not what the route reads (no JSON, no base64)
    │   ├── OutOfRange            400  a value of the right type outside its range
    │   ├── UnknownTag            400  `Tags` names something that is not a DICOM tag
    │   ├── Overridden            400  a tag that places the object in the hierarchy
    │   └── ParentMissing         400  the study or series to attach to does not exist
    ├── CrossSite                 403  a form of another site
    ├── ReadOnly                  403  Orthanc stores nothing
    ├── NotFound                  404
    ├── TooLarge                  413  over a limit of the configuration
    ├── RangeNotSatisfiable       416  bytes that the representation does not have
    ├── Busy                      503  the queue is full, or Orthanc is stopping
    ├── TimedOut                  500  a conversion took longer than `TimeoutSeconds`
    ├── WorkerDied                500  the process that did the work ended
    ├── Cancelled                 500  somebody cancelled the job
    └── StorageFailed             500  Orthanc did not store the result

`reading` makes an InvalidInput of whatever a library raises on a damaged file.

An error says one sentence: what was given and what was expected. It crosses from a worker process to Orthanc by the
name of its class and that sentence, so a class takes nothing else. `headers` are those of the answer.

`orthanc_status` and `message` are Orthanc's own error codes (OrthancPluginErrorCode), as the original answers them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

_log = logging.getLogger(__name__)


class StlError(Exception):
    headers: Mapping[str, str] = MappingProxyType({})
    status = 500
    orthanc_status = 1
    message = "Error encountered within the plugin engine"


class InvalidInput(StlError, ValueError):
    status = 400
    orthanc_status = 15
    message = "Bad file format"


class InvalidField(InvalidInput):
    orthanc_status = 15
    message = "Bad file format"


class MalformedBody(InvalidInput):
    orthanc_status = 8
    message = "Bad request"


class OutOfRange(InvalidInput):
    orthanc_status = 3
    message = "Parameter out of range"


class UnknownTag(InvalidInput):
    orthanc_status = 27
    message = "Unknown DICOM tag"


class Overridden(InvalidInput):
    orthanc_status = 2020
    message = "Trying to override a value inherited from a parent module"


class ParentMissing(InvalidInput):
    orthanc_status = 2024
    message = "Trying to attach a new DICOM instance to an inexistent resource"


class CrossSite(StlError):
    status = 403
    orthanc_status = 8
    message = "Bad request"


class ReadOnly(StlError):
    status = 403
    orthanc_status = 22
    message = "Cannot modify a read-only data structure"


class NotFound(StlError, LookupError):
    status = 404
    orthanc_status = 17
    message = "Unknown resource"


class TooLarge(StlError, ValueError):
    status = 413
    orthanc_status = 4
    message = "The request is larger than the configuration allows"


class RangeNotSatisfiable(StlError, ValueError):
    status = 416
    orthanc_status = 3
    message = "Parameter out of range"


class Busy(StlError):
    status = 503
    orthanc_status = 1
    message = "The plugin is busy"


class TimedOut(StlError, TimeoutError):
    pass


class WorkerDied(StlError):
    pass


class Cancelled(StlError):
    pass


class StorageFailed(StlError):
    pass


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Around, or as the decorator of, what reads a file of others: `what` is damaged if anything unforeseen happens.

    `what` names the file: "the RT-STRUCT". Errors of ours say more and pass, as MemoryError does. Raises InvalidInput
    with the library's own sentence for all others; where they come from goes to the log.

    >>> with reading("the RT-DOSE"):
    ...     raise KeyError("Rows")
    Traceback (most recent call last):
    orthanc_stl.errors.InvalidInput: the RT-DOSE is damaged: KeyError: 'Rows'
    """
    try:
        yield
    except (StlError, MemoryError):
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:200]
        sentence = f"{what} is damaged: {type(error).__name__}: {detail}".removesuffix(": ")
        _log.warning("%s", sentence, exc_info=True)
        raise InvalidInput(sentence) from error


def by_name(name: str) -> type[StlError]:
    """The class of that name, `StlError` for a name that is none of ours."""
    found = globals().get(name)
    return found if isinstance(found, type) and issubclass(found, StlError) else StlError


def name_of(error: StlError) -> str:
    """The name by which `by_name` finds its class, or the nearest one above it that is in this tree."""
    return next(kind.__name__ for kind in type(error).__mro__ if globals().get(kind.__name__) is kind)
