"""The images of the servers' tier on this machine: built where no registry can be reached, once and cached.

Production pulls by digest from the registries that the catalogue names. Here each reference has a stand-in, built from
Debian packages, Go modules and Maven Central, tagged like the reference and labelled with it.
"""

from localtier.images.binaries import BINARIES, ensure_binary
from localtier.images.build import CONTENT_LABEL, STANDS_IN_LABEL, LocalImage, ensure_images
from localtier.images.errors import ImageError
from localtier.images.recipes import RECIPES, local_tag, recipe_of
from localtier.images.transfer import load_into

__all__ = [
    "BINARIES",
    "CONTENT_LABEL",
    "RECIPES",
    "STANDS_IN_LABEL",
    "ImageError",
    "LocalImage",
    "ensure_binary",
    "ensure_images",
    "load_into",
    "local_tag",
    "recipe_of",
]
