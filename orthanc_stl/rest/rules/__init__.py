"""Rules: models that are made when a source arrives, without a click."""
