"""A backend that was written for version 0.1 works unchanged, with that version's names of the kit."""

from __future__ import annotations

import importlib.util
import os
import warnings
from pathlib import Path

import pytest

from plugport.hookspecs import Workspace
from plugport.hookspecs.conformance import BackendConformance, BackendUnderTest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from plugport.hookspecs.conformance import DirectoryPlace

    _SPEC = importlib.util.spec_from_file_location("provider_of_0_1", Path(__file__).with_name("provider_of_0_1.py"))
    provider_of_0_1 = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(provider_of_0_1)


class TestProviderOf01(BackendConformance):
    @pytest.fixture
    def under_test(self, tmp_path):
        folder = tmp_path / "config"
        folder.mkdir()
        return BackendUnderTest(
            provider_of_0_1.OldBackend(),
            Workspace("w", backend="old", options={"path": str(folder)}),
            DirectoryPlace(folder, owned=os.geteuid() == 0),
            stopped=Workspace("s", backend="old", options={"path": str(tmp_path / "absent")}),
        )
