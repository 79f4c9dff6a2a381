"""Requests, answers, bodies and ranges: HTTP as Orthanc's Python plugin has it."""
