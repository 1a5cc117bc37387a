"""The promises of a backend, as tests: subclass `BackendConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

from plugport.hookspecs.conformance.asking import QuestionPromises
from plugport.hookspecs.conformance.delivering import DeliveryPromises
from plugport.hookspecs.conformance.striking import FaultPromises
from plugport.hookspecs.conformance.uninstalling import UninstallPromises


class BackendConformance(DeliveryPromises, FaultPromises, QuestionPromises, UninstallPromises):
    """Each test is one promise. A provider that does not implement `uninstall`, say, is not asked for it: the test is
    skipped as undeclared.

        class TestMine(BackendConformance):
            @pytest.fixture
            def under_test(self, tmp_path):
                workspace = Workspace("w", backend="mine", options={"path": str(tmp_path)})
                yield BackendUnderTest(provider, workspace, DirectoryPlace(tmp_path))
    """
