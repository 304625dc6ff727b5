"""What a stage file may say: frozen models, the loader and the published JSON Schema."""

from dreamseed.config.load import STAGE_NAMES, find_project, load_stage, merged_document, stage_document, stage_file
from dreamseed.config.stage import StageConfig, merge, parse_stage
from dreamseed.config.types import Stage

__all__ = [
    "STAGE_NAMES",
    "Stage",
    "StageConfig",
    "find_project",
    "load_stage",
    "merge",
    "merged_document",
    "parse_stage",
    "stage_document",
    "stage_file",
]
