"""The generated part of the documentation: what stage files, components and commands say of themselves."""
