"""Which engine, language host and Go a rehearsal is built with.

Source: what the Go module proxy serves, tried 2026-11-23. Of `pkg/v3` it serves nothing newer than 3.259.0.
The language host became a module of its own, which is not served; its last version inside `sdk/v3` is built,
with the newer start script of the engine's own sdk. The versions stand in modules/engine/go.mod and
modules/language/go.mod too; a test holds these constants to them.
"""

from __future__ import annotations

ENGINE_VERSION = "3.259.0"
ENGINE_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
ENGINE_VERSION_VARIABLES = (
    "github.com/pulumi/pulumi/pkg/v3/version.Version",
    # Without this one the Automation API cannot read the engine's version.
    "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
)

LANGUAGE_HOST_VERSION = "3.78.0"
LANGUAGE_HOST_PACKAGE = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
LANGUAGE_HOST_VERSION_VARIABLES = ("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",)
# Inside the sdk module of the engine's version: starts the program for the language host.
LANGUAGE_EXEC_MODULE = "github.com/pulumi/pulumi/sdk/v3"
LANGUAGE_EXEC_PATH = "python/cmd/pulumi-language-python-exec"

# The `go` line of engine/go.mod: an older Go refuses the module.
OLDEST_GO = (1, 25, 11)
