"""Translations between qsim and other frameworks: a module for each, imported when it is first used."""
