"""The promises of a backend, as tests: subclass `BackendConformance` and give it one fixture, `under_test`."""

from __future__ import annotations

from .delivery import DeliveryPromises
from .faults import FaultPromises
from .queries import QuestionPromises
from .uninstall import UninstallPromises


class BackendConformance(DeliveryPromises, FaultPromises, QuestionPromises, UninstallPromises):
    """Each test is one promise. A provider that does not implement `uninstall`, say, is not asked for it: the test is
    skipped as undeclared.

        class TestMine(BackendConformance):
            @pytest.fixture
            def under_test(self, tmp_path):
                workspace = Workspace("w", backend="mine", options={"path": str(tmp_path)})
                yield BackendUnderTest(provider, workspace, DirectoryPlace(tmp_path))
    """
