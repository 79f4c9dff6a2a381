"""What tests and benchmarks share: phantoms, solids of known truth, real files, tasks, Orthanc, the original plugin."""
