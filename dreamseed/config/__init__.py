"""What a stage file may say: frozen models, the loader and the published JSON Schema."""
