"""The demo's study: a torso that never was. Run by the private Python: numpy, scikit-image and pydicom are needed."""
