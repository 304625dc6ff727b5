"""Dated facts about the providers' resource types: names and types from the SDKs, behaviour from the providers."""
