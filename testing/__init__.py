"""What tests and benchmarks share: phantoms, solids of known truth, real files, Orthanc, the original plugin."""
